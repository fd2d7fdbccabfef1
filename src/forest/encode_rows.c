/*
 * encode_rows.c
 *	  From the cells of a frame to the rows of the matrix.
 *
 * The cells come column by column, the matrix lies row by row, and in another
 * order.  So the bins of some rows are put side by side in a tile that stays
 * in the cache, and every row of it is then copied to its place, at once.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/prepare.h"

#ifdef CPU_X86
#include <immintrin.h>
#endif

#define TILE_BYTES 32768
#define TILE_MIN_ROWS 32

/* Cuts of a number are padded with infinity, so that a search needs no bounds. */
#define PADDED_CUTS 256

/* Values that are searched for at a time by plain C. */
#define LANES 8

/* How many rows ahead their places are looked for. */
#define PREFETCH_ROWS 12

/* How a feature is encoded. */
typedef struct Encoder
{
	double	   *cuts;			/* numbers: PADDED_CUTS */
	uint32_t	half;			/* numbers: the first step of the search */
	uint8_t    *codes;			/* texts: by dictionary id, and one for the missing */
} Encoder;

typedef struct Encode
{
	Prepare    *p;
	bool		avx2;
	Encoder    *encoders;		/* per feature */
	uint8_t    *tile;
	size_t		tile_rows;
	uint8_t    *buffer;			/* for cells that are read from a file */
	double	   *least;			/* random splits: of the training values of a bin, */
	double	   *largest;		/* n_features × 256 */
	uint64_t   *hashes;			/* of the features of the tile's rows; NULL: nobody asks */
} Encode;

/* ------------------------------------------------------------------ setup -- */

/* What every dictionary id is encoded as. */
static Status
encoder_of_texts(const Host *host, Encoder *e, const ForestFeature *feature,
				 const FrameDictionary *d, Failure *why)
{
	Status		status = memory_new_raw(host, d->n_texts + 1, 1, &e->codes, why);

	for (uint32_t id = 0; id < d->n_texts && status == STATUS_OK; id++)
	{
		ForestCell	cell = {.text = d->texts[id].bytes, .n_bytes = d->texts[id].n_bytes};

		e->codes[id] = schema_encode(feature, &cell);
		if (id % 65536 == 65535)
			status = host_poll(host, why);
	}
	if (status == STATUS_OK)
		e->codes[d->n_texts] = FOREST_MISSING;
	return status;
}

static Status
encoder_of_numbers(const Host *host, Encoder *e, const ForestFeature *feature, Failure *why)
{
	uint32_t	n_cuts = feature->n_bins - 1;
	Status		status = memory_new_raw(host, PADDED_CUTS, sizeof(double), &e->cuts, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < PADDED_CUTS; i++)
		e->cuts[i] = i < n_cuts ? feature->cuts[i] : INFINITY;
	e->half = 1;
	while (2 * e->half <= n_cuts)
		e->half *= 2;
	return STATUS_OK;
}

/* Are splits random, or may they be in a part of this training? */
static bool
wants_values(const Prepare *p)
{
	return p->t->settings.random_splitter || p->split->for_search;
}

static Status
encode_begin(Encode *encode, Failure *why)
{
	Prepare    *p = encode->p;
	const ForestTraining *t = p->t;
	size_t		n_values = wants_values(p) ? (size_t) t->schema.n_features * 256 : 0;
	Status		status;

	encode->avx2 = cpu_level(p->host->cpu_limit) >= CPU_AVX2;
	encode->tile_rows = TILE_BYTES / t->row_bytes;
	if (encode->tile_rows < TILE_MIN_ROWS)
		encode->tile_rows = TILE_MIN_ROWS;
	status = memory_new(p->host, encode->tile_rows, t->row_bytes, &encode->tile, why);
	if (p->frame->facts != NULL)
		facts_reserve(p->host, p->frame->facts, p->n);
	if (status == STATUS_OK && p->frame->facts != NULL)
		status = memory_new_raw(p->host, encode->tile_rows, sizeof(uint64_t), &encode->hashes,
								why);
	if (status == STATUS_OK && p->frame->spilled)
		status = memory_new_raw(p->host, p->frame->cells_bytes, 1, &encode->buffer, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_values, sizeof(double), &encode->least, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_values, sizeof(double), &encode->largest, why);
	for (size_t i = 0; i < n_values && status == STATUS_OK; i++)
	{
		encode->least[i] = INFINITY;
		encode->largest[i] = -INFINITY;
	}
	if (status == STATUS_OK)
		status = memory_new(p->host, t->schema.n_features, sizeof(Encoder), &encode->encoders,
							why);
	for (uint32_t f = 0; f < t->schema.n_features && status == STATUS_OK; f++)
	{
		const ForestFeature *feature = &t->schema.features[f];
		const FrameColumn *column = &p->frame->columns[p->kept[f]];

		status = feature->kind == FOREST_CATEGORY
			? encoder_of_texts(p->host, &encode->encoders[f], feature, &column->dictionary, why)
			: encoder_of_numbers(p->host, &encode->encoders[f], feature, why);
	}
	return status;
}

static void
encode_end(Encode *encode)
{
	Prepare    *p = encode->p;
	const ForestTraining *t = p->t;
	size_t		n_values = wants_values(p) ? (size_t) t->schema.n_features * 256 : 0;

	for (uint32_t f = 0; encode->encoders != NULL && f < t->schema.n_features; f++)
	{
		memory_free(p->host, encode->encoders[f].cuts, PADDED_CUTS, sizeof(double));
		memory_free(p->host, encode->encoders[f].codes,
					p->frame->columns[p->kept[f]].dictionary.n_texts + 1, 1);
	}
	memory_free(p->host, encode->encoders, t->schema.n_features, sizeof(Encoder));
	memory_free(p->host, encode->tile, encode->tile_rows, t->row_bytes);
	if (encode->buffer != NULL)
		memory_free(p->host, encode->buffer, p->frame->cells_bytes, 1);
	memory_free(p->host, encode->hashes, encode->tile_rows, sizeof(uint64_t));
	memory_free(p->host, encode->least, n_values, sizeof(double));
	memory_free(p->host, encode->largest, n_values, sizeof(double));
}

/* --------------------------------------------------------------- encoding -- */

/* 1 if a cut is below a number, else 0: the sign of their difference, which never underflows. */
static inline uint32_t
is_below(double cut, double number)
{
	double		difference = cut - number;
	uint64_t	bits;

	memcpy(&bits, &difference, sizeof(bits));
	return (uint32_t) (bits >> 63);
}

/*
 * The bins of n values, as schema_encode_number() has them, into every
 * stride-th byte of out.  All searches take the same steps, so that LANES of
 * them go side by side, and the processor need not wait for one.
 */
static void
encode_numbers(const Encoder *e, const double *values, size_t n, uint8_t *out, size_t stride)
{
	for (size_t begin = 0; begin < n; begin += LANES)
	{
		size_t		n_lanes = n - begin < LANES ? n - begin : LANES;
		const double *base[LANES];
		double		number[LANES];

		for (size_t i = 0; i < LANES; i++)
		{
			base[i] = e->cuts;
			/* a zero becomes -0.0, else -0.0 - 0.0 were below */
			number[i] = -(0.0 - values[begin + (i < n_lanes ? i : 0)]);
		}
		for (uint32_t half = e->half; half > 0; half /= 2)
		{
			for (size_t i = 0; i < LANES; i++)
				base[i] += half & (0 - is_below(base[i][half - 1], number[i]));
		}
		for (size_t i = 0; i < n_lanes; i++)
			out[(begin + i) * stride] = isnan(number[i]) ? FOREST_MISSING
				: (uint8_t) (base[i] - e->cuts);
	}
}

#ifdef CPU_X86

/* How many of 16 cuts are below a number, which is in all lanes. */
CPU_TARGET_AVX2 static inline uint32_t
count_below(__m256d a, __m256d b, __m256d c, __m256d d, __m256d number)
{
	__m256i		ab = _mm256_packs_epi32(_mm256_castpd_si256(_mm256_cmp_pd(a, number, _CMP_LT_OQ)),
										_mm256_castpd_si256(_mm256_cmp_pd(b, number, _CMP_LT_OQ)));
	__m256i		cd = _mm256_packs_epi32(_mm256_castpd_si256(_mm256_cmp_pd(c, number, _CMP_LT_OQ)),
										_mm256_castpd_si256(_mm256_cmp_pd(d, number, _CMP_LT_OQ)));

	return (uint32_t) _mm_popcnt_u32((uint32_t) _mm256_movemask_epi8(_mm256_packs_epi32(ab, cd))) /
		2;
}

/* As encode_numbers(): first which 16 cuts the number is among, then where. */
CPU_TARGET_AVX2 static void
encode_numbers_avx2(const Encoder *e, const double *values, size_t n, uint8_t *out,
					size_t stride)
{
	double		last[16];		/* of each 16 cuts */
	__m256d		a;
	__m256d		b;
	__m256d		c;
	__m256d		d;

	for (int i = 0; i < 16; i++)
		last[i] = e->cuts[i * 16 + 15];
	a = _mm256_loadu_pd(last);
	b = _mm256_loadu_pd(last + 4);
	c = _mm256_loadu_pd(last + 8);
	d = _mm256_loadu_pd(last + 12);
	for (size_t i = 0; i < n; i++)
	{
		__m256d		number = _mm256_broadcast_sd(&values[i]);
		uint32_t	bin = 16 * count_below(a, b, c, d, number);
		const double *cuts = e->cuts + bin;

		bin += count_below(_mm256_loadu_pd(cuts), _mm256_loadu_pd(cuts + 4),
						   _mm256_loadu_pd(cuts + 8), _mm256_loadu_pd(cuts + 12), number);
		out[i * stride] = isnan(values[i]) ? FOREST_MISSING : (uint8_t) bin;
	}
}

#endif

static void
encode_texts(const Encoder *e, size_t n_texts, const uint32_t *ids, size_t n, uint8_t *out,
			 size_t stride)
{
	for (size_t i = 0; i < n; i++)
		out[i * stride] = e->codes[ids[i] == FRAME_MISSING_ID ? n_texts : ids[i]];
}

/* For random splits: what the training values of each bin lie between. */
static void
note_values(Encode *encode, uint32_t f, const double *values, const uint8_t *trains, size_t n)
{
	double	   *least = encode->least + (size_t) f * 256;
	double	   *largest = encode->largest + (size_t) f * 256;
	size_t		stride = encode->p->t->row_bytes;

	for (size_t i = 0; i < n; i++)
	{
		uint8_t		bin = encode->tile[i * stride + f];

		if (!trains[i] || bin == FOREST_MISSING)
			continue;
		least[bin] = fmin(least[bin], values[i]);
		largest[bin] = fmax(largest[bin], values[i]);
	}
}

/* Note what the raw values of the tile's rows say: their hashes, and times ahead of their own. */
static void
note_facts(Encode *encode, size_t row, size_t n, const uint8_t *cells)
{
	const Prepare *p = encode->p;
	const ForestFrame *frame = p->frame;
	size_t		in_chunk = row & (FRAME_CHUNK_ROWS - 1);

	memset(encode->hashes, 0, n * sizeof(uint64_t));
	for (uint32_t f = 0; f < p->t->schema.n_features; f++)
	{
		const FrameColumn *column = &frame->columns[p->kept[f]];
		const void *section = cells + column->offset;

		if (column->kind == FOREST_CATEGORY)
			facts_hash_texts(encode->hashes, (const uint32_t *) section + in_chunk, n);
		else
			facts_hash_numbers(encode->hashes, (const double *) section + in_chunk, n);
		if (frame->has_time &&
			(column->kind == FOREST_TIMESTAMP || column->kind == FOREST_TIMESTAMPTZ))
			facts_times(&frame->facts->columns[p->kept[f]], (const double *) section + in_chunk,
						&FRAME_AT(frame, double, frame->time_offset, row), n);
	}
	facts_rows(frame->facts, encode->hashes, p->position + row, n);
}

/* Copy the rows of the tile to their places, with their classes. */
static void
place_rows(Encode *encode, size_t row, size_t n)
{
	const Prepare *p = encode->p;
	const ForestTraining *t = p->t;
	const uint32_t *places = p->position + row;
	size_t		stride = t->row_bytes;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	place = places[i];
		const TrainingChunk *chunk = training_chunk(t, place);

		/* places are anywhere: ask for the memory some rows ahead */
		__builtin_prefetch(training_bins(t, places[i + PREFETCH_ROWS < n ? i + PREFETCH_ROWS : i]),
						   1);
		memcpy((uint8_t *) training_bins(t, place), encode->tile + i * stride, stride);
		if (chunk->label != NULL)
			((uint32_t *) chunk->label)[training_in_chunk(t, place)] =
				prepare_class(p->frame, row + i);
	}
}

/* The n rows from `row` on; cells is where the columns of their chunk are. */
static void
encode_tile(Encode *encode, size_t row, size_t n, const uint8_t *cells)
{
	const Prepare *p = encode->p;
	const ForestTraining *t = p->t;
	size_t		stride = t->row_bytes;
	size_t		in_chunk = row & (FRAME_CHUNK_ROWS - 1);

	for (uint32_t f = 0; f < t->schema.n_features; f++)
	{
		const FrameColumn *column = &p->frame->columns[p->kept[f]];
		const void *section = cells + column->offset;

		if (column->kind == FOREST_CATEGORY)
			encode_texts(&encode->encoders[f], column->dictionary.n_texts,
						 (const uint32_t *) section + in_chunk, n, encode->tile + f, stride);
		else
		{
			const double *values = (const double *) section + in_chunk;

#ifdef CPU_X86
			if (encode->avx2)
				encode_numbers_avx2(&encode->encoders[f], values, n, encode->tile + f, stride);
			else
#endif
				encode_numbers(&encode->encoders[f], values, n, encode->tile + f, stride);
			if (encode->least != NULL)
				note_values(encode, f, values, p->trains + row, n);
		}
	}
	place_rows(encode, row, n);
	if (encode->hashes != NULL)
		note_facts(encode, row, n, cells);
}

/* For random splits: the middle of the least and largest training value of each bin. */
static Status
encode_values(Encode *encode, Failure *why)
{
	ForestTraining *t = encode->p->t;
	size_t		n = (size_t) t->schema.n_features * 256;
	Status		status;

	if (!wants_values(encode->p))
		return STATUS_OK;
	status = memory_new_raw(encode->p->host, n, sizeof(double), &t->values, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		t->values[i] = encode->least[i] > encode->largest[i] ? 0
			: encode->least[i] / 2 + encode->largest[i] / 2;
	return status;
}

Status
prepare_bins(Prepare *p, Failure *why)
{
	const ForestFrame *frame = p->frame;
	Encode		encode = {.p = p};
	Status		status = encode_begin(&encode, why);

	for (size_t chunk = 0; chunk < frame->n_chunks && status == STATUS_OK; chunk++)
	{
		size_t		begin = chunk << FRAME_CHUNK_SHIFT;
		size_t		n = frame_chunk_rows(frame, chunk);
		const uint8_t *cells;

		status = frame_cells(frame, chunk, 0, frame->n_columns, encode.buffer, &cells, why);
		for (size_t at = 0; at < n && status == STATUS_OK; at += encode.tile_rows)
			encode_tile(&encode, begin + at, n - at < encode.tile_rows ? n - at : encode.tile_rows,
						cells);
		if (status == STATUS_OK)
			status = host_poll(p->host, why);
	}
	if (status == STATUS_OK)
		status = encode_values(&encode, why);
	encode_end(&encode);
	return status;
}

/*
 * chunk.c
 *	  Rows in chunks, column by column.
 *
 * A chunk is, all numbers little-endian:
 *
 *	  u32 rows, u32 columns, and for each column
 *	  u32 bytes of what follows
 *	  u8 tag		of its values; 0 if all are NULL
 *	  u8 has NULLs
 *	  if so, ⌈rows / 8⌉ bytes, a bit for each NULL, the lowest bit first
 *	  then of the m values that are not NULL
 *	  fixed width	their bytes as planes: the first byte of all, the second, …
 *	  others		their lengths (u32) as four planes, then the payloads
 *
 * Bytes of one place are alike, so planes compress well.  The canonical bytes
 * of a row come back exactly: tags and lengths are those they had.
 */
#include "core/bytes.h"
#include "core/memory.h"
#include "dataset/dataset.h"

#include <string.h>

#define HEADER_BYTES 5			/* of a value: tag, length */

struct DatasetChunk
{
	const Host *host;
	uint32_t	n_columns;
	uint32_t	n_rows;
	uint8_t    *rows;			/* canonical bytes, row by row */
	size_t		n_bytes;
	size_t		capacity;
	size_t	   *places;			/* where each row is read next */
	size_t		place_capacity;
	uint8_t    *planes;			/* of the column at hand */
	size_t		plane_capacity;
	ByteWriter	out;
};

/* Width of the payloads of a tag; 0 where it varies. */
static uint32_t
fixed_width(uint8_t tag)
{
	switch (tag)
	{
		case DATASET_TAG_BOOL:
			return 1;
		case DATASET_TAG_INTEGER:
		case DATASET_TAG_FLOAT:
		case DATASET_TAG_TIMESTAMP:
		case DATASET_TAG_DATE:
			return 8;
		default:
			return 0;
	}
}

static uint32_t
big_endian_u32(const uint8_t *bytes)
{
	return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
		bytes[3];
}

const uint8_t *
dataset_value(const uint8_t *at, const uint8_t *end, DatasetValue *out)
{
	if (end - at < HEADER_BYTES)
		return NULL;
	out->tag = at[0];
	out->n_bytes = big_endian_u32(at + 1);
	out->bytes = at + HEADER_BYTES;
	if ((size_t) (end - out->bytes) < out->n_bytes)
		return NULL;
	return out->bytes + out->n_bytes;
}

Status
dataset_chunk_new(const Host *host, uint32_t n_columns, DatasetChunk **out, Failure *why)
{
	Status		status = memory_new(host, 1, sizeof(DatasetChunk), out, why);

	if (status != STATUS_OK)
		return status;
	(*out)->host = host;
	(*out)->n_columns = n_columns;
	bytes_writer_begin(&(*out)->out, host, NULL);
	return STATUS_OK;
}

void
dataset_chunk_free(DatasetChunk *chunk)
{
	if (chunk == NULL)
		return;
	memory_free(chunk->host, chunk->rows, chunk->capacity, 1);
	memory_free(chunk->host, chunk->places, chunk->place_capacity, sizeof(size_t));
	memory_free(chunk->host, chunk->planes, chunk->plane_capacity, 1);
	bytes_writer_free(&chunk->out);
	memory_free(chunk->host, chunk, 1, sizeof(DatasetChunk));
}

Status
dataset_chunk_add(DatasetChunk *chunk, const void *row, size_t n_bytes, Failure *why)
{
	Status		status;

	status = memory_grow(chunk->host, &chunk->rows, &chunk->capacity, chunk->n_bytes + n_bytes, 1,
						 why);
	if (status == STATUS_OK)
		status = memory_grow(chunk->host, &chunk->places, &chunk->place_capacity,
							 (size_t) chunk->n_rows + 1, sizeof(size_t), why);
	if (status != STATUS_OK)
		return status;
	memcpy(chunk->rows + chunk->n_bytes, row, n_bytes);
	chunk->places[chunk->n_rows++] = chunk->n_bytes;
	chunk->n_bytes += n_bytes;
	return STATUS_OK;
}

uint32_t
dataset_chunk_rows(const DatasetChunk *chunk)
{
	return chunk->n_rows;
}

size_t
dataset_chunk_bytes(const DatasetChunk *chunk)
{
	return chunk->n_bytes;
}

/* The value of a row that is read next. */
static Status
value_of(const DatasetChunk *chunk, uint32_t row, DatasetValue *out, Failure *why)
{
	if (dataset_value(chunk->rows + chunk->places[row], chunk->rows + chunk->n_bytes, out) == NULL)
		return fail(why, STATUS_CORRUPT, "a row has less than %u columns", chunk->n_columns);
	return STATUS_OK;
}

/* The tag of the column that is next, and how many of its values are not NULL. */
static Status
look_at_column(const DatasetChunk *chunk, uint8_t *tag, uint32_t *n_values, Failure *why)
{
	DatasetValue value;
	Status		status;

	*tag = DATASET_TAG_NULL;
	*n_values = 0;
	for (uint32_t row = 0; row < chunk->n_rows; row++)
	{
		status = value_of(chunk, row, &value, why);
		if (status != STATUS_OK)
			return status;
		if (value.tag == DATASET_TAG_NULL)
			continue;
		if (*n_values == 0)
			*tag = value.tag;
		if (*tag != value.tag || (fixed_width(*tag) > 0 && value.n_bytes != fixed_width(*tag)))
			return fail(why, STATUS_CORRUPT, "a column has values of two types");
		(*n_values)++;
	}
	return STATUS_OK;
}

/* A bit for each row. */
static void
put_nulls(DatasetChunk *chunk)
{
	DatasetValue value;

	for (uint32_t row = 0; row < chunk->n_rows; row += 8)
	{
		uint8_t		bits = 0;

		for (uint32_t i = 0; i < 8 && row + i < chunk->n_rows; i++)
		{
			(void) value_of(chunk, row + i, &value, NULL);
			if (value.tag == DATASET_TAG_NULL)
				bits |= (uint8_t) (1 << i);
		}
		bytes_put_u8(&chunk->out, bits);
	}
}

/* The bytes of all values at one place side by side: of payloads, or of lengths (width 0). */
static Status
put_planes(DatasetChunk *chunk, uint32_t n_values, uint32_t width, Failure *why)
{
	uint32_t	n_planes = width > 0 ? width : 4;
	size_t		n_bytes = (size_t) n_planes * n_values;
	DatasetValue value;
	uint32_t	next = 0;
	Status		status = memory_grow(chunk->host, &chunk->planes, &chunk->plane_capacity, n_bytes, 1,
									 why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t row = 0; row < chunk->n_rows; row++)
	{
		(void) value_of(chunk, row, &value, NULL);
		if (value.tag == DATASET_TAG_NULL)
			continue;
		for (uint32_t i = 0; i < n_planes; i++)
			chunk->planes[(size_t) i * n_values + next] = width > 0 ? value.bytes[i] :
				(uint8_t) (value.n_bytes >> 8 * i);
		next++;
	}
	if (n_bytes > 0)
		bytes_put(&chunk->out, chunk->planes, n_bytes);
	return STATUS_OK;
}

/* Write payloads of varying width, and go on to the next column. */
static void
put_payloads(DatasetChunk *chunk, uint32_t width)
{
	DatasetValue value;

	for (uint32_t row = 0; row < chunk->n_rows; row++)
	{
		(void) value_of(chunk, row, &value, NULL);
		if (width == 0 && value.n_bytes > 0)
			bytes_put(&chunk->out, value.bytes, value.n_bytes);
		chunk->places[row] += HEADER_BYTES + value.n_bytes;
	}
}

/* The column that is next, and on to the one behind it. */
static Status
put_column(DatasetChunk *chunk, Failure *why)
{
	size_t		start = chunk->out.n_bytes;
	uint32_t	n_values;
	uint8_t		tag;
	Status		status = look_at_column(chunk, &tag, &n_values, why);

	if (status != STATUS_OK)
		return status;
	bytes_put_u32(&chunk->out, 0);
	bytes_put_u8(&chunk->out, tag);
	bytes_put_u8(&chunk->out, n_values < chunk->n_rows);
	if (n_values < chunk->n_rows)
		put_nulls(chunk);
	status = put_planes(chunk, n_values, fixed_width(tag), why);
	if (status != STATUS_OK)
		return status;
	put_payloads(chunk, fixed_width(tag));
	bytes_patch_u32(&chunk->out, start, (uint32_t) (chunk->out.n_bytes - start - 4));
	return chunk->out.status;
}

Status
dataset_chunk_encode(DatasetChunk *chunk, const uint8_t **bytes, size_t *n_bytes, Failure *why)
{
	Status		status = STATUS_OK;

	chunk->out.n_bytes = 0;
	chunk->out.why = why;
	bytes_put_u32(&chunk->out, chunk->n_rows);
	bytes_put_u32(&chunk->out, chunk->n_columns);
	for (uint32_t i = 0; i < chunk->n_columns && status == STATUS_OK; i++)
	{
		status = host_poll(chunk->host, why);
		if (status == STATUS_OK)
			status = put_column(chunk, why);
	}
	*bytes = chunk->out.bytes;
	*n_bytes = chunk->out.n_bytes;
	chunk->n_rows = 0;
	chunk->n_bytes = 0;
	return status;
}

/* ------------------------------------------------------------ reading -- */

/* A column of a chunk, and where in it the next row is. */
typedef struct ReadColumn
{
	uint8_t		tag;
	uint32_t	width;
	const uint8_t *nulls;		/* or NULL */
	const uint8_t *planes;
	const uint8_t *payload;		/* of values of varying width, the next one */
	uint32_t	n_values;		/* not NULL */
	uint32_t	next;			/* of them */
	uint8_t		bytes[8];		/* of the value at hand, if of fixed width */
} ReadColumn;

struct DatasetReader
{
	const Host *host;
	uint32_t	n_rows;
	uint32_t	n_columns;
	uint32_t	row;			/* next */
	ReadColumn *columns;
	DatasetValue *values;		/* of the row at hand */
};

static Status
damaged(Failure *why)
{
	return fail(why, STATUS_CORRUPT, "kept rows are damaged");
}

static bool
is_null(const ReadColumn *column, uint32_t row)
{
	return column->tag == DATASET_TAG_NULL ||
		(column->nulls != NULL && (column->nulls[row / 8] >> row % 8 & 1) != 0);
}

/* The length of a value of varying width. */
static uint32_t
length_of(const ReadColumn *column, uint32_t i)
{
	uint32_t	length = 0;

	for (uint32_t plane = 0; plane < 4; plane++)
		length |= (uint32_t) column->planes[(size_t) plane * column->n_values + i] << 8 * plane;
	return length;
}

/* Find the parts of a column, and see that they fill its bytes. */
static Status
open_column(ReadColumn *column, ByteReader *in, uint32_t n_rows, Failure *why)
{
	uint64_t	total = 0;

	column->tag = bytes_get_u8(in);
	column->width = fixed_width(column->tag);
	if (bytes_get_u8(in) != 0)
		column->nulls = bytes_get(in, ((size_t) n_rows + 7) / 8);
	if (in->failed || column->tag > DATASET_MAX_TAG)
		return damaged(why);
	for (uint32_t row = 0; row < n_rows; row++)
		column->n_values += is_null(column, row) ? 0 : 1;
	if (column->n_values > 0)
		column->planes = bytes_get(in, (size_t) (column->width > 0 ? column->width : 4) *
								   column->n_values);
	if (in->failed)
		return damaged(why);
	for (uint32_t i = 0; column->width == 0 && i < column->n_values; i++)
		total += length_of(column, i);
	column->payload = in->bytes + in->offset;
	return total == bytes_left(in) ? STATUS_OK : damaged(why);
}

/* Read what a chunk has of each column. */
static Status
open_columns(DatasetReader *reader, ByteReader *in, Failure *why)
{
	for (uint32_t i = 0; i < reader->n_columns; i++)
	{
		ByteReader	column;
		uint32_t	n_bytes = bytes_get_u32(in);
		const uint8_t *bytes = bytes_get(in, n_bytes);
		Status		status = host_poll(reader->host, why);

		if (status != STATUS_OK)
			return status;
		if (bytes == NULL)
			return damaged(why);
		bytes_reader_begin(&column, bytes, n_bytes);
		status = open_column(&reader->columns[i], &column, reader->n_rows, why);
		if (status != STATUS_OK)
			return status;
	}
	return bytes_left(in) == 0 ? STATUS_OK : damaged(why);
}

Status
dataset_reader_new(const Host *host, const void *bytes, size_t n_bytes, uint32_t n_columns,
				   DatasetReader **out, Failure *why)
{
	DatasetReader *reader;
	ByteReader	in;
	Status		status = memory_new(host, 1, sizeof(DatasetReader), &reader, why);

	*out = NULL;
	if (status != STATUS_OK)
		return status;
	reader->host = host;
	reader->n_columns = n_columns;
	bytes_reader_begin(&in, bytes, n_bytes);
	reader->n_rows = bytes_get_u32(&in);
	/* a row of no values would take no bytes, however many are claimed */
	if (bytes_get_u32(&in) != n_columns || in.failed || n_columns == 0)
		status = damaged(why);
	if (status == STATUS_OK)
		status = memory_new(host, n_columns, sizeof(ReadColumn), &reader->columns, why);
	if (status == STATUS_OK)
		status = memory_new(host, n_columns, sizeof(DatasetValue), &reader->values, why);
	if (status == STATUS_OK)
		status = open_columns(reader, &in, why);
	if (status != STATUS_OK)
	{
		dataset_reader_free(reader);
		return status;
	}
	*out = reader;
	return STATUS_OK;
}

void
dataset_reader_free(DatasetReader *reader)
{
	if (reader == NULL)
		return;
	memory_free(reader->host, reader->columns, reader->n_columns, sizeof(ReadColumn));
	memory_free(reader->host, reader->values, reader->n_columns, sizeof(DatasetValue));
	memory_free(reader->host, reader, 1, sizeof(DatasetReader));
}

uint32_t
dataset_reader_rows(const DatasetReader *reader)
{
	return reader->n_rows;
}

/* The next value of a column. */
static void
next_value(ReadColumn *column, uint32_t row, DatasetValue *out)
{
	out->tag = DATASET_TAG_NULL;
	out->n_bytes = 0;
	out->bytes = NULL;
	if (is_null(column, row))
		return;
	out->tag = column->tag;
	if (column->width == 0)
	{
		out->n_bytes = length_of(column, column->next);
		out->bytes = column->payload;
		column->payload += out->n_bytes;
	}
	else
	{
		out->n_bytes = column->width;
		out->bytes = column->bytes;
		for (uint32_t i = 0; i < column->width; i++)
			column->bytes[i] = column->planes[(size_t) i * column->n_values + column->next];
	}
	column->next++;
}

const DatasetValue *
dataset_reader_next(DatasetReader *reader)
{
	if (reader->row >= reader->n_rows)
		return NULL;
	for (uint32_t i = 0; i < reader->n_columns; i++)
		next_value(&reader->columns[i], reader->row, &reader->values[i]);
	reader->row++;
	return reader->values;
}

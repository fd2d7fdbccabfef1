/*
 * scan.c
 *	  The best cut of a number, many bins at a time.
 *
 * Running sums of the bins give the left side of every cut.  The scores of all
 * cuts are then independent of each other, so compilers make vectors of the
 * loops; each loop is compiled for every level of instructions.  Empty bins
 * are cuts too, with the sums of the one before them: they score the same and
 * lose the tie.
 *
 * Where sums have 16 bits, D of split_pair_score() is an integer of 32 bits
 * and exact, as are the squares of several classes.  Scores are first computed in single precision, whose relative
 * error is below 2^-21; only cuts that are within that of the best are looked
 * at in double precision.  That picks the same cut as doubles throughout, at a
 * quarter of their cost.
 *
 * The order in which ties are decided is split.c's: the earlier cut, missing
 * values on the right before those on the left.  With missing values on the
 * right the last cut, all present values against the missing ones, is a
 * candidate as well; on the left it would be the same again.
 */
#include "forest/scan.h"

#include <string.h>

#include "forest/split.h"

#ifdef CPU_X86
#include <immintrin.h>
#endif

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

/* More than the error of a score in single precision: 2^-19, and 2^-20 to the best so far. */
#define SCREEN_OWN 0x1.FFFFCp-1
#define SCREEN_BEST 0x1.FFFFEp-1

#define W_OF(packed) ((packed) & UINT32_C(0xFFFF))
#define S_OF(packed) ((packed) >> 16)

/* The bits of a float, whose order as integers is that of numbers from 0 on. */
static ALWAYS_INLINE int32_t
float_bits(float x)
{
	int32_t		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* ----------------------------------------------------------- running sums -- */

static ALWAYS_INLINE void
running_plain(const uint32_t *cells, uint32_t n, uint32_t *out)
{
	uint32_t	sum = 0;

	for (uint32_t i = 0; i < n; i++)
		out[i] = sum += cells[i];
}

#ifdef CPU_X86
/* Eight at a time: within halves by shifts, then from half to half. */
CPU_TARGET_AVX2 static ALWAYS_INLINE void
running_avx2(const uint32_t *cells, uint32_t n, uint32_t *out)
{
	__m256i		carry = _mm256_setzero_si256();

	for (uint32_t i = 0; i < n; i += 8)
	{
		__m256i		x = _mm256_loadu_si256((const __m256i *) (cells + i));
		__m256i		low;

		x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
		x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
		/* the last of the low half to all of the high one */
		low = _mm256_permute2x128_si256(x, x, 0x08);
		x = _mm256_add_epi32(x, _mm256_shuffle_epi32(low, 0xFF));
		x = _mm256_add_epi32(x, carry);
		_mm256_storeu_si256((__m256i *) (out + i), x);
		carry = _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(7));
	}
}
#endif

/* ---------------------------------------------------------------- packed -- */

/* Single-precision scores of cuts, as bits, −1 for those not allowed; returns the largest. */
static ALWAYS_INLINE int32_t
screen_packed(const uint32_t *restrict left, uint32_t n, uint32_t add, uint32_t total,
			  uint32_t min_w, int32_t *restrict scores)
{
	uint32_t	w = W_OF(total);
	uint32_t	s = S_OF(total);
	int32_t		top = -1;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	sum = left[i] + add;
		uint32_t	w_left = W_OF(sum);
		uint32_t	w_right = w - w_left;
		/* |D| is at most w² / 4, products wrap but their difference does not */
		float		d = (float) (int32_t) (S_OF(sum) * w - s * w_left);
		int32_t		score = float_bits(d * d / (float) (int32_t) (w_left * w_right));

		score |= -(int32_t) (((int32_t) w_left < (int32_t) min_w) |
							 ((int32_t) w_right < (int32_t) min_w));
		scores[i] = score;
		top = score > top ? score : top;
	}
	return top;
}

/* The least bits of a score that can be the best; false if the largest is below them. */
static bool
screen_threshold(int32_t top, const ScanBest *best, int32_t *threshold)
{
	float		top_score;
	float		needed;

	memcpy(&top_score, &top, sizeof(top));
	needed = top_score * (float) SCREEN_OWN;
	if (best->score > 0 && needed < (float) (best->score * SCREEN_BEST))
		needed = (float) (best->score * SCREEN_BEST);
	*threshold = float_bits(needed);
	return needed <= top_score;
}

/* Look at the cuts whose scores can be the best, in double precision. */
static bool
settle_packed(const uint32_t *left, const int32_t *scores, uint32_t first, uint32_t n,
			  uint32_t add, uint32_t total, int32_t top, bool missing_left, ScanBest *best)
{
	int32_t		threshold;
	bool		improved = false;

	if (!screen_threshold(top, best, &threshold))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	sum;
		double		score;

		if (scores[i] < threshold)
			continue;
		sum = left[i] + add;
		score = split_pair_score(W_OF(total), S_OF(total), W_OF(sum), S_OF(sum),
								 W_OF(total) - W_OF(sum));
		if (!(score > best->score))
			continue;
		best->score = score;
		best->at = first + i;
		best->missing_left = missing_left;
		best->w = W_OF(sum);
		best->s = S_OF(sum);
		improved = true;
	}
	return improved;
}

typedef int32_t (*ScreenPacked) (const uint32_t *left, uint32_t n, uint32_t add, uint32_t total,
								 uint32_t min_w, int32_t *scores);

static int32_t
screen_packed_portable(const uint32_t *left, uint32_t n, uint32_t add, uint32_t total,
					   uint32_t min_w, int32_t *scores)
{
	return screen_packed(left, n, add, total, min_w, scores);
}

static void
running_portable(const uint32_t *cells, uint32_t n, uint32_t *out)
{
	running_plain(cells, n, out);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static int32_t
screen_packed_avx2(const uint32_t *left, uint32_t n, uint32_t add, uint32_t total,
				   uint32_t min_w, int32_t *scores)
{
	return screen_packed(left, n, add, total, min_w, scores);
}

CPU_TARGET_AVX2 static void
running_of_avx2(const uint32_t *cells, uint32_t n, uint32_t *out)
{
	running_avx2(cells, n, out);
}
#endif

/* Running sums of 32 bits; n is a multiple of 8. */
static void
running_sums(CpuLevel level, const uint32_t *cells, uint32_t n, uint32_t *out)
{
#ifdef CPU_X86
	if (level >= CPU_AVX2)
	{
		running_of_avx2(cells, n, out);
		return;
	}
#endif
	(void) level;
	running_portable(cells, n, out);
}

bool
scan_packed(const ScanNode *node, const uint32_t *cells, uint32_t n_bins, uint32_t missing,
			ScanBest *best, bool *varies)
{
	uint32_t	n = (n_bins + 7) & ~UINT32_C(7);
	uint32_t	total = (uint32_t) node->w | (uint32_t) node->s << 16;
	uint32_t	min_w = node->min_weight > 0xFFFF ? 0xFFFF : (uint32_t) node->min_weight;
	ScreenPacked screen = screen_packed_portable;
	bool		improved = false;
	uint32_t	left[SCAN_BINS];
	int32_t		scores[SCAN_BINS];

#ifdef CPU_X86
	if (node->level >= CPU_AVX2)
		screen = screen_packed_avx2;
#endif
	running_sums(node->level, cells, n, left);
	for (int side = 0; side <= (missing != 0 ? 1 : 0); side++)
	{
		uint32_t	first = node->first[side];
		uint32_t	end = node->last[side] + 1 < n_bins ? node->last[side] + 1 : n;
		uint32_t	add = side == 0 ? 0 : missing;
		int32_t		top;

		if (first >= end)
			continue;
		top = screen(left + first, end - first, add, total, min_w, scores);
		if (top < 0)
			continue;
		*varies = true;
		improved |= settle_packed(left + first, scores, first, end - first, add, total, top,
								  side == 1, best);
	}
	for (uint32_t i = 0; !*varies && i < n_bins; i++)
		*varies = (W_OF(left[i]) > 0 && W_OF(left[i]) < W_OF(total));
	*varies |= missing != 0 && W_OF(missing) < W_OF(total);
	return improved;
}

/* ------------------------------------------------------------------ sums -- */

/* The bits of a score: as integers they have the order of scores, and −1 is below 0. */
static ALWAYS_INLINE int64_t
double_bits(double x)
{
	int64_t		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static ALWAYS_INLINE double
bits_double(uint64_t bits)
{
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * (double) x by operations that AVX2 has for four numbers at once: its halves
 * become the last bits of 2^52 and 2^84, whose sum, less both, is rounded once.
 */
static ALWAYS_INLINE double
to_double(int64_t x)
{
	uint64_t	low = ((uint64_t) x & UINT32_MAX) | UINT64_C(0x4330000000000000);
	uint64_t	high = ((uint64_t) x >> 32) ^ UINT64_C(0x4530000080000000);

	return (bits_double(high) - 0x1.00000801p84) + bits_double(low);
}

/*
 * Scores of n cuts with some missing values on the left, −1 for those not
 * allowed; returns the bits of the largest.
 */
static ALWAYS_INLINE int64_t
score_cuts(const ScanNode *node, const uint64_t *restrict left_w, const int64_t *restrict left_s,
		   uint32_t n, uint64_t add_w, int64_t add_s, double *restrict scores)
{
	uint64_t	all = node->w;
	double		w = (double) (int64_t) node->w;
	double		s = (double) node->s;
	double		min_w = (double) (int64_t) node->min_weight;
	int64_t		top = double_bits(-1);

	for (uint32_t i = 0; i < n; i++)
	{
		double		w_left = to_double((int64_t) (left_w[i] + add_w));
		double		w_right = to_double((int64_t) (all - left_w[i] - add_w));
		double		s_left = to_double((int64_t) ((uint64_t) left_s[i] + (uint64_t) add_s));
		double		score = split_pair_score(w, s, w_left, s_left, w_right);

		scores[i] = (w_left < w_right ? w_left : w_right) < min_w ? -1 : score;
	}
	for (uint32_t i = 0; i < n; i++)
		top = double_bits(scores[i]) > top ? double_bits(scores[i]) : top;
	return top;
}

static int64_t
score_cuts_portable(const ScanNode *node, const uint64_t *left_w, const int64_t *left_s,
					uint32_t n, uint64_t add_w, int64_t add_s, double *scores)
{
	return score_cuts(node, left_w, left_s, n, add_w, add_s, scores);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static int64_t
score_cuts_avx2(const ScanNode *node, const uint64_t *left_w, const int64_t *left_s, uint32_t n,
				uint64_t add_w, int64_t add_s, double *scores)
{
	return score_cuts(node, left_w, left_s, n, add_w, add_s, scores);
}
#endif

/* The same for the cuts from first to before end. */
static int64_t
score_sums(const ScanNode *node, const ScanSums *sums, uint32_t first, uint32_t end,
		   uint64_t add_w, int64_t add_s, double *scores)
{
#ifdef CPU_X86
	if (node->level >= CPU_AVX2)
		return score_cuts_avx2(node, sums->w + first, sums->s + first, end - first, add_w, add_s,
							   scores);
#endif
	return score_cuts_portable(node, sums->w + first, sums->s + first, end - first, add_w, add_s,
							   scores);
}

/* Take the first of the largest scores, those of cuts from first on, if it is above the best. */
static bool
take_top(const double *scores, int64_t top, uint32_t first, bool missing_left, ScanBest *best)
{
	uint32_t	i = 0;

	if (top <= double_bits(best->score))
		return false;
	while (double_bits(scores[i]) != top)
		i++;
	best->score = scores[i];
	best->at = first + i;
	best->missing_left = missing_left;
	return true;
}

/* The cuts of a side that a node allows. */
static uint32_t
end_of(const ScanNode *node, int side, uint32_t n)
{
	return node->last[side] < n ? node->last[side] + 1 : n;
}

bool
scan_sums(const ScanNode *node, const ScanSums *sums, ScanBest *best, bool *varies)
{
	bool		improved = false;
	double		scores[SCAN_BINS];

	for (int side = 0; side <= (sums->missing_w > 0 ? 1 : 0); side++)
	{
		uint32_t	first = node->first[side];
		uint32_t	end = end_of(node, side, sums->n);
		uint64_t	add_w = side == 0 ? 0 : sums->missing_w;
		int64_t		add_s = side == 0 ? 0 : sums->missing_s;

		int64_t		top;

		if (first >= end)
			continue;
		top = score_sums(node, sums, first, end, add_w, add_s, scores);
		*varies |= top >= 0;
		if (!take_top(scores, top, first, side == 1, best))
			continue;
		best->w = sums->w[best->at] + add_w;
		best->s = sums->s[best->at] + add_s;
		improved = true;
	}
	for (uint32_t i = 0; !*varies && i < sums->n; i++)
		*varies = sums->w[i] > 0 && sums->w[i] < node->w;
	return improved;
}

/* --------------------------------------------------------------- classes -- */

/* Room for the sums over classes of every cut. */
typedef struct ClassSums
{
	int64_t		w[SCAN_BINS];	/* of the left side */
	double		left[SCAN_BINS];	/* Σ of squares */
	double		right[SCAN_BINS];
	uint32_t	narrow[SCAN_BINS];	/* running sums of one class */
	int64_t		wide[SCAN_BINS];
} ClassSums;

static ALWAYS_INLINE void
add_class(ClassSums *sums, uint32_t n, bool heavy, int64_t add, int64_t total)
{
	for (uint32_t i = 0; i < n; i++)
	{
		int64_t		left = (heavy ? sums->wide[i] : (int64_t) (int32_t) sums->narrow[i]) + add;
		double		x = heavy ? (double) left : (double) (int32_t) left;
		double		y = heavy ? (double) (total - left) : (double) (int32_t) (total - left);

		sums->w[i] += left;
		sums->left[i] += x * x;
		sums->right[i] += y * y;
	}
}

static void
add_class_portable(ClassSums *sums, uint32_t n, bool heavy, int64_t add, int64_t total)
{
	if (heavy)
		add_class(sums, n, true, add, total);
	else
		add_class(sums, n, false, add, total);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static void
add_class_avx2(ClassSums *sums, uint32_t n, bool heavy, int64_t add, int64_t total)
{
	if (heavy)
		add_class(sums, n, true, add, total);
	else
		add_class(sums, n, false, add, total);
}
#endif

/* The scores of the cuts from first to before end; returns the bits of the largest. */
static ALWAYS_INLINE int64_t
score_classes(const ClassSums *restrict sums, uint32_t first, uint32_t end, int64_t w,
			  int64_t min_w, double *restrict scores)
{
	int64_t		top = double_bits(-1);
	double		left[SCAN_BINS];
	double		right[SCAN_BINS];

	for (uint32_t i = first; i < end; i++)
	{
		left[i] = (double) sums->w[i];
		right[i] = (double) (w - sums->w[i]);
	}
	for (uint32_t i = first; i < end; i++)
	{
		double		score = sums->left[i] / left[i] + sums->right[i] / right[i];

		scores[i - first] = (left[i] < right[i] ? left[i] : right[i]) < (double) min_w
			? -1 : score;
	}
	for (uint32_t i = 0; i < end - first; i++)
		top = double_bits(scores[i]) > top ? double_bits(scores[i]) : top;
	return top;
}

static int64_t
score_classes_portable(const ClassSums *sums, uint32_t first, uint32_t end, int64_t w,
					   int64_t min_w, double *scores)
{
	return score_classes(sums, first, end, w, min_w, scores);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static int64_t
score_classes_avx2(const ClassSums *sums, uint32_t first, uint32_t end, int64_t w,
				   int64_t min_w, double *scores)
{
	return score_classes(sums, first, end, w, min_w, scores);
}
#endif

/*
 * The sums over classes of a node so light that squares and their sums have 31
 * bits.  Behind the last bin are places that wrap around and are not read.
 */
typedef struct LightSums
{
	uint32_t	running[SCAN_BINS];	/* of one class */
	uint32_t	w[SCAN_BINS];	/* of the left side */
	uint32_t	left[SCAN_BINS];	/* Σ of squares */
	uint32_t	right[SCAN_BINS];
	int32_t		scores[SCAN_BINS];	/* bits of floats */
} LightSums;

/* The heaviest such node: its square is below 2^31. */
#define LIGHT_WEIGHT 46340

static ALWAYS_INLINE void
add_light(LightSums *sums, uint32_t n, uint32_t add, uint32_t total)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	left = sums->running[i] + add;
		uint32_t	right = total - left;

		sums->w[i] += left;
		sums->left[i] += left * left;
		sums->right[i] += right * right;
	}
}

/* Single-precision scores of the cuts from first to before end, as in screen_packed(). */
static ALWAYS_INLINE int32_t
screen_light(LightSums *sums, uint32_t first, uint32_t end, int32_t w, int32_t min_w)
{
	int32_t		top = -1;

	for (uint32_t i = first; i < end; i++)
	{
		int32_t		w_left = (int32_t) sums->w[i];
		int32_t		w_right = w - w_left;
		int32_t		score = float_bits((float) (int32_t) sums->left[i] / (float) w_left +
									   (float) (int32_t) sums->right[i] / (float) w_right);

		score |= -(int32_t) ((w_left < min_w) | (w_right < min_w));
		sums->scores[i] = score;
		top = score > top ? score : top;
	}
	return top;
}

static void
add_light_portable(LightSums *sums, uint32_t n, uint32_t add, uint32_t total)
{
	add_light(sums, n, add, total);
}

static int32_t
screen_light_portable(LightSums *sums, uint32_t first, uint32_t end, int32_t w, int32_t min_w)
{
	return screen_light(sums, first, end, w, min_w);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static void
add_light_avx2(LightSums *sums, uint32_t n, uint32_t add, uint32_t total)
{
	add_light(sums, n, add, total);
}

CPU_TARGET_AVX2 static int32_t
screen_light_avx2(LightSums *sums, uint32_t first, uint32_t end, int32_t w, int32_t min_w)
{
	return screen_light(sums, first, end, w, min_w);
}
#endif

/* Look at the cuts whose scores can be the best, in double precision. */
static bool
settle_light(const LightSums *sums, uint32_t first, uint32_t end, uint32_t w, int32_t top,
			 bool missing_left, ScanBest *best)
{
	int32_t		threshold;
	bool		improved = false;

	if (!screen_threshold(top, best, &threshold))
		return false;
	for (uint32_t i = first; i < end; i++)
	{
		double		score;

		if (sums->scores[i] < threshold)
			continue;
		score = (double) sums->left[i] / (double) sums->w[i] +
			(double) sums->right[i] / (double) (w - sums->w[i]);
		if (!(score > best->score))
			continue;
		best->score = score;
		best->at = i;
		best->missing_left = missing_left;
		best->w = sums->w[i];
		improved = true;
	}
	return improved;
}

/* scan_classes() of a light node, all in 32 bits but for the last word. */
static bool
scan_light(const ScanNode *node, const ScanClasses *c, ScanBest *best, bool *varies)
{
	uint32_t	n = (c->n + 7) & ~UINT32_C(7);
	uint32_t	w = (uint32_t) node->w;
	int32_t		min_w = node->min_weight > LIGHT_WEIGHT ? LIGHT_WEIGHT + 1
		: (int32_t) node->min_weight;
	bool		improved = false;
	LightSums	sums;

	for (int side = 0; side <= (c->missing != NULL ? 1 : 0); side++)
	{
		uint32_t	first = node->first[side];
		uint32_t	end = end_of(node, side, c->n);
		int32_t		top;

		memset(sums.w, 0, n * sizeof(uint32_t));
		memset(sums.left, 0, n * sizeof(uint32_t));
		memset(sums.right, 0, n * sizeof(uint32_t));
		for (uint32_t k = 0; k < c->n_classes; k++)
		{
			uint32_t	add = side == 0 ? 0 : (uint32_t) c->missing[k];

			if (c->total[k] == 0)
				continue;
			running_sums(node->level, (const uint32_t *) c->cells + (size_t) k * c->stride, n,
						 sums.running);
#ifdef CPU_X86
			if (node->level >= CPU_AVX2)
				add_light_avx2(&sums, n, add, (uint32_t) c->total[k]);
			else
#endif
				add_light_portable(&sums, n, add, (uint32_t) c->total[k]);
		}
		if (first >= end)
			continue;
#ifdef CPU_X86
		if (node->level >= CPU_AVX2)
			top = screen_light_avx2(&sums, first, end, (int32_t) w, min_w);
		else
#endif
			top = screen_light_portable(&sums, first, end, (int32_t) w, min_w);
		*varies |= top >= 0;
		if (top >= 0)
			improved |= settle_light(&sums, first, end, w, top, side == 1, best);
	}
	for (uint32_t i = 0; !*varies && i < c->n; i++)
		*varies = sums.w[i] > 0 && sums.w[i] < w;
	return improved;
}

/* Running sums of a class; of 4-byte cells there is room for a multiple of 8. */
static void
running_class(const ScanNode *node, const ScanClasses *c, uint32_t k, ClassSums *sums)
{
	if (c->heavy)
	{
		const uint64_t *cells = (const uint64_t *) c->cells + (size_t) k * c->stride;
		uint64_t	sum = 0;

		for (uint32_t i = 0; i < c->n; i++)
			sums->wide[i] = (int64_t) (sum += cells[i]);
	}
	else
		running_sums(node->level, (const uint32_t *) c->cells + (size_t) k * c->stride,
					 (c->n + 7) & ~UINT32_C(7), sums->narrow);
}

bool
scan_classes(const ScanNode *node, const ScanClasses *c, ScanBest *best, bool *varies)
{
	bool		improved = false;
	double		scores[SCAN_BINS];
	ClassSums	sums;

	if (!c->heavy && node->w <= LIGHT_WEIGHT)
		return scan_light(node, c, best, varies);
	for (int side = 0; side <= (c->missing != NULL ? 1 : 0); side++)
	{
		uint32_t	first = node->first[side];
		uint32_t	end = end_of(node, side, c->n);
		int64_t		top;

		memset(sums.w, 0, c->n * sizeof(int64_t));
		memset(sums.left, 0, c->n * sizeof(double));
		memset(sums.right, 0, c->n * sizeof(double));
		for (uint32_t k = 0; k < c->n_classes; k++)
		{
			int64_t		add = side == 0 ? 0 : (int64_t) c->missing[k];

			if (c->total[k] == 0)
				continue;
			running_class(node, c, k, &sums);
#ifdef CPU_X86
			if (node->level >= CPU_AVX2)
				add_class_avx2(&sums, c->n, c->heavy, add, (int64_t) c->total[k]);
			else
#endif
				add_class_portable(&sums, c->n, c->heavy, add, (int64_t) c->total[k]);
		}
		if (first >= end)
			continue;
#ifdef CPU_X86
		if (node->level >= CPU_AVX2)
			top = score_classes_avx2(&sums, first, end, (int64_t) node->w,
									 (int64_t) node->min_weight, scores);
		else
#endif
			top = score_classes_portable(&sums, first, end, (int64_t) node->w,
										 (int64_t) node->min_weight, scores);
		*varies |= top >= 0;
		if (!take_top(scores, top, first, side == 1, best))
			continue;
		best->w = (uint64_t) sums.w[best->at];
		improved = true;
	}
	for (uint32_t i = 0; !*varies && i < c->n; i++)
		*varies = sums.w[i] > 0 && sums.w[i] < (int64_t) node->w;
	return improved;
}

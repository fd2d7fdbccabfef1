/*
 * exact.c
 *	  Exact sums of doubles: carries, products, rounding.
 */
#include "core/exact.h"

#include <math.h>

#define CHUNK_BITS 32
#define CHUNK_MASK INT64_C(0xFFFFFFFF)
#define LOWEST_BIT (-1074)

/* Twice the chunks hold the product of two sums. */
#define WIDE_CHUNKS (2 * EXACT_CHUNKS)

void
exact_settle(ExactSum *s)
{
	int64_t		carry = 0;
	int			i;

	for (i = 0; i < EXACT_CHUNKS - 1; i++)
	{
		int64_t		value = s->chunk[i] + carry;

		s->chunk[i] = value & CHUNK_MASK;
		/* a floor, written without the shift of a negative number */
		carry = (value - s->chunk[i]) / (CHUNK_MASK + 1);
	}
	s->chunk[EXACT_CHUNKS - 1] += carry;
	s->n_pending = 0;
}

void
exact_merge(ExactSum *s, const ExactSum *other)
{
	int			i;

	exact_settle(s);
	/* what the other has pending is less than 2^31 chunks' worth */
	for (i = 0; i < EXACT_CHUNKS; i++)
		s->chunk[i] += other->chunk[i];
	exact_settle(s);
}

void
exact_write(ByteWriter *w, const ExactSum *sum)
{
	ExactSum	s = *sum;
	int			first = 0;
	int			end = EXACT_CHUNKS - 1;

	exact_settle(&s);
	while (first < end && s.chunk[first] == 0)
		first++;
	while (end > first && s.chunk[end - 1] == 0)
		end--;
	bytes_put_u8(w, (uint8_t) first);
	bytes_put_u8(w, (uint8_t) end);
	for (int i = first; i < end; i++)
		bytes_put_u32(w, (uint32_t) s.chunk[i]);
	bytes_put_u64(w, (uint64_t) s.chunk[EXACT_CHUNKS - 1]);
}

void
exact_read(ByteReader *r, ExactSum *s)
{
	int			first = bytes_get_u8(r);
	int			end = bytes_get_u8(r);

	memset(s, 0, sizeof(*s));
	if (first > end || end >= EXACT_CHUNKS)
	{
		r->failed = true;
		return;
	}
	for (int i = first; i < end; i++)
		s->chunk[i] = bytes_get_u32(r);
	s->chunk[EXACT_CHUNKS - 1] = (int64_t) bytes_get_u64(r);
}

/* x y = *product + *error, exactly unless it overflows or is near the smallest doubles (Dekker). */
static void
two_product(double x, double y, double *product, double *error)
{
	const double split = 134217729;		/* 2^27 + 1 */
	double		x_high = x * split - (x * split - x);
	double		y_high = y * split - (y * split - y);
	double		x_low = x - x_high;
	double		y_low = y - y_high;

	*product = x * y;
	*error = ((x_high * y_high - *product) + x_high * y_low + x_low * y_high) + x_low * y_low;
}

bool
exact_add_product(ExactSum *s, double x, double y)
{
	double		product;
	double		error;

	two_product(x, y, &product, &error);
	if (!isfinite(product) || !isfinite(error))
		return false;
	exact_add(s, product);
	exact_add(s, error);
	return true;
}

bool
exact_add_product3(ExactSum *s, double x, double y, double z)
{
	double		product[2];
	double		part[4];
	int			i;

	two_product(x, y, &product[0], &product[1]);
	two_product(product[0], z, &part[0], &part[1]);
	two_product(product[1], z, &part[2], &part[3]);
	for (i = 0; i < 4; i++)
		if (!isfinite(part[i]))
			return false;
	for (i = 0; i < 4; i++)
		exact_add(s, part[i]);
	return true;
}

/* ------------------------------------------------ numbers of many chunks -- */

/* A magnitude, lowest chunk first, and its sign. */
typedef struct Wide
{
	uint32_t	chunk[WIDE_CHUNKS];
	bool		negative;
} Wide;

static void
negate(ExactSum *s)
{
	int			i;

	for (i = 0; i < EXACT_CHUNKS; i++)
		s->chunk[i] = -s->chunk[i];
	exact_settle(s);
}

static Wide
wide_of(const ExactSum *sum)
{
	ExactSum	s = *sum;
	Wide		wide = {.negative = false};
	int			i;

	exact_settle(&s);
	if (s.chunk[EXACT_CHUNKS - 1] < 0)
	{
		wide.negative = true;
		negate(&s);
	}
	for (i = 0; i < EXACT_CHUNKS; i++)
		wide.chunk[i] = (uint32_t) s.chunk[i];
	return wide;
}

/* The product of two that came of sums. */
static Wide
wide_product(const Wide *a, const Wide *b)
{
	Wide		product = {.negative = a->negative != b->negative};
	int			i;
	int			j;

	for (i = 0; i < EXACT_CHUNKS; i++)
	{
		uint64_t	carry = 0;

		if (a->chunk[i] == 0)
			continue;
		for (j = 0; j < EXACT_CHUNKS; j++)
		{
			uint64_t	value = (uint64_t) a->chunk[i] * b->chunk[j] + product.chunk[i + j] + carry;

			product.chunk[i + j] = (uint32_t) value;
			carry = value >> CHUNK_BITS;
		}
		product.chunk[i + EXACT_CHUNKS] = (uint32_t) carry;
	}
	return product;
}

static bool
smaller(const Wide *a, const Wide *b)
{
	int			i;

	for (i = WIDE_CHUNKS - 1; i >= 0; i--)
		if (a->chunk[i] != b->chunk[i])
			return a->chunk[i] < b->chunk[i];
	return false;
}

/* a - b of two that are not negative. */
static Wide
wide_difference(const Wide *a, const Wide *b)
{
	bool		swap = smaller(a, b);
	const Wide *larger = swap ? b : a;
	const Wide *lesser = swap ? a : b;
	Wide		difference = {.negative = swap};
	int64_t		borrow = 0;
	int			i;

	for (i = 0; i < WIDE_CHUNKS; i++)
	{
		int64_t		value = (int64_t) larger->chunk[i] - lesser->chunk[i] - borrow;

		borrow = value < 0;
		difference.chunk[i] = (uint32_t) (value + (borrow << CHUNK_BITS));
	}
	return difference;
}

/*
 * The number with its lowest bit worth 2^lowest, rounded, as *mantissa, an
 * integer below or at 2^53, times 2^(the result).
 */
static int
wide_round(const Wide *wide, int lowest, double *mantissa)
{
	int			top = WIDE_CHUNKS - 1;
	int			n_bits;
	int			drop;
	uint64_t	kept = 0;
	bool		half;
	bool		more = false;
	int			i;

	*mantissa = 0;
	while (top >= 0 && wide->chunk[top] == 0)
		top--;
	if (top < 0)
		return 0;
	n_bits = top * CHUNK_BITS;
	for (uint32_t rest = wide->chunk[top]; rest != 0; rest >>= 1)
		n_bits++;
	drop = n_bits > 53 ? n_bits - 53 : 0;
	for (i = n_bits - 1; i >= drop; i--)
		kept = kept << 1 | (wide->chunk[i / CHUNK_BITS] >> i % CHUNK_BITS & 1);
	half = drop > 0 && (wide->chunk[(drop - 1) / CHUNK_BITS] >> (drop - 1) % CHUNK_BITS & 1);
	for (i = 0; i < (drop - 1) / CHUNK_BITS && !more; i++)
		more = wide->chunk[i] != 0;
	if (half && !more)
		more = (wide->chunk[i] & ((UINT32_C(1) << (drop - 1) % CHUNK_BITS) - 1)) != 0;
	if (half && (more || (kept & 1)))
		kept++;
	*mantissa = wide->negative ? -(double) kept : (double) kept;
	return drop + lowest;
}

double
exact_value(const ExactSum *s)
{
	Wide		wide = wide_of(s);
	double		mantissa;
	int			exponent = wide_round(&wide, LOWEST_BIT, &mantissa);

	return ldexp(mantissa, exponent);
}

double
exact_spread(const ExactSum *a, const ExactSum *b, const ExactSum *c)
{
	Wide		wide_a = wide_of(a);
	Wide		wide_b = wide_of(b);
	Wide		wide_c = wide_of(c);
	Wide		ac = wide_product(&wide_a, &wide_c);
	Wide		bb = wide_product(&wide_b, &wide_b);
	Wide		difference;
	double		numerator;
	double		denominator;
	int			exponent;

	if (wide_a.negative)
		return NAN;
	ac.negative = false;		/* c is a sum of squares */
	difference = wide_difference(&ac, &bb);
	exponent = wide_round(&difference, 2 * LOWEST_BIT, &numerator);
	exponent -= wide_round(&wide_a, LOWEST_BIT, &denominator);
	if (!(denominator > 0))
		return NAN;
	return ldexp(numerator / denominator, exponent);
}

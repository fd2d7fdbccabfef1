/*
 * numeric.c
 *	  The stored form of numeric, read and, of integers, written directly.
 *
 * The server's own way from numeric to double goes through a string (300 ns);
 * most values have so few digits that one multiplication or division of exact
 * doubles gives the correctly rounded result (Clinger 1990).  The stored form
 * is on disk, so it cannot change between versions: a 16-bit header, in its
 * long form a second word with the weight, then digits of base 10,000, the
 * most significant first; the value is the sum of digit[i] × 10000^(weight−i).
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"

#include "pg/compat.h"
#include "pg/numeric.h"

#define SIGN_MASK 0xC000
#define SIGN_NEGATIVE 0x4000
#define SIGN_SHORT 0x8000
#define SIGN_SPECIAL 0xC000
#define SPECIAL_MASK 0xF000
#define SPECIAL_NAN 0xC000
#define SPECIAL_PLUS_INFINITY 0xD000
#define SHORT_NEGATIVE 0x2000
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F

#define DIGIT_DECIMALS 4
#define DIGIT_BASE 10000

/* An integer up to 2^53 and a power of ten up to 10^22 are exact doubles. */
#define EXACT_MANTISSA (UINT64CONST(1) << 53)
#define EXACT_POWER 22

typedef struct Digits
{
	bool		special;		/* number is NaN or an infinity */
	double		number;
	bool		negative;
	int			weight;
	int			n_digits;
	const char *bytes;			/* int16 each, perhaps not aligned */
} Digits;

static inline int
digit(const Digits *d, int i)
{
	int16		value;

	memcpy(&value, d->bytes + i * sizeof(value), sizeof(value));
	return value;
}

/* Take a detoasted (perhaps short) varlena apart. */
static void
read_digits(struct varlena *packed, Digits *d)
{
	const char *bytes = VARDATA_ANY(packed);
	int			n_bytes = VARSIZE_ANY_EXHDR(packed);
	uint16		header;

	memcpy(&header, bytes, sizeof(header));
	d->special = (header & SIGN_MASK) == SIGN_SPECIAL;
	if (d->special)
	{
		int			kind = header & SPECIAL_MASK;

		d->number = kind == SPECIAL_NAN ? get_float8_nan() :
			kind == SPECIAL_PLUS_INFINITY ? get_float8_infinity() : -get_float8_infinity();
		return;
	}
	if ((header & SIGN_MASK) == SIGN_SHORT)
	{
		d->negative = (header & SHORT_NEGATIVE) != 0;
		d->weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_SIGN)
			d->weight -= SHORT_WEIGHT_MASK + 1;
		bytes += sizeof(uint16);
		n_bytes -= sizeof(uint16);
	}
	else
	{
		int16		weight;

		memcpy(&weight, bytes + sizeof(uint16), sizeof(weight));
		d->negative = (header & SIGN_MASK) == SIGN_NEGATIVE;
		d->weight = weight;
		bytes += 2 * sizeof(uint16);
		n_bytes -= 2 * sizeof(uint16);
	}
	d->bytes = bytes;
	d->n_digits = n_bytes / (int) sizeof(int16);
}

/* The exact way; false when the value has too many digits for it. */
static bool
small_to_double(const Digits *d, double *out)
{
	static const double powers[EXACT_POWER + 1] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
	};
	uint64		mantissa = 0;
	int			exponent = DIGIT_DECIMALS * (d->weight - d->n_digits + 1);

	if (FLT_EVAL_METHOD != 0 || d->n_digits > 4 ||
		exponent > EXACT_POWER || exponent < -EXACT_POWER)
		return false;
	for (int i = 0; i < d->n_digits; i++)
		mantissa = mantissa * DIGIT_BASE + digit(d, i);
	if (mantissa > EXACT_MANTISSA)
		return false;
	*out = exponent < 0 ? (double) mantissa / powers[-exponent] :
		(double) mantissa * powers[exponent];
	if (d->negative)
		*out = -*out;
	return true;
}

double
numeric_to_double(Datum value)
{
	Digits		d;
	double		number;

	read_digits(PG_DETOAST_DATUM_PACKED(value), &d);
	if (d.special)
		return d.number;
	if (d.n_digits == 0)
		return 0;
	if (small_to_double(&d, &number))
		return number;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

/* Write the digits of weights from `from` down to `to`, four decimals each. */
static char *
put_decimals(const Digits *d, int from, int to, char *out)
{
	for (int weight = from; weight >= to; weight--)
	{
		int			i = d->weight - weight;
		int			value = i >= 0 && i < d->n_digits ? digit(d, i) : 0;

		for (int k = DIGIT_DECIMALS - 1; k >= 0; k--)
		{
			out[k] = '0' + value % 10;
			value /= 10;
		}
		out += DIGIT_DECIMALS;
	}
	return out;
}

/* Drop leading zeros of the number from start to end, but for its last digit. */
static char *
drop_leading_zeros(char *start, char *end)
{
	char	   *first = start;

	while (first < end - 1 && *first == '0')
		first++;
	memmove(start, first, end - first);
	return end - (first - start);
}

Size
numeric_text_room(struct varlena *packed)
{
	Digits		d;

	read_digits(packed, &d);
	if (d.special)
		return sizeof("-Infinity");
	/* digits before the point, those from weight -1 to the lowest, sign and point */
	return (Size) DIGIT_DECIMALS * (Max(d.weight, 0) + 1 + Max(d.n_digits - d.weight - 1, 0)) + 2;
}

char *
numeric_put_text(struct varlena *packed, char *to)
{
	Digits		d;
	char	   *start;
	int			lowest;

	read_digits(packed, &d);
	if (d.special)
	{
		const char *name = isnan(d.number) ? "NaN" : d.number > 0 ? "Infinity" : "-Infinity";

		memcpy(to, name, strlen(name));
		return to + strlen(name);
	}
	while (d.n_digits > 0 && digit(&d, d.n_digits - 1) == 0)
		d.n_digits--;
	if (d.n_digits > 0 && d.negative)
		*to++ = '-';
	start = to;
	to = put_decimals(&d, d.n_digits > 0 ? Max(d.weight, 0) : 0, 0, to);
	to = drop_leading_zeros(start, to);
	lowest = d.weight - d.n_digits + 1;
	if (d.n_digits == 0 || lowest >= 0)
		return to;
	*to++ = '.';
	to = put_decimals(&d, -1, lowest, to);
	while (to[-1] == '0')
		to--;
	return to;
}

char *
numeric_put_int64(int64 value, char *to)
{
	uint64		left = value < 0 ? -(uint64) value : (uint64) value;
	uint16		header = SIGN_SHORT | (value < 0 ? SHORT_NEGATIVE : 0);
	int16		digits[5];
	int			first = lengthof(digits);
	int			n = 0;
	char	   *end;

	for (; left > 0; left /= DIGIT_BASE)
		digits[--first] = (int16) (left % DIGIT_BASE);
	if (first < lengthof(digits))
		header |= (uint16) (lengthof(digits) - 1 - first);
	for (int i = first; i < lengthof(digits); i++)
		n = digits[i] != 0 ? i + 1 - first : n;
	end = to + VARHDRSZ + sizeof(header) + n * sizeof(digits[0]);
	SET_VARSIZE(to, end - to);
	memcpy(to + VARHDRSZ, &header, sizeof(header));
	memcpy(to + VARHDRSZ + sizeof(header), digits + first, n * sizeof(digits[0]));
	return end;
}

/*
 * scalar.c
 *	  Resolving scalars by YAML 1.2's core schema.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/scalar.h"

static bool
is_one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The text behind its sign. */
static const char *
unsigned_part(const char *text)
{
	return *text == '+' || *text == '-' ? text + 1 : text;
}

/* Digits of a base, at least one, up to the end of the text. */
static bool
is_digits(const char *text, const char *digits)
{
	return *text != '\0' && text[strspn(text, digits)] == '\0';
}

static bool
is_octal(const char *text)
{
	return strncmp(text, "0o", 2) == 0 && is_digits(text + 2, "01234567");
}

static bool
is_hexadecimal(const char *text)
{
	return strncmp(text, "0x", 2) == 0 && is_digits(text + 2, "0123456789abcdefABCDEF");
}

/* [-+]? ( \.[0-9]+ | [0-9]+(\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool
is_float(const char *text)
{
	const char *next = unsigned_part(text);
	size_t		whole = strspn(next, "0123456789");
	size_t		part = 0;

	next += whole;
	if (*next == '.')
	{
		part = strspn(next + 1, "0123456789");
		next += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*next == 'e' || *next == 'E')
		return is_digits(unsigned_part(next + 1), "0123456789");
	return *next == '\0';
}

static bool
is_infinite(const char *text)
{
	static const char *const words[] = {".inf", ".Inf", ".INF"};

	return is_one_of(unsigned_part(text), words, 3);
}

static bool
is_nan(const char *text)
{
	static const char *const words[] = {".nan", ".NaN", ".NAN"};

	return is_one_of(text, words, 3);
}

static SpecScalar
number_scalar(SpecKind kind, double number)
{
	return (SpecScalar) {.kind = kind, .number = number};
}

SpecScalar
spec_resolve(const char *text)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};

	if (is_one_of(text, nulls, 5))
		return (SpecScalar) {.kind = SPEC_NULL};
	if (is_one_of(text, trues, 3) || is_one_of(text, falses, 3))
		return (SpecScalar) {.kind = SPEC_BOOLEAN, .boolean = *text == 't' || *text == 'T'};
	if (is_infinite(text))
		return number_scalar(SPEC_FLOAT, *text == '-' ? -INFINITY : INFINITY);
	if (is_nan(text))
		return number_scalar(SPEC_FLOAT, NAN);
	if (strlen(text) > SPEC_NUMBER_BYTES)
		return (SpecScalar) {.kind = SPEC_TEXT};
	if (is_digits(unsigned_part(text), "0123456789"))
		return number_scalar(SPEC_INTEGER, strtod(text, NULL));
	if (is_hexadecimal(text) || is_octal(text))
	{
		char	   *end;
		double		number = 0;

		/* digit by digit: there may be more than an integer holds */
		for (const char *c = text + 2; *c != '\0'; c++)
			number = number * (text[1] == 'x' ? 16 : 8) +
				(double) strtol((char[]) {*c, '\0'}, &end, 16);
		return number_scalar(SPEC_INTEGER, number);
	}
	if (is_float(text))
		return number_scalar(SPEC_FLOAT, strtod(text, NULL));
	return (SpecScalar) {.kind = SPEC_TEXT};
}

bool
spec_is_ambiguous(const char *text)
{
	const char *digits = unsigned_part(text);

	return digits[0] == '0' && is_digits(digits, "0123456789") && digits[1] != '\0';
}

bool
spec_is_old_boolean(const char *text)
{
	static const char *const words[] = {"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO",
		"on", "On", "ON", "off", "Off", "OFF"};

	return is_one_of(text, words, sizeof(words) / sizeof(words[0]));
}

/* A digit other than 0 before the exponent. */
static bool
is_not_zero(const char *text)
{
	for (; *text != '\0' && *text != 'e' && *text != 'E'; text++)
		if (is_digit(*text) && *text != '0')
			return true;
	return false;
}

bool
spec_number_fits(const SpecNode *node, const char *text)
{
	if (!isfinite(node->number))
		return false;
	if (node->kind == SPEC_INTEGER)
		return text[0] != '0' || (text[1] != 'x' && text[1] != 'o') || node->number < 9e15;
	return node->number != 0 || !is_not_zero(text);
}

void
spec_put_number(ByteWriter *out, const SpecNode *node, const char *text)
{
	const char *digits = unsigned_part(text);
	const char *end;

	if (is_hexadecimal(text) || is_octal(text))
	{
		char		decimal[32];
		int			n = snprintf(decimal, sizeof(decimal), "%.0f", node->number);

		bytes_put(out, decimal, (size_t) n);
		return;
	}
	if (*text == '-')
		bytes_put_u8(out, '-');
	/* JSON wants a digit on both sides of the point, and no 0 in front of others */
	while (digits[0] == '0' && is_digit(digits[1]))
		digits++;
	if (*digits == '.')
		bytes_put_u8(out, '0');
	end = digits + strspn(digits, "0123456789");
	bytes_put(out, digits, (size_t) (end - digits));
	if (*end == '.' && is_digit(end[1]))
	{
		size_t		n = 1 + strspn(end + 1, "0123456789");

		bytes_put(out, end, n);
		end += n;
	}
	else if (*end == '.')
	{
		/* 1. is a float: it stays one */
		bytes_put(out, ".0", 2);
		end++;
	}
	bytes_put(out, end, strlen(end));
}

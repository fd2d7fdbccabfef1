/*
 * infer.c
 *	  The types that texts allow, and the narrowest one of all values of a
 *	  column.
 *
 * What is taken for a value of a type is what the server reads as one under
 * every setting, and a little less, where a text would come back as another:
 *
 *	  boolean		true and false in any case, t and f
 *	  bigint		digits without a leading zero or plus, which are codes
 *	  numbers		the same with a fraction or an exponent; nan, inf, infinity
 *					in any case if the column has other numbers
 *	  date			YYYY-MM-DD, a day that exists
 *	  timestamp		a date, a T or blank, HH:MM, :SS and a fraction if need be
 *	  timestamptz	that and Z, UTC or an offset
 *
 * A number with a fraction is a double if the double nearest to it is written
 * with the same digits; a column of which every value is one is double
 * precision, else numeric, which keeps all digits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "csv/csv.h"

#define MAX_DIGITS 1000			/* more in a number, or a larger exponent, is a text */
#define DOUBLE_DIGITS 15		/* so many are kept by every double */
#define DOUBLE_MAX_DIGITS 17	/* as many as a double is ever written with */
#define DOUBLE_MIN_EXPONENT (-306)
#define DOUBLE_MAX_EXPONENT 307
#define MAX_EXACT_INTEGER (INT64_C(1) << 53)

typedef struct Column
{
	CsvType		type;			/* of the values so far; CSV_DOUBLE: any numbers */
	bool		skipped;
	bool		finite;			/* a number other than nan and infinity was there */
	bool		inexact;		/* one that is no double was */
} Column;

struct CsvTypes
{
	const Host *host;
	const CsvNulls *nulls;
	size_t		n_columns;
	Column		columns[];
};

const char *
csv_type_name(CsvType type)
{
	switch (type)
	{
		case CSV_BOOLEAN:
			return "boolean";
		case CSV_BIGINT:
			return "bigint";
		case CSV_NUMERIC:
			return "numeric";
		case CSV_DOUBLE:
			return "double precision";
		case CSV_DATE:
			return "date";
		case CSV_TIMESTAMP:
			return "timestamp without time zone";
		case CSV_TIMESTAMPTZ:
			return "timestamp with time zone";
		case CSV_UNKNOWN:
		case CSV_TEXT:
			break;
	}
	return "text";
}

/* --------------------------------------------------------------- values -- */

static inline bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Is the text this word, in any case?  The word is in lower case. */
static bool
is_word(const char *text, size_t n_bytes, const char *word)
{
	size_t		i;

	for (i = 0; i < n_bytes && word[i] != '\0'; i++)
	{
		char		byte = text[i];

		if (byte >= 'A' && byte <= 'Z')
			byte = (char) (byte - 'A' + 'a');
		if (byte != word[i])
			return false;
	}
	return i == n_bytes && word[i] == '\0';
}

static bool
is_boolean(const char *text, size_t n_bytes)
{
	if (n_bytes == 1)
		return *text == 't' || *text == 'f';
	return is_word(text, n_bytes, "true") || is_word(text, n_bytes, "false");
}

/* nan, inf, infinity, the latter two with a minus sign too. */
static bool
is_special(const char *text, size_t n_bytes)
{
	if (n_bytes > 0 && *text == '-')
	{
		text++;
		n_bytes--;
	}
	else if (is_word(text, n_bytes, "nan"))
		return true;
	return is_word(text, n_bytes, "inf") || is_word(text, n_bytes, "infinity");
}

/* The digits of a number, from the first that is not 0 to the last that is not. */
typedef struct Digits
{
	char		digits[DOUBLE_MAX_DIGITS];	/* the first ones */
	int			n;				/* 0: the number is zero */
	int			n_zeros;		/* that follow, and count only before another digit */
	int			exponent;		/* of ten, of the first digit */
} Digits;

static void
add_digit(Digits *d, char digit)
{
	if (digit == '0')
	{
		if (d->n > 0)
			d->n_zeros++;
		return;
	}
	for (; d->n_zeros > 0; d->n_zeros--)
	{
		if (d->n < DOUBLE_MAX_DIGITS)
			d->digits[d->n] = '0';
		d->n++;
	}
	if (d->n < DOUBLE_MAX_DIGITS)
		d->digits[d->n] = digit;
	d->n++;
}

/* Is the double nearest to these digits written with them? */
static bool
is_double(const Digits *d)
{
	char		given[DOUBLE_MAX_DIGITS + 16];
	char		written[DOUBLE_MAX_DIGITS + 16];
	int			length = 0;

	if (d->n == 0)
		return true;
	if (d->n > DOUBLE_MAX_DIGITS || d->exponent < DOUBLE_MIN_EXPONENT ||
		d->exponent > DOUBLE_MAX_EXPONENT)
		return false;
	if (d->n <= DOUBLE_DIGITS)
		return true;
	given[length++] = d->digits[0];
	given[length++] = '.';
	memcpy(given + length, d->digits + 1, (size_t) d->n - 1);
	length += d->n - 1;
	snprintf(given + length, sizeof(given) - (size_t) length, "e%c%02d",
			 d->exponent < 0 ? '-' : '+', abs(d->exponent));
	snprintf(written, sizeof(written), "%.*e", d->n - 1, strtod(given, NULL));
	return strcmp(given, written) == 0;
}

/* The exponent behind an e, all of the text; false unless it is one of a few digits. */
static bool
read_exponent(const char *text, size_t n_bytes, int *exponent)
{
	bool		negative = n_bytes > 0 && *text == '-';
	int			value = 0;

	if (n_bytes > 0 && (*text == '-' || *text == '+'))
	{
		text++;
		n_bytes--;
	}
	if (n_bytes == 0 || n_bytes > 4)
		return false;
	for (size_t i = 0; i < n_bytes; i++)
	{
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*exponent = negative ? -value : value;
	return value <= MAX_DIGITS;
}

/* A number with a fraction or an exponent, or of more digits than an int8. */
static bool
is_number(const char *text, size_t n_bytes, bool *exact)
{
	Digits		d = {.n = 0};
	int			n_before = 0;	/* digits before the point */
	int			n_leading = 0;	/* zeros before the first other digit */
	int			exponent = 0;
	size_t		i = n_bytes > 0 && *text == '-' ? 1 : 0;
	size_t		begin = i;
	size_t		n_digits;

	if (n_bytes > 2 * MAX_DIGITS)
		return false;
	for (; i < n_bytes && is_digit(text[i]); i++, n_before++)
	{
		n_leading += d.n == 0 && text[i] == '0';
		add_digit(&d, text[i]);
	}
	if (n_before > 1 && text[begin] == '0')
		return false;
	n_digits = (size_t) n_before;
	if (i < n_bytes && text[i] == '.')
	{
		for (i++; i < n_bytes && is_digit(text[i]); i++, n_digits++)
		{
			n_leading += d.n == 0 && text[i] == '0';
			add_digit(&d, text[i]);
		}
	}
	if (n_digits == 0 || n_digits > MAX_DIGITS)
		return false;
	if (i < n_bytes)
	{
		if ((text[i] != 'e' && text[i] != 'E') ||
			!read_exponent(text + i + 1, n_bytes - i - 1, &exponent))
			return false;
	}
	d.exponent = n_before - n_leading - 1 + exponent;
	*exact = is_double(&d);
	return true;
}

/* An int8 without a leading zero or plus. */
static bool
is_integer(const char *text, size_t n_bytes, bool *exact)
{
	bool		negative = n_bytes > 0 && *text == '-';
	uint64_t	value = 0;

	if (negative)
	{
		text++;
		n_bytes--;
	}
	if (n_bytes == 0 || n_bytes > 19 || (n_bytes > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < n_bytes; i++)
	{
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (uint64_t) (text[i] - '0');
	}
	*exact = value <= (uint64_t) MAX_EXACT_INTEGER;
	return value <= (uint64_t) INT64_MAX + (negative ? 1 : 0);
}

/* The number of two digits, or -1. */
static int
two_digits(const char *text)
{
	return is_digit(text[0]) && is_digit(text[1]) ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

/* The ten bytes of a day that exists. */
static bool
is_day(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			century = two_digits(text);
	int			year = two_digits(text + 2);
	int			month = two_digits(text + 5);
	int			day = two_digits(text + 8);
	bool		leap;

	if (century < 0 || year < 0 || text[4] != '-' || text[7] != '-')
		return false;
	year += century * 100;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year == 0 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && leap);
}

/* An offset: +HH, +HHMM or +HH:MM, or minus. */
static bool
is_offset(const char *text, size_t n_bytes)
{
	int			minutes = 0;
	int			hours;

	if (n_bytes < 3 || (*text != '+' && *text != '-'))
		return false;
	hours = two_digits(text + 1);
	if (n_bytes == 5)
		minutes = two_digits(text + 3);
	else if (n_bytes == 6 && text[3] == ':')
		minutes = two_digits(text + 4);
	else if (n_bytes != 3)
		return false;
	return hours >= 0 && hours <= 15 && minutes >= 0 && minutes <= 59;
}

/* The time behind a day: the type of both, CSV_TEXT if it is none. */
static CsvType
type_of_time(const char *text, size_t n_bytes)
{
	size_t		i = 5;
	int			hour;
	int			minute;

	if (n_bytes < 5 || text[2] != ':')
		return CSV_TEXT;
	hour = two_digits(text);
	minute = two_digits(text + 3);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return CSV_TEXT;
	if (n_bytes >= 8 && text[5] == ':')
	{
		int			second = two_digits(text + 6);

		if (second < 0 || second > 59)
			return CSV_TEXT;
		i = 8;
		if (n_bytes > 9 && text[8] == '.' && is_digit(text[9]))
		{
			for (i = 9; i < n_bytes && i < 18 && is_digit(text[i]); i++)
				;
		}
	}
	if (i == n_bytes)
		return CSV_TIMESTAMP;
	if ((n_bytes - i == 1 && text[i] == 'Z') ||
		(n_bytes - i == 4 && memcmp(text + i, " UTC", 4) == 0) ||
		is_offset(text + i, n_bytes - i))
		return CSV_TIMESTAMPTZ;
	return CSV_TEXT;
}

CsvType
csv_type_of(const char *text, size_t n_bytes, bool *exact)
{
	char		first = n_bytes > 0 ? *text : '\0';

	*exact = true;
	if (is_digit(first) || first == '-' || first == '.')
	{
		if (n_bytes >= 10 && text[4] == '-' && is_day(text))
		{
			if (n_bytes == 10)
				return CSV_DATE;
			return text[10] == ' ' || text[10] == 'T' ?
				type_of_time(text + 11, n_bytes - 11) : CSV_TEXT;
		}
		if (is_integer(text, n_bytes, exact))
			return CSV_BIGINT;
		if (is_number(text, n_bytes, exact))
			return CSV_DOUBLE;
	}
	else if (n_bytes <= 5 && is_boolean(text, n_bytes))
		return CSV_BOOLEAN;
	return CSV_TEXT;
}

/* -------------------------------------------------------------- columns -- */

Status
csv_types_new(const Host *host, size_t n_columns, const CsvNulls *nulls, CsvTypes **out,
			  Failure *why)
{
	size_t		n_bytes = sizeof(CsvTypes) + n_columns * sizeof(Column);
	Status		status = memory_new(host, n_bytes, 1, out, why);

	if (status != STATUS_OK)
		return status;
	(*out)->host = host;
	(*out)->nulls = nulls;
	(*out)->n_columns = n_columns;
	return STATUS_OK;
}

void
csv_types_free(CsvTypes *types)
{
	if (types != NULL)
		memory_free(types->host, types,
					sizeof(CsvTypes) + types->n_columns * sizeof(Column), 1);
}

void
csv_types_skip(CsvTypes *types, size_t column)
{
	types->columns[column].skipped = true;
}

static inline bool
is_numeric(CsvType type)
{
	return type == CSV_BIGINT || type == CSV_DOUBLE;
}

/* The type of values of both types. */
static CsvType
common_type(CsvType a, CsvType b)
{
	if (a == b || b == CSV_UNKNOWN)
		return a;
	if (a == CSV_UNKNOWN)
		return b;
	if (is_numeric(a) && is_numeric(b))
		return CSV_DOUBLE;
	if ((a == CSV_DATE && b == CSV_TIMESTAMP) || (a == CSV_TIMESTAMP && b == CSV_DATE))
		return CSV_TIMESTAMP;
	return CSV_TEXT;
}

/* Take in one value, which is not NULL. */
static void
add_value(Column *column, const CsvField *field)
{
	bool		exact;
	CsvType		type = csv_type_of(field->text, field->n_bytes, &exact);

	if (type == CSV_TEXT && (column->type == CSV_UNKNOWN || is_numeric(column->type)) &&
		is_special(field->text, field->n_bytes))
		type = CSV_DOUBLE;
	else if (is_numeric(type))
	{
		column->finite = true;
		column->inexact |= !exact;
	}
	column->type = common_type(column->type, type);
}

void
csv_types_add(CsvTypes *types, const CsvRecord *record)
{
	for (size_t i = 0; i < types->n_columns; i++)
	{
		Column	   *column = &types->columns[i];
		CsvField	field;

		if (column->type == CSV_TEXT || column->skipped)
			continue;
		field = csv_trimmed(&record->fields[i]);
		if (!csv_is_null_text(types->nulls, field.text, field.n_bytes))
			add_value(column, &field);
	}
}

CsvType
csv_types_get(const CsvTypes *types, size_t column)
{
	const Column *c = &types->columns[column];

	if (c->type == CSV_DOUBLE && !c->finite)
		return CSV_TEXT;
	if (c->type == CSV_DOUBLE && c->inexact)
		return CSV_NUMERIC;
	return c->type == CSV_UNKNOWN ? CSV_TEXT : c->type;
}

/*
 * strftime.c
 *	  Whether a text is a point in time written in a format of strftime: what
 *	  Python's strptime() would read, with English names.
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

PG_FUNCTION_INFO_V1(churnops_matches_strftime);

/* Where we are in the text, and the date so far. */
typedef struct Scan
{
	const char *at;
	int			year;
	int			month;			/* 0: not given, as the day */
	int			day;
} Scan;

/* A number of at most `digits` digits from low to high, as many digits as fit. */
static bool
scan_number(Scan *s, int digits, int low, int high, int *out)
{
	int			value = 0;
	int			n = 0;

	while (n < digits && isdigit((unsigned char) s->at[n]) && value * 10 + s->at[n] - '0' <= high)
		value = value * 10 + s->at[n++] - '0';
	s->at += n;
	*out = value;
	return n > 0 && value >= low;
}

/* Exactly so many digits. */
static bool
scan_digits(Scan *s, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++, s->at++)
	{
		if (!isdigit((unsigned char) *s->at))
			return false;
		*out = *out * 10 + *s->at - '0';
	}
	return true;
}

/* One of some names, the whole or the first three letters; *out is its number from 1. */
static bool
scan_name(Scan *s, const char *const *names, bool whole, int *out)
{
	for (int i = 0; names[i] != NULL; i++)
	{
		size_t		n = whole ? strlen(names[i]) : 3;

		if (pg_strncasecmp(s->at, names[i], n) != 0)
			continue;
		s->at += n;
		*out = i + 1;
		return true;
	}
	return false;
}

/* An offset from UTC: Z, +hhmm or +hh:mm, with seconds maybe. */
static bool
scan_offset(Scan *s)
{
	int			part;

	if (*s->at == 'Z' || *s->at == 'z')
	{
		s->at++;
		return true;
	}
	if (*s->at != '+' && *s->at != '-')
		return false;
	s->at++;
	if (!scan_digits(s, 2, &part))
		return false;
	s->at += *s->at == ':';
	if (!scan_digits(s, 2, &part) || part > 59)
		return false;
	if (*s->at == ':' && isdigit((unsigned char) s->at[1]))
	{
		s->at++;
		return scan_digits(s, 2, &part) && part <= 59;
	}
	return true;
}

/* The letters of a time zone. */
static bool
scan_zone(Scan *s)
{
	const char *begin = s->at;

	while (isalpha((unsigned char) *s->at))
		s->at++;
	return s->at > begin;
}

/* One directive of the format. */
static bool
scan_directive(Scan *s, char directive)
{
	static const char *const half_days[] = {"AM ", "PM ", NULL};
	int			part;

	switch (directive)
	{
		case 'Y':
			return scan_digits(s, 4, &s->year);
		case 'y':
			if (!scan_digits(s, 2, &part))
				return false;
			s->year = part + (part < 69 ? 2000 : 1900);
			return true;
		case 'm':
			return scan_number(s, 2, 1, 12, &s->month);
		case 'b':
		case 'h':
			return scan_name(s, months, false, &s->month);
		case 'B':
			{
				static const char *const names[] = {
					"January", "February", "March", "April", "May", "June", "July", "August",
					"September", "October", "November", "December", NULL
				};

				return scan_name(s, names, true, &s->month);
			}
		case 'd':
			return scan_number(s, 2, 1, 31, &s->day);
		case 'a':
			return scan_name(s, days, false, &part);
		case 'A':
			return scan_name(s, days, true, &part);
		case 'H':
			return scan_number(s, 2, 0, 23, &part);
		case 'I':
			return scan_number(s, 2, 1, 12, &part);
		case 'p':
			if (pg_strncasecmp(s->at, half_days[0], 2) != 0 &&
				pg_strncasecmp(s->at, half_days[1], 2) != 0)
				return false;
			s->at += 2;
			return true;
		case 'M':
			return scan_number(s, 2, 0, 59, &part);
		case 'S':
			return scan_number(s, 2, 0, 61, &part);
		case 'f':
			return scan_number(s, 6, 0, 999999, &part);
		case 'j':
			return scan_number(s, 3, 1, 366, &part);
		case 'z':
			return scan_offset(s);
		case 'Z':
			return scan_zone(s);
		case '%':
			return *s->at++ == '%';
	}
	return false;
}

/* Refuse what is no format. */
static void
check_format(const char *format)
{
	for (const char *f = strchr(format, '%'); f != NULL; f = strchr(f + 2, '%'))
	{
		if (f[1] == '\0' || strchr("YymbBhdaAHIpMSfjzZ%", f[1]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("strftime_format \"%s\" has an unknown directive, \"%.2s\"", format, f),
					 errhint("Known are %%Y %%y %%m %%b %%B %%d %%j %%a %%A %%H %%I %%p %%M %%S %%f "
							 "%%z %%Z and %%%%.")));
	}
}

/* Does the date exist?  A leap year if no year is given. */
static bool
is_date(const Scan *s)
{
	return s->month == 0 || s->day == 0 ||
		s->day <= day_tab[isleap(s->year)][s->month - 1];
}

static bool
matches(const char *text, const char *format)
{
	Scan		s = {.at = text, .year = 2000};

	for (; *format != '\0'; format++)
	{
		if (*format == '%')
		{
			if (!scan_directive(&s, *++format))
				return false;
		}
		else if (isspace((unsigned char) *format))
		{
			if (!isspace((unsigned char) *s.at))
				return false;
			while (isspace((unsigned char) *s.at))
				s.at++;
		}
		else if (pg_tolower((unsigned char) *format) != pg_tolower((unsigned char) *s.at++))
			return false;
	}
	return *s.at == '\0' && is_date(&s);
}

/* churnops.matches_strftime(value, format) */
Datum
churnops_matches_strftime(PG_FUNCTION_ARGS)
{
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *format = text_to_cstring(PG_GETARG_TEXT_PP(1));

	check_format(format);
	PG_RETURN_BOOL(matches(value, format));
}

/*
 * nearest.c
 *	  The nearest of known names.
 */
#include "core/nearest.h"

#include <string.h>

/* Names longer than this are near to none. */
#define NEAR_NAME_BYTES 64

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Edits from a to b, neither of which is long. */
static int
edit_distance(const char *a, const char *b)
{
	int			row[NEAR_NAME_BYTES + 1];
	int			n = (int) strlen(b);

	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; a[i - 1] != '\0'; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= n; j++)
		{
			int			best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

const char *
nearest_name(const char *name, NearestNames known, const void *names)
{
	const char *nearest = NULL;
	size_t		n = strlen(name);
	int			best = n < 4 ? 1 : (int) (n / 3);
	const char *other;

	if (n > NEAR_NAME_BYTES)
		return NULL;
	for (size_t i = 0; (other = known(names, i)) != NULL; i++)
	{
		int			distance;

		if (strlen(other) > NEAR_NAME_BYTES)
			continue;
		distance = edit_distance(name, other);
		if (distance < best || (distance == best && nearest == NULL))
		{
			best = distance;
			nearest = other;
		}
	}
	return nearest;
}

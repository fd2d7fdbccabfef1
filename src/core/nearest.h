/*
 * nearest.h
 *	  "Did you mean …?": the known name that is nearest to a wrong one.
 */
#ifndef CHURNOPS_CORE_NEAREST_H
#define CHURNOPS_CORE_NEAREST_H

#include <stddef.h>

/* Asks for the i-th known name; NULL behind the last one. */
typedef const char *(*NearestNames) (const void *names, size_t i);

/*
 * The known name with the fewest edits (insert, delete, replace; upper case
 * equal to lower), the first of equals; NULL if more than a third of the
 * letters differ.
 */
extern const char *nearest_name(const char *name, NearestNames known, const void *names);

#endif

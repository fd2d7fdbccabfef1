/*
 * checks.h
 *	  What in the data of a training is worth a second look, in words.
 */
#ifndef CHURNOPS_PG_CHECKS_H
#define CHURNOPS_PG_CHECKS_H

#include "lib/stringinfo.h"

#include "pg/train.h"

/*
 * Write the member `checks`, an array of objects, and a text into the array
 * of warnings for each that is a warning or an error.  The score is that out
 * of bag, NAN without one.
 */
extern void checks_write(Training *t, double oob_score, StringInfo out, StringInfo warnings);

#endif

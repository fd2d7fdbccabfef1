/*
 * notice.h
 *	  What a training tells its user about the data.
 */
#ifndef CHURNOPS_PG_NOTICE_H
#define CHURNOPS_PG_NOTICE_H

#include "pg/train.h"

/* About the rows: how the target was read, what was left out, what is positive. */
extern void notice_rows(const Training *t, bool zero_one);

/* About the columns: which were dropped, which look like identifiers. */
extern void notice_columns(const Training *t);

#endif

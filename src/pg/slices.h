/*
 * slices.h
 *	  The columns that rows of an exam are told apart by.  Private to exam.c and
 *	  slices.c.
 */
#ifndef CHURNOPS_PG_SLICES_H
#define CHURNOPS_PG_SLICES_H

#include "pg/exam.h"

/* Find the columns of these names; 42703 if one is not there. */
extern void slices_find(Exam *e, List *names, TupleDesc columns);

/* Take the value of a row, for which there is room. */
extern void slices_take(Exam *e, ExamSlice *slice, Size row, TupleTableSlot *slot);

/* After the last row: numbers into codes. */
extern void slices_finish(Exam *e);

#endif

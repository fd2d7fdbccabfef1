/*
 * columns.h
 *	  What each column of a training query is for.
 */
#ifndef CHURNOPS_PG_COLUMNS_H
#define CHURNOPS_PG_COLUMNS_H

#include "pg/dataset.h"
#include "pg/train.h"

/*
 * Give the columns of a query their roles, as the arguments say, and decide
 * how the target is read: fills the first part of the Dataset.  Refuses
 * duplicate names, names that are not in the query, columns with two roles,
 * features of unsupported types, and targets, weights and times that are none
 * by their type.
 */
extern void columns_assign(const TrainRequest *request, TupleDesc columns, Dataset *out);

/*
 * Columns and key of a query that is registered as a dataset; types are spelled
 * with their schema unless that is pg_catalog.  Refuses no columns, duplicate
 * names, and key columns that are not there or named twice.
 */
extern void columns_survey(TupleDesc columns, List *key, Dataset *out);

#endif

/*
 * measure.h
 *	  What a training is worth: metrics of the holdout and out of bag, and
 *	  permutation importances.
 */
#ifndef CHURNOPS_PG_MEASURE_H
#define CHURNOPS_PG_MEASURE_H

#include "pg/train.h"

/* Fill metrics, permutation and permutation_sd of a training that has a model. */
extern void measure_training(Training *t);

#endif

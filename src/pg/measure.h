/*
 * measure.h
 *	  What a training is worth: metrics of the holdout and out of bag, and
 *	  permutation importances.
 */
#ifndef CHURNOPS_PG_MEASURE_H
#define CHURNOPS_PG_MEASURE_H

#include "metric/metric.h"
#include "pg/train.h"

/* Fill metrics, permutation and permutation_sd of a training that has a model. */
extern void measure_training(Training *t);

/*
 * All metrics of scores of the training's rows, with memory of a host.  With two
 * classes the outputs become the probabilities of the positive one.
 */
extern void measure_report(const Training *t, PgHost *pg_host, ForestScores *scores,
						   MetricReport *report);

#endif

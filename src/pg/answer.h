/*
 * answer.h
 *	  From a model's outputs to what users see: a probability, a class, both,
 *	  or a number.
 */
#ifndef CHURNOPS_PG_ANSWER_H
#define CHURNOPS_PG_ANSWER_H

#include "pg/cache.h"

/* How to read the outputs of one version. */
typedef struct Answer
{
	const ForestModel *forest;
	ForestTask	task;
	int			n_outputs;		/* doubles per row */
	int			n_classes;		/* 0 for regression */
	int			positive;		/* class index; -1 when there is none */
} Answer;

extern void answer_init(Answer *answer, const CachedModel *model, const Resolved *version);

/* Is there one number that a row is answered with? */
extern bool answer_has_number(const Answer *answer);

/* P(positive class), or the value of a regression (only if answer_has_number). */
extern double answer_number(const Answer *answer, const double *outputs);

/*
 * The predicted class of a classification: of two the positive one from 0.5
 * on, of more the most probable, ties to the first.
 */
extern int	answer_class(const Answer *answer, const double *outputs);

/* A class's label as a text datum, in the current memory context. */
extern Datum answer_label(const Answer *answer, int class_index);

/* {label: probability, ...} of a classification, as jsonb. */
extern Datum answer_probabilities(const Answer *answer, const double *outputs);

#endif

/*
 * calibration.h
 *	  The parameter "calibration" of a training.
 */
#ifndef CHURNOPS_PG_CALIBRATION_H
#define CHURNOPS_PG_CALIBRATION_H

#include "pg/train.h"

/* Fewer rows than this are few for an isotonic regression. */
#define CALIBRATION_FEW_ROWS 1000
/* Parts of the rows for metrics of calibrated out-of-bag scores. */
#define CALIBRATION_FOLDS 5

/*
 * Fit what the parameters ask for to the out-of-bag scores of a training that
 * has its model, and make artifact, digest and model anew with it.
 */
extern void calibrate_training(Training *t);

/*
 * Maps of such a calibration, fitted to out-of-bag scores, in the current
 * memory context; 22023 if there are none.
 */
extern ForestCalibration *calibration_fit(PgHost *host, ForestCalibrationKind kind,
										  const ForestScores *scores);

/*
 * Calibrate out-of-bag scores, each by maps that were fitted on the other
 * parts of the rows; false, and scores as they were, if there are too few.
 */
extern bool calibrate_scores(PgHost *host, ForestCalibrationKind kind, ForestScores *scores);

#endif

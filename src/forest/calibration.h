/*
 * calibration.h
 *	  The calibration of a model: its section of the artifact.  Private to
 *	  src/forest.
 */
#ifndef CHURNOPS_FOREST_CALIBRATION_H
#define CHURNOPS_FOREST_CALIBRATION_H

#include "forest/artifact.h"
#include "forest/model.h"

/* Read the section into a model that has its schema; everything is checked. */
extern Status calibration_get(ByteReader *r, ForestModel *model, Failure *why);

/* NULL is none. */
extern void calibration_free(const Host *host, ForestCalibration *calibration);
extern size_t calibration_bytes(const ForestCalibration *calibration);

#endif

/*
 * internal.h
 *	  What the detectors share.  Private to src/drift.
 */
#ifndef CHURNOPS_DRIFT_INTERNAL_H
#define CHURNOPS_DRIFT_INTERNAL_H

#include "drift/drift.h"

/* ADWIN's part of a detector. */
extern void adwin_reset(DriftDetector *detector);
extern DriftSignal adwin_add(DriftDetector *detector, double x);

#endif

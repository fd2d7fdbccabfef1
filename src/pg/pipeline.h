/*
 * pipeline.h
 *	  Runs of pipelines as C sees them.
 */
#ifndef CHURNOPS_PG_PIPELINE_H
#define CHURNOPS_PG_PIPELINE_H

#include "utils/jsonb.h"

/*
 * The number of the pipeline run on whose behalf something is being done; 0
 * if it is the user's own call.  A version that is registered meanwhile is
 * pending until the gates of the run have decided.
 */
extern int64 pipeline_current_run(void);

/* The rule by which that run chooses the threshold of two classes; NULL: it does not. */
extern Jsonb *pipeline_threshold_rule(void);

#endif

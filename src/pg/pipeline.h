/*
 * pipeline.h
 *	  Runs of pipelines as C sees them.
 */
#ifndef CHURNOPS_PG_PIPELINE_H
#define CHURNOPS_PG_PIPELINE_H

/*
 * The number of the pipeline run on whose behalf something is being done; 0
 * if it is the user's own call.  A version that is registered meanwhile is
 * pending until the gates of the run have decided.
 */
extern int64 pipeline_current_run(void);

#endif

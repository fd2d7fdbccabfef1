/*
 * guc.h
 *	  Settings churnops.*
 */
#ifndef CHURNOPS_PG_GUC_H
#define CHURNOPS_PG_GUC_H

extern int	guc_alert_cooldown;		/* seconds between notifications of one alert */
extern int	guc_cache_size;			/* kB: decoded models of one backend */
extern char *guc_code_version;		/* recorded with each version; '' is none */
extern int	guc_exact_count_size;
extern int	guc_instruction_set;	/* CpuLevel: the most that may be used */
extern bool guc_log_features;		/* the prediction log keeps the rows */
extern int	guc_log_retention;		/* minutes; -1: for ever */
extern bool guc_progress;			/* NOTICE every 5 s of a training */
extern bool guc_require_approval;	/* of new models */
extern int	guc_training_memory;	/* kB: one training, workers included */

extern void guc_init(void);

#endif

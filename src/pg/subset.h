/*
 * subset.h
 *	  Measuring rows of an exam, all or some, with confidence intervals.
 */
#ifndef CHURNOPS_PG_SUBSET_H
#define CHURNOPS_PG_SUBSET_H

#include "metric/metric.h"
#include "pg/exam.h"

/* Fewer rows than this say little. */
#define SUBSET_SMALL 30

/* How sure, and by which draws. */
typedef struct SubsetOptions
{
	bool		intervals;		/* are they wanted? */
	double		confidence;
	int32		n_resamples;
	int32		seed;
} SubsetOptions;

/* Check the arguments confidence, n_bootstrap and seed. */
extern void subset_check_options(const SubsetOptions *options);

/* Rows of an exam, ready to be measured, as one version predicts them. */
typedef struct SubsetView
{
	MetricRows	rows;
	uint32	   *predicted;		/* class per row; NULL for a regression */
} SubsetView;

/* Some rows of an exam, in its order; everything lives in a context of its own. */
typedef struct Subset
{
	Exam	   *exam;
	MemoryContext context;
	PgHost		host;
	Size		n;
	uint32	   *labels;			/* class indexes, n_classes for unknown ones; NULL: regression */
	const double *weight;		/* or NULL */
	uint32	   *cluster;		/* below n_clusters; or NULL: rows are independent */
	uint32		n_clusters;
	SubsetView	view[EXAM_VERSIONS];
} Subset;

/* All rows of the exam, or the n that `chosen` names, ascending. */
extern Subset *subset_new(Exam *e, const uint32 *chosen, Size n);
extern void subset_free(Subset *s);

/* Where an interval or a p-value comes from. */
typedef enum SubsetMethod
{
	SUBSET_NONE,
	SUBSET_WILSON,
	SUBSET_DELONG,
	SUBSET_BOOTSTRAP,
	SUBSET_CLUSTER_BOOTSTRAP
} SubsetMethod;

extern const char *subset_method_name(SubsetMethod method);

/* Of a class: the values per class of a measurement. */
typedef enum SubsetClassValue
{
	CLASS_PRECISION,
	CLASS_RECALL,
	CLASS_F1,
	CLASS_VALUES
} SubsetClassValue;

typedef struct SubsetValue
{
	double		value;			/* NAN where undefined */
	double		low;			/* NAN without an interval */
	double		high;
	SubsetMethod method;
	uint32		n_used;			/* resamples that counted; 0 for other methods */
} SubsetValue;

typedef struct SubsetReport
{
	uint32_t	applies;		/* bit per metric */
	SubsetValue metric[METRIC_COUNT];
	SubsetValue *classes;		/* n_classes × CLASS_VALUES; NULL for a regression */
	double	   *support;		/* n_classes */
} SubsetReport;

/* Everything about the first version's predictions; in the current memory context. */
extern void subset_measure(Subset *s, const SubsetOptions *options, SubsetReport *out);

/* One metric report of a view under other weights (NULL: its own). */
extern Status subset_view_report(const Subset *s, int version, const double *weight,
								 MetricReport *out, Failure *why);

/* The bootstrap of this subset, without strata. */
extern MetricBootstrap subset_bootstrap(const Subset *s, const SubsetOptions *options);

/* Raise what a pure library returned, memory of the subset counted. */
extern void subset_check(const Subset *s, Status status, const Failure *why);

#endif

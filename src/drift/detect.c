/*
 * detect.c
 *	  Detectors of a change in a stream of errors or losses (algorithms G7).
 *
 * Each keeps a few numbers.  After a change a detector begins anew with the
 * next value; what it had learnt belongs to the time before.
 */
#include "drift/internal.h"

#include <math.h>
#include <string.h>

#include "core/real.h"

/* DDM knows nothing of a rate before it has seen as many errors. */
#define DDM_LEAST_ERRORS 5

static void
mean_add(DriftMean *mean, double x)
{
	mean->n++;
	mean->mean += (x - mean->mean) / mean->n;
}

DriftDetectorOptions
drift_detector_defaults(DriftDetectorKind kind)
{
	DriftDetectorOptions o = {0, 0, 0, 0, 0, 0};

	switch (kind)
	{
		case DRIFT_ADWIN:
			o.delta = 0.002;
			break;
		case DRIFT_DDM:
			o.warning = 2;
			o.change = 3;
			o.warm_up = 30;
			break;
		case DRIFT_EDDM:
			o.warning = 0.95;
			o.change = 0.9;
			o.warm_up = 30;
			break;
		case DRIFT_PAGE_HINKLEY:
			o.delta = 0.005;
			o.threshold = 50;
			o.forgetting = 0.9999;
			o.warm_up = 30;
			break;
		case DRIFT_HDDM_A:
			o.warning = 0.005;
			o.change = 0.001;
			break;
		case DRIFT_HDDM_W:
			o.warning = 0.005;
			o.change = 0.001;
			o.forgetting = 0.05;
			break;
	}
	return o;
}

/* --------------------------------------------------------------- DDM -- */

static DriftSignal
ddm_add(DriftDetector *d, double x)
{
	double		p;
	double		s;

	mean_add(&d->state.ddm.p, x);
	d->state.ddm.n_errors += x > 0;
	p = d->state.ddm.p.mean;
	s = sqrt(fmax(0, p * (1 - p)) / d->state.ddm.p.n);
	if (d->state.ddm.p.n <= d->options.warm_up)
		return DRIFT_STABLE;
	if (p + s <= d->state.ddm.least)
	{
		d->state.ddm.least_p = p;
		d->state.ddm.least_s = s;
		d->state.ddm.least = p + s;
	}
	if (d->state.ddm.n_errors < DDM_LEAST_ERRORS)
		return DRIFT_STABLE;
	if (p + s > d->state.ddm.least_p + d->options.change * d->state.ddm.least_s)
		return DRIFT_CHANGE;
	if (p + s > d->state.ddm.least_p + d->options.warning * d->state.ddm.least_s)
		return DRIFT_WARNING;
	return DRIFT_STABLE;
}

/* -------------------------------------------------------------- EDDM -- */

static DriftSignal
eddm_add(DriftDetector *d, double x)
{
	double		distance;
	double		off;
	double		level;
	int64_t		n_errors;

	d->state.eddm.n++;
	if (!(x > 0))
		return d->signal == DRIFT_WARNING ? DRIFT_WARNING : DRIFT_STABLE;

	n_errors = ++d->state.eddm.n_errors;
	distance = (double) (d->state.eddm.n - d->state.eddm.last_error);
	d->state.eddm.last_error = d->state.eddm.n;
	off = distance - d->state.eddm.mean;
	d->state.eddm.mean += off / (double) n_errors;
	d->state.eddm.squares += off * (distance - d->state.eddm.mean);
	if (d->state.eddm.n <= d->options.warm_up)
		return DRIFT_STABLE;

	level = d->state.eddm.mean;
	if (n_errors > 1)
		level += 2 * sqrt(fmax(0, d->state.eddm.squares) / (double) (n_errors - 1));
	if (level > d->state.eddm.best)
	{
		d->state.eddm.best = level;
		return d->signal == DRIFT_WARNING ? DRIFT_WARNING : DRIFT_STABLE;
	}
	if (n_errors <= d->options.warm_up)
		return DRIFT_STABLE;
	if (level / d->state.eddm.best < d->options.change)
		return DRIFT_CHANGE;
	return level / d->state.eddm.best < d->options.warning ? DRIFT_WARNING : DRIFT_STABLE;
}

/* ------------------------------------------------------ Page-Hinkley -- */

static DriftSignal
page_hinkley_add(DriftDetector *d, double x)
{
	double		forgetting = d->options.forgetting;
	double		off;

	mean_add(&d->state.page_hinkley.x, x);
	off = x - d->state.page_hinkley.x.mean;
	d->state.page_hinkley.up = forgetting * d->state.page_hinkley.up + off - d->options.delta;
	d->state.page_hinkley.down = forgetting * d->state.page_hinkley.down + off + d->options.delta;
	d->state.page_hinkley.least_up =
		fmin(d->state.page_hinkley.least_up, d->state.page_hinkley.up);
	d->state.page_hinkley.most_down =
		fmax(d->state.page_hinkley.most_down, d->state.page_hinkley.down);
	if (d->state.page_hinkley.x.n < d->options.warm_up)
		return DRIFT_STABLE;
	return d->state.page_hinkley.up - d->state.page_hinkley.least_up > d->options.threshold ||
		d->state.page_hinkley.most_down - d->state.page_hinkley.down > d->options.threshold ?
		DRIFT_CHANGE : DRIFT_STABLE;
}

/* -------------------------------------------------------------- HDDM -- */

static double
hoeffding_bound(double n, double confidence)
{
	return sqrt(real_log(1 / confidence) / (2 * n));
}

static bool
hddm_a_exceeds(const DriftDetector *d, double confidence)
{
	const DriftMean *all = &d->state.hddm_a.all;
	const DriftMean *cut = &d->state.hddm_a.cut;
	double		m = (all->n - cut->n) / (cut->n * all->n);

	return all->n > cut->n &&
		all->mean - cut->mean >= sqrt(m / 2 * real_log(2 / confidence));
}

static DriftSignal
hddm_a_add(DriftDetector *d, double x)
{
	const DriftMean *all = &d->state.hddm_a.all;
	DriftMean  *cut = &d->state.hddm_a.cut;

	mean_add(&d->state.hddm_a.all, x);
	if (cut->n == 0 || cut->mean + hoeffding_bound(cut->n, d->options.change) >=
		all->mean + hoeffding_bound(all->n, d->options.change))
		*cut = *all;
	if (hddm_a_exceeds(d, d->options.change))
		return DRIFT_CHANGE;
	return hddm_a_exceeds(d, d->options.warning) ? DRIFT_WARNING : DRIFT_STABLE;
}

/* An exponentially weighted mean, with the sum of its squared weights. */
static void
weighted_add(DriftMean *mean, double x, double weight)
{
	mean->mean = mean->n == 0 ? x : weight * x + (1 - weight) * mean->mean;
	mean->bound = weight * weight + (1 - weight) * (1 - weight) * mean->bound;
	mean->n++;
}

static double
mcdiarmid_bound(double bound, double confidence)
{
	return sqrt(bound * real_log(1 / confidence) / 2);
}

static bool
hddm_w_exceeds(const DriftDetector *d, double confidence)
{
	const DriftMean *before = &d->state.hddm_w.before;
	const DriftMean *after = &d->state.hddm_w.after;

	return before->n > 0 && after->n > 0 &&
		after->mean - before->mean > mcdiarmid_bound(before->bound + after->bound, confidence);
}

static DriftSignal
hddm_w_add(DriftDetector *d, double x)
{
	const DriftMean none = {0, 0, 1};
	double		level;

	weighted_add(&d->state.hddm_w.all, x, d->options.forgetting);
	level = d->state.hddm_w.all.mean +
		mcdiarmid_bound(d->state.hddm_w.all.bound, d->options.change);
	if (level < d->state.hddm_w.cut)
	{
		d->state.hddm_w.cut = level;
		d->state.hddm_w.before = d->state.hddm_w.all;
		d->state.hddm_w.after = none;
	}
	else
		weighted_add(&d->state.hddm_w.after, x, d->options.forgetting);
	if (hddm_w_exceeds(d, d->options.change))
		return DRIFT_CHANGE;
	return hddm_w_exceeds(d, d->options.warning) ? DRIFT_WARNING : DRIFT_STABLE;
}

/* ------------------------------------------------------------ all of them -- */

static void
reset(DriftDetector *d)
{
	const DriftMean none = {0, 0, 1};

	memset(&d->state, 0, sizeof(d->state));
	switch (d->kind)
	{
		case DRIFT_ADWIN:
			adwin_reset(d);
			break;
		case DRIFT_DDM:
			d->state.ddm.least = INFINITY;
			break;
		case DRIFT_PAGE_HINKLEY:
			d->state.page_hinkley.least_up = INFINITY;
			d->state.page_hinkley.most_down = -1;
			break;
		case DRIFT_HDDM_W:
			d->state.hddm_w.all = d->state.hddm_w.before = d->state.hddm_w.after = none;
			d->state.hddm_w.cut = INFINITY;
			break;
		case DRIFT_EDDM:
		case DRIFT_HDDM_A:
			break;
	}
}

void
drift_detector_init(DriftDetector *d, DriftDetectorKind kind, const DriftDetectorOptions *options)
{
	memset(d, 0, sizeof(*d));
	d->kind = kind;
	d->options = *options;
	reset(d);
}

DriftSignal
drift_detector_add(DriftDetector *d, double x)
{
	if (d->signal == DRIFT_CHANGE)
	{
		d->signal = DRIFT_STABLE;
		reset(d);
	}
	d->n_seen++;
	switch (d->kind)
	{
		case DRIFT_ADWIN:
			d->signal = adwin_add(d, x);
			break;
		case DRIFT_DDM:
			d->signal = ddm_add(d, x);
			break;
		case DRIFT_EDDM:
			d->signal = eddm_add(d, x);
			break;
		case DRIFT_PAGE_HINKLEY:
			d->signal = page_hinkley_add(d, x);
			break;
		case DRIFT_HDDM_A:
			d->signal = hddm_a_add(d, x);
			break;
		case DRIFT_HDDM_W:
			d->signal = hddm_w_add(d, x);
			break;
	}
	d->n_changes += d->signal == DRIFT_CHANGE;
	return d->signal;
}

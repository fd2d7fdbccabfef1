#!/usr/bin/env python3
"""Expected values of test_distance.c, test_samples.c, test_adjust.c and test_detect.c.

Needs SciPy, and for the detectors river (pip install river).  Prints what the
tests hold; run it again when a test gets a new case.
"""
import math

import scipy.stats
from scipy.spatial import distance

MASK = (1 << 64) - 1


def mix(z):
    """splitmix64's output function, as rng_mix64 in src/core/rng.h."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(seed, i):
    return (mix((seed * 0x9E3779B97F4A7C15 + i * 0xD1B54A32D192ED03) & MASK) >> 11) / 2.0**53


def stream(seed, n, change, before, after):
    return [1 if uniform(seed, i) < (before if i < change else after) else 0 for i in range(n)]


def distances():
    reference = [120, 80, 300, 41, 9, 50]
    current = [60, 61, 200, 30, 0, 49]
    p = [x / sum(reference) for x in reference]
    q = [x / sum(current) for x in current]
    print("jensen_shannon", repr(distance.jensenshannon(p, q, 2)))
    print("hellinger", repr(math.sqrt(1 - sum(math.sqrt(a * b) for a, b in zip(p, q)))))
    # the bins of 9 and 0 expect fewer than 5: pooled with the least of the others
    pooled = [[120, 80, 300, 50, 50], [60, 61, 200, 30, 49]]
    print("chi_square", *map(repr, scipy.stats.chi2_contingency(pooled, correction=False)[:3]))
    print("kl", repr(sum(a * math.log(a / (b or 1e-4)) for a, b in zip(p, q))))
    print("goodness of fit", scipy.stats.chi2.sf(36, 9))
    z = (60 / 1200 - 30 / 1000) / math.sqrt(90 / 2200 * (1 - 90 / 2200) * (1 / 1000 + 1 / 1200))
    print("proportions", z, 2 * scipy.stats.norm.sf(z))


def samples():
    for seed, n, m, shift in ((1, 40, 25, 0), (2, 300, 200, 10), (3, 1000, 900, 2), (4, 5000, 3000, 3)):
        a = sorted(math.floor(100 * uniform(seed, i)) for i in range(n))
        b = sorted(math.floor(100 * uniform(seed, n + i)) + shift for i in range(m))
        exact = n * m <= 1e6
        ks = scipy.stats.ks_2samp(a, b, method="exact" if exact else "asymp")
        limit = scipy.stats.kstwobign.sf(ks.statistic * math.sqrt(n * m / (n + m)))
        print("ks", seed, *(repr(float(x)) for x in (ks.statistic, ks.pvalue if exact else limit,
                                                 scipy.stats.wasserstein_distance(a, b))))


def detectors():
    from river import drift
    from river.drift import binary
    for seed, n, change, before, after in ((11, 3000, 1500, .1, .3), (12, 4000, 1000, .2, .25),
                                           (13, 3000, 1500, .5, .1), (14, 2000, 500, .02, .5)):
        for name, detector in (("ADWIN", drift.ADWIN()), ("DDM", binary.DDM()),
                               ("EDDM", binary.EDDM()),
                               ("PAGE_HINKLEY", drift.PageHinkley(threshold=10)),
                               ("HDDM_A", binary.HDDMA()), ("HDDM_W", binary.HDDMW())):
            changes, warnings = [], 0
            for i, x in enumerate(stream(seed, n, change, before, after)):
                detector.update(x)
                if detector.drift_detected:
                    changes.append(i)
                elif getattr(detector, "warning_detected", False):
                    warnings += 1
            print(seed, name, changes, warnings)


if __name__ == "__main__":
    distances()
    samples()
    try:
        detectors()
    except ImportError as problem:
        print("no detectors:", problem)

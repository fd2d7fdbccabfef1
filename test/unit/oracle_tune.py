#!/usr/bin/python3
"""What test_folds.c, test_space.c and test_tpe.c expect, from scikit-learn and SciPy.

Prints C; nothing of it is run by the tests.
"""
import math

import numpy as np
from scipy.stats import norm, truncnorm
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (GroupKFold, HalvingRandomSearchCV, StratifiedGroupKFold,
                                     StratifiedKFold, TimeSeriesSplit)


def print_array(name, values, kind="uint32_t"):
    print(f"static const {kind} {name}[] = {{{', '.join(str(v) for v in values)}}};")


def folds_of(splits, n):
    fold = np.zeros(n, int)
    for i, (_, test) in enumerate(splits):
        fold[test] = i
    return fold


def strata():
    # counts per fold and class: 23, 11, 4 rows of three classes into 4 folds
    y = np.repeat([0, 1, 2], [23, 11, 4])
    fold = folds_of(StratifiedKFold(4).split(y, y), len(y))
    print_array("strata_counts", [int(((fold == f) & (y == k)).sum()) for f in range(4) for k in range(3)])


def groups():
    # sizes and spreads all different, so that no tie depends on an order
    sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    group = np.repeat(np.arange(len(sizes)), sizes)
    fold = folds_of(GroupKFold(4).split(group, group, group), len(group))
    print_array("group_folds", [int(fold[group == g][0]) for g in range(len(sizes))])
    positives = [0, 1, 0, 1, 5, 5, 0, 7, 9, 1, 11, 11]
    y = np.concatenate([np.repeat([1, 0], [p, s - p]) for p, s in zip(positives, sizes)])
    fold = folds_of(StratifiedGroupKFold(4).split(y, y, group), len(group))
    print_array("stratified_group_folds", [int(fold[group == g][0]) for g in range(len(sizes))])


def times():
    for n, k, gap, test, most in ((20, 3, 0, None, None), (23, 4, 2, 3, 6)):
        for train, tested in TimeSeriesSplit(k, gap=gap, test_size=test, max_train_size=most).split(np.zeros(n)):
            print(f"	{{{train[0]}, {train[-1] + 1}, {tested[0]}, {tested[-1] + 1}}},")


def halving():
    x = np.random.RandomState(0).rand(1000, 2)
    y = np.arange(1000) % 2
    for n, factor, minimum, aggressive in ((9, 3, "exhaust", False), (20, 3, "smallest", False), (20, 2, 100, False),
                                           (40, 3, 60, True), (1, 3, "exhaust", False), (100, 4, "exhaust", False)):
        s = HalvingRandomSearchCV(RandomForestClassifier(1, max_depth=1), {"max_features": np.linspace(.1, 1, 1000)},
                                  n_candidates=n, factor=factor, min_resources=minimum, cv=5,
                                  aggressive_elimination=aggressive, random_state=0).fit(x, y)
        print(f"	/* {n}, {factor}, {minimum}, {aggressive} */", list(zip(s.n_candidates_, s.n_resources_)))


def parzen(values, low, high, n_log=False):
    """Means, sigmas and weights of Optuna's Parzen estimator with a prior."""
    n = len(values)
    mus = np.append(values, (low + high) / 2)
    order = np.argsort(mus, kind="stable")
    ends = np.concatenate([[low], mus[order], [high]])
    sigma = np.maximum(ends[1:-1] - ends[:-2], ends[2:] - ends[1:-1])
    if len(ends) >= 4:
        sigma[0] = ends[2] - ends[1]
        sigma[-1] = ends[-2] - ends[-3]
    sigma = sigma[np.argsort(order, kind="stable")]
    sigma = np.clip(sigma, (high - low) / min(100.0, 1.0 + len(mus)), high - low)
    sigma[-1] = high - low
    weights = np.ones(n) if n < 25 else np.concatenate([np.linspace(1 / n, 1, n - 25), np.ones(25)])
    weights = np.append(weights, 1.0)
    return mus, sigma, weights / weights.sum()


def log_density(x, values, low, high, half=0.0, log=False):
    scale = math.log if log else float
    a, b = scale(low - half), scale(high + half)
    mus, sigma, weights = parzen(np.array([scale(v) for v in values]), a, b)
    total = 0.0
    for m, s, w in zip(mus, sigma, weights):
        inside = norm.cdf((b - m) / s) - norm.cdf((a - m) / s)
        if half:
            part = norm.cdf((scale(x + half) - m) / s) - norm.cdf((scale(x - half) - m) / s)
            total += w * part / inside
        else:
            total += w * truncnorm.pdf(scale(x), (a - m) / s, (b - m) / s, loc=m, scale=s)
    return math.log(total)


def tpe():
    below, above = [0.31, 0.35, 0.12], [0.9, 0.05, 0.55, 0.71, 0.33, 0.48, 0.99, 0.6]
    for x in (0.3, 0.02, 0.95):
        print("	float", x, repr(log_density(x, below, 0, 1) - log_density(x, above, 0, 1)))
    below, above = [3, 12], [40, 100, 1, 7, 55, 90, 22, 64]
    for x in (1, 5, 80):
        print("	int log", x, repr(log_density(x, below, 1, 100, .5, True) - log_density(x, above, 1, 100, .5, True)))
    many = [(i * 37 % 101) / 101 for i in range(40)]
    print("	many", repr(log_density(0.4, many[:4], 0, 1) - log_density(0.4, many[4:], 0, 1)))
    below, above, n = [2, 2, 0], [1, 1, 2, 0, 1], 3

    def share(values, k):
        kernels = len(values) + 1
        rows = np.full((kernels, n), 1 / kernels)
        for i, v in enumerate(values):
            rows[i, v] += 1
        rows /= rows.sum(axis=1, keepdims=True)
        return rows[:, k].mean()

    for k in range(n):
        print("	list", k, repr(math.log(share(below, k)) - math.log(share(above, k))))


if __name__ == "__main__":
    for part in (strata, groups, times, halving, tpe):
        print(f"/* {part.__name__} */")
        part()

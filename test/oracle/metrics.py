"""Random cases for the metric aggregates, and scikit-learn's answers.

    metrics.py make FOLDER CASES     rows and metrics.sql, which psql runs in FOLDER
    metrics.py compare FOLDER        what that wrote, against scikit-learn

All cases are in three tables, so that one query with GROUP BY answers each kind.  test/t/080_metrics.pl
runs it with METRIC_CASES cases; with scikit-learn 1.2 (1.5 for quantiles by weight it has none).
"""
import csv
import json
import math
import os
import sys
import warnings

import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve
from sklearn.preprocessing import label_binarize

TOLERANCE = 1e-12
warnings.simplefilter("ignore")

BINARY = """churnops_roc_auc(y, s{w}) churnops_average_precision(y, s{w}) churnops_gini(y, s{w})
churnops_ks(y, s{w}) churnops_log_loss(y, s{w}) churnops_brier(y, s{w}) churnops_brier_skill(y, s{w})
churnops_accuracy(y, s >= 0.5{w}) churnops_balanced_accuracy(y, s >= 0.5{w}) churnops_precision(y, s >= 0.5{w})
churnops_recall(y, s >= 0.5{w}) churnops_specificity(y, s >= 0.5{w}) churnops_f1(y, s >= 0.5{w})
churnops_fbeta(y, s >= 0.5, 2{w}) churnops_mcc(y, s >= 0.5{w}) churnops_cohen_kappa(y, s >= 0.5{w})
churnops_roc_curve(y, s{w}) churnops_precision_recall_curve(y, s{w})
churnops_calibration_curve(y, s) churnops_calibration_curve(y, s, 10, 'uniform')
churnops_calibration_curve(y, s, 10, 'quantile') churnops_calibration_curve(y, s, 4, 'quantile')"""
CLASSES = """churnops_accuracy(y, p{w}) churnops_balanced_accuracy(y, p{w}) churnops_mcc(y, p{w})
churnops_cohen_kappa(y, p{w}) churnops_cohen_kappa(y, p, 'linear'{w}) churnops_cohen_kappa(y, p, 'quadratic'{w})
churnops_confusion(y, p{w})
""" + "\n".join(f"churnops_{name}(y, p{beta}, '{average}'{{w}})"
                for name, beta in (("precision", ""), ("recall", ""), ("f1", ""), ("fbeta", ", 0.5"))
                for average in ("macro", "weighted", "micro")) + """
churnops_log_loss(y, proba{w}) churnops_brier(y, proba{w}) churnops_roc_auc(y, proba{w})
churnops_roc_auc(y, proba, 'weighted'{w}) churnops_average_precision(y, proba{w})
churnops_average_precision(y, proba, 'weighted'{w})"""
NUMBERS = """churnops_mse(t, x{w}) churnops_rmse(t, x{w}) churnops_mae(t, x{w}) churnops_median_ae(t, x{w})
churnops_r2(t, x{w}) churnops_mape(t, x{w}) churnops_smape(t, x{w}) churnops_wape(t, x{w}) churnops_msle(t, x{w})
churnops_rmsle(t, x{w}) churnops_poisson_deviance(t, x{w}) churnops_pinball(t, x, 0.3{w})"""


def calls(text, weighted):
    """The calls of a list, split where one ends."""
    weight = ", w" if weighted else ""
    return [c + ")" for c in text.replace("{w}", weight).replace("\n", " ").replace(") churnops", ")|churnops")
            .rstrip(")").split(")|")]


def weights(random, n):
    if random.random() < 0.5:
        return random.integers(1, 6, n).astype(float)
    return random.uniform(0.01, 3, n)


def binary_case(number):
    """Labels, scores of the wanted number of ties, weights."""
    random = np.random.default_rng([1, number])
    n = int(random.integers(2, 60))
    y = random.random(n) < random.uniform(0.1, 0.9)
    levels = int(random.choice([2, 5, 20, 1000000]))
    s = np.clip(random.integers(0, levels + 1, n) / levels * 0.8 + 0.2 * y * random.integers(0, 2), 0, 1)
    return y, s, weights(random, n)


def class_case(number):
    random = np.random.default_rng([2, number])
    n = int(random.integers(2, 60))
    k = int(random.integers(3, 6))
    names = np.array([f"c{i}" for i in range(k)])
    proba = random.integers(0, 9, (n, k)) + 1e-9
    proba = proba / proba.sum(axis=1, keepdims=True)
    y = names[random.integers(0, k, n)]
    p = names[np.where(random.random(n) < 0.6, np.searchsorted(names, y), random.integers(0, k, n))]
    return names, y, p, proba, weights(random, n)


def number_case(number):
    random = np.random.default_rng([3, number])
    n = int(random.integers(2, 60))
    t = np.abs(np.round(random.normal(0, 10, n), int(random.integers(0, 8)))) + random.choice([0, 1000])
    x = np.abs(t + random.normal(0, 3, n)) + 1e-3
    return t, x, weights(random, n)


def make(folder, n_cases):
    with open(os.path.join(folder, "binary.csv"), "w", encoding="ascii") as file:
        for i in range(n_cases):
            for y, s, w in zip(*binary_case(i)):
                file.write(f"{i},{y},{float(s)!r},{float(w)!r}\n")
    with open(os.path.join(folder, "classes.csv"), "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        for i in range(n_cases):
            names, ys, ps, probas, ws = class_case(i)
            for y, p, proba, w in zip(ys, ps, probas, ws):
                writer.writerow([i, y, p, json.dumps(dict(zip(names, proba.tolist()))), repr(float(w))])
    with open(os.path.join(folder, "numbers.csv"), "w", encoding="ascii") as file:
        for i in range(n_cases):
            for row in zip(*number_case(i)):
                file.write(f"{i}," + ",".join(repr(float(v)) for v in row) + "\n")
    tables = [("binary", "y bool, s float8, w float8", BINARY),
              ("classes", "y text, p text, proba jsonb, w float8", CLASSES),
              ("numbers", "t float8, x float8, w float8", NUMBERS)]
    with open(os.path.join(folder, "metrics.sql"), "w", encoding="ascii") as file:
        for name, columns, text in tables:
            file.write(f"CREATE TEMP TABLE {name}_rows (i int, {columns});\n"
                       f"\\copy {name}_rows FROM '{name}.csv' (FORMAT csv)\n")
            chosen = [f"CASE WHEN i % 2 = 0 THEN to_jsonb({a}) ELSE to_jsonb({b}) END AS a{k}"
                      for k, (a, b) in enumerate(zip(calls(text, False), calls(text, True)))]
            file.write(f"CREATE TEMP VIEW {name}_results AS SELECT i, " + ",\n\t".join(chosen) +
                       f" FROM {name}_rows GROUP BY i;\n")
            names = ", ".join(f"'{k}', a{k}" for k in range(len(chosen)))
            file.write(f"\\copy (SELECT i, jsonb_build_object({names}) FROM {name}_results) "
                       f"TO '{name}_results.csv' (FORMAT csv)\n")


def undefined(function, *arguments, **options):
    """The value, or None where scikit-learn says that there is none."""
    try:
        value = function(*arguments, **options)
    except ValueError:
        return None
    return None if np.isscalar(value) and not math.isfinite(value) else value


def expected_binary(y, s, w):
    hard = s >= 0.5
    both = len(set(y)) == 2
    out = []
    auc = undefined(m.roc_auc_score, y, s, sample_weight=w)
    out.append(auc)
    out.append(m.average_precision_score(y, s, sample_weight=w) if y.any() else None)
    out.append(None if auc is None else 2 * auc - 1)
    if both:
        fpr, tpr, _ = m.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
        out.append(np.max(np.abs(tpr - fpr)))
    else:
        out.append(None)
    out.append(m.log_loss(y, s, labels=[False, True], sample_weight=w))
    brier = np.average((s - y) ** 2, weights=w)
    prior = np.average(y, weights=w)
    out.append(brier)
    out.append(1 - brier / (prior * (1 - prior)) if both else None)
    out.append(m.accuracy_score(y, hard, sample_weight=w))
    out.append(m.balanced_accuracy_score(y, hard, sample_weight=w))
    precision, recall, f1, _ = m.precision_recall_fscore_support(y, hard, average="binary", sample_weight=w)
    out += [precision, recall, m.recall_score(~y, ~hard, sample_weight=w), f1]
    out.append(m.fbeta_score(y, hard, beta=2, sample_weight=w))
    out.append(m.matthews_corrcoef(y, hard, sample_weight=w))
    out.append(undefined(m.cohen_kappa_score, y, hard, sample_weight=w))
    if both:
        fpr, tpr, t = m.roc_curve(y, s, sample_weight=w)
        t[0] = np.inf
        out.append(np.array([fpr, tpr, t]))
    else:
        out.append(None)
    if y.any():
        precision, recall, t = m.precision_recall_curve(y, s, sample_weight=w)
        out.append(np.array([recall, precision, np.append(t, np.inf)]))
    else:
        out.append(None)
    for n_bins, strategy in ((5, "uniform"), (10, "uniform"), (10, "quantile"), (4, "quantile")):
        true, predicted = calibration_curve(y, s, n_bins=n_bins, strategy=strategy, pos_label=True)
        out.append(np.array([predicted, true]))
    return out


def expected_classes(names, y, p, proba, w):
    out = [m.accuracy_score(y, p, sample_weight=w), m.balanced_accuracy_score(y, p, sample_weight=w),
           m.matthews_corrcoef(y, p, sample_weight=w)]
    for weight in (None, "linear", "quadratic"):
        out.append(undefined(m.cohen_kappa_score, y, p, weights=weight, sample_weight=w))
    out.append(m.confusion_matrix(y, p, sample_weight=w).ravel()[np.newaxis])
    by_average = [m.precision_recall_fscore_support(y, p, average=average, sample_weight=w)
                  + m.precision_recall_fscore_support(y, p, average=average, sample_weight=w, beta=0.5)
                  for average in ("macro", "weighted", "micro")]
    for place in (0, 1, 2, 6):
        out += [values[place] for values in by_average]
    one_hot = label_binarize(y, classes=names)
    out.append(m.log_loss(y, proba, labels=names, sample_weight=w))
    out.append(np.average(((proba - one_hot) ** 2).sum(axis=1), weights=w))
    there = one_hot.any(axis=0)
    support = np.array([np.sum((w if w is not None else np.ones(len(y))) * one_hot[:, k])
                        for k in range(len(names))])
    for score in (m.roc_auc_score, m.average_precision_score):
        for average in ("macro", "weighted"):
            if there.all() and score is m.roc_auc_score:
                out.append(score(y, proba, multi_class="ovr", average=average, labels=names, sample_weight=w))
                continue
            value = [undefined(score, one_hot[:, k], proba[:, k], sample_weight=w) if there[k] else None
                     for k in range(len(names))]
            known = [k for k in range(len(names)) if value[k] is not None]
            out.append(np.average([value[k] for k in known],
                                  weights=support[known] if average == "weighted" else None)
                       if known else None)
    return out


def expected_numbers(t, x, w):
    relative = 2 * np.abs(t - x) / (np.abs(t) + np.abs(x))
    ones = w if w is not None else np.ones(len(t))
    return [m.mean_squared_error(t, x, sample_weight=w),
            m.mean_squared_error(t, x, sample_weight=w, squared=False),
            m.mean_absolute_error(t, x, sample_weight=w), m.median_absolute_error(t, x, sample_weight=w),
            m.r2_score(t, x, sample_weight=w) if len(set(t)) > 1 else None,
            m.mean_absolute_percentage_error(t, x, sample_weight=w), np.average(relative, weights=w),
            np.sum(ones * np.abs(t - x)) / np.sum(ones * np.abs(t)) if t.any() else None,
            m.mean_squared_log_error(t, x, sample_weight=w),
            m.mean_squared_log_error(t, x, sample_weight=w, squared=False),
            m.mean_poisson_deviance(t, x, sample_weight=w),
            m.mean_pinball_loss(t, x, alpha=0.3, sample_weight=w)]


def columns_of(value):
    """A curve or matrix as it came: columns by the length of their names, as jsonb has them."""
    keys = [k for k in value[0] if k not in ("bin", "low", "high", "label", "predicted", "n")] or ["n"]
    return np.array([[math.inf if row[k] == "Infinity" else row[k] for row in value] for k in keys])


def distance(got, wanted):
    """How far apart, relative to what is wanted where that is above 1."""
    if got is None or wanted is None:
        return 0 if got is None and wanted is None else math.inf
    if isinstance(got, list):
        got = columns_of(got)
        if got.shape != wanted.shape:
            return math.inf
        same = got == wanted
        return float(np.max(np.where(same, 0, np.abs(np.where(same, 0, got) - np.where(same, 0, wanted)))))
    return abs(got - float(wanted)) / max(1, abs(float(wanted)))


def compare(folder):
    failed = 0
    for name, text, case, expected in (
            ("binary", BINARY, binary_case, expected_binary),
            ("classes", CLASSES, class_case, expected_classes),
            ("numbers", NUMBERS, number_case, expected_numbers)):
        names = calls(text, False)
        worst = [(0.0, None)] * len(names)
        n_cases = 0
        with open(os.path.join(folder, f"{name}_results.csv"), encoding="utf-8", newline="") as file:
            for number, line in csv.reader(file):
                number = int(number)
                got = json.loads(line)
                arguments = case(number)
                wanted = expected(*arguments[:-1], arguments[-1] if number % 2 else None)
                assert len(wanted) == len(names), f"{name}: {len(wanted)} answers to {len(names)} calls"
                for k, value in enumerate(wanted):
                    far = distance(got[str(k)], value)
                    if far > worst[k][0]:
                        worst[k] = (far, number)
                n_cases += 1
        for call, (far, number) in zip(names, worst):
            verdict = "ok" if far <= TOLERANCE else "FAILED"
            failed += verdict != "ok"
            print(f"{verdict:6}  {far:8.1e}  {call}" + (f"  case {number}" if far > 0 else ""))
        print(f"{name}: {n_cases} cases")
    return failed


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]))
        return 0
    if len(sys.argv) == 3 and sys.argv[1] == "compare":
        return 1 if compare(sys.argv[2]) else 0
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main())

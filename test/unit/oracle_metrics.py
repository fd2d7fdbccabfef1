#!/usr/bin/python3
"""Print fixed data sets and scikit-learn's measures of them, as C.

The output stands in test_classification.c and test_regression.c between
"oracle_metrics.py" and "end"; made with scikit-learn 1.2.1:

    /usr/bin/python3 test/unit/oracle_metrics.py
"""

import warnings

import numpy as np
from sklearn import metrics as m

warnings.simplefilter("ignore")


def array(c_type, name, values):
    """One C array, wrapped."""
    print(f"static const {c_type} {name}[] = {{")
    for i in range(0, len(values), 12):
        print("\t" + ", ".join(f"{v:g}" for v in values[i : i + 12]) + ",")
    print("};")


def values(name, pairs):
    """One table of expected values."""
    print(f"static const Expected {name}[] = {{")
    for metric, value in pairs:
        print(f"\t{{METRIC_{metric}, {float(value)!r}}},")
    print("};\n")


def threshold_metrics(y, predicted, w, averages):
    """Accuracy to MCC; averages maps a suffix to scikit-learn's name."""
    yield "ACCURACY", m.accuracy_score(y, predicted, sample_weight=w)
    yield "BALANCED_ACCURACY", m.balanced_accuracy_score(y, predicted, sample_weight=w)
    for suffix, average in averages:
        p, r, f, _ = m.precision_recall_fscore_support(
            y, predicted, average=average, sample_weight=w
        )
        yield "PRECISION" + suffix, p
        yield "RECALL" + suffix, r
        yield "F1" + suffix, f
    yield "MCC", m.matthews_corrcoef(y, predicted, sample_weight=w)


def ks(y, score, w):
    """Largest distance of the two rates along the ROC curve."""
    fpr, tpr, _ = m.roc_curve(y, score, sample_weight=w, drop_intermediate=False)
    return np.max(np.abs(tpr - fpr))


def binary(y, p, w):
    averages = (("", "binary"), ("_MACRO", "macro"), ("_WEIGHTED", "weighted"))
    yield from threshold_metrics(y, p >= 0.5, w, averages)
    yield "ROC_AUC", m.roc_auc_score(y, p, sample_weight=w)
    yield "AVERAGE_PRECISION", m.average_precision_score(y, p, sample_weight=w)
    yield "LOG_LOSS", m.log_loss(y, p, sample_weight=w)
    yield "BRIER", m.brier_score_loss(y, p, sample_weight=w)
    yield "KS", ks(y, p, w)


def multiclass(y, p, w):
    averages = (("_MACRO", "macro"), ("_WEIGHTED", "weighted"))
    one_hot = np.eye(p.shape[1])[y]
    yield from threshold_metrics(y, p.argmax(axis=1), w, averages)
    for suffix, average in averages:
        yield "ROC_AUC" + suffix, m.roc_auc_score(
            y, p, multi_class="ovr", average=average, sample_weight=w
        )
        yield "AVERAGE_PRECISION" + suffix, m.average_precision_score(
            one_hot, p, average=average, sample_weight=w
        )
    yield "LOG_LOSS", m.log_loss(y, p, sample_weight=w)
    yield "BRIER", np.average(((p - one_hot) ** 2).sum(axis=1), weights=w)


def regression(y, p, w):
    yield "RMSE", m.mean_squared_error(y, p, sample_weight=w, squared=False)
    yield "MAE", m.mean_absolute_error(y, p, sample_weight=w)
    yield "R2", m.r2_score(y, p, sample_weight=w)


def both(name, function, y, p, w):
    values(name + "_expected", function(y, p, None))
    values(name + "_weighted_expected", function(y, p, w))


def main():
    rng = np.random.default_rng(20240229)
    n = 36

    y = rng.integers(0, 2, n)
    p = np.clip(np.round((0.35 + 0.3 * y + rng.normal(0, 0.3, n)) * 16) / 16, 0, 1)
    w = rng.integers(1, 9, n) / 4
    print("/* oracle_metrics.py: two classes */")
    array("uint8_t", "binary_label", y)
    array("double", "binary_score", p)
    array("double", "row_weight", w)
    print()
    both("binary", binary, y, p, w)

    y = rng.integers(0, 3, n)
    share = np.zeros((n, 3), dtype=int)
    for i in range(n):
        odds = np.ones(3) + 1.5 * (np.arange(3) == y[i])
        share[i] = rng.multinomial(8, rng.dirichlet(odds))
    p = share / 8
    print("/* oracle_metrics.py: three classes */")
    array("uint32_t", "class_label", y)
    array("double", "class_proba", p.ravel())
    print()
    both("class", multiclass, y, p, w)

    y = np.round(rng.normal(50, 20, n), 1)
    p = np.round(y + rng.normal(1, 8, n), 1)
    print("/* oracle_metrics.py: numbers */")
    array("double", "target", y)
    array("double", "predicted", p)
    array("double", "row_weight", w)
    print()
    both("regression", regression, y, p, w)
    print("/* end of oracle_metrics.py */")


if __name__ == "__main__":
    main()

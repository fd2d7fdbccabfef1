#!/usr/bin/python3
"""Rows and the calibrations of them that test_calibrate.c expects.

The isotonic regression is scikit-learn's; the sigmoid is the minimum of
scikit-learn's loss, found by Newton's method to the last digits, and compared
with what scikit-learn's own optimizer finds.
"""
import numpy as np
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

N_ROWS = 60


def sigmoid(score, label, weight):
    positive = weight[label == 1].sum()
    negative = weight[label == 0].sum()
    target = np.where(label == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    ab = np.array([0, np.log((negative + 1) / (positive + 1))])
    for _ in range(200):
        p = 1 / (1 + np.exp(ab[0] * score + ab[1]))
        first = weight * (target - p)
        second = weight * p * (1 - p)
        gradient = np.array([(first * score).sum(), first.sum()])
        hessian = np.array([[(second * score**2).sum(), (second * score).sum()],
                            [(second * score).sum(), second.sum()]])
        ab = ab - np.linalg.solve(hessian, gradient)
    return ab


def show(name, values):
    print(name, ", ".join(repr(v) for v in np.asarray(values).tolist()), sep=": ")


def main():
    rng = np.random.default_rng(5)
    score = np.round(rng.random(N_ROWS), 2)
    label = (rng.random(N_ROWS) < score * 0.6 + 0.1).astype(int)
    weight = np.round(rng.random(N_ROWS) * 3, 2) + .25
    show("score", score)
    show("label", label)
    show("weight", weight)
    for w in None, weight:
        ab = sigmoid(score, label, np.ones(N_ROWS) if w is None else w)
        theirs = _SigmoidCalibration().fit(score, label, w)
        assert np.allclose(ab, [theirs.a_, theirs.b_], atol=1e-5)
        show("sigmoid", ab)
        isotonic = IsotonicRegression(out_of_bounds="clip").fit(score, label, sample_weight=w)
        show("isotonic x", isotonic.X_thresholds_)
        show("isotonic y", isotonic.y_thresholds_)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Print fixed data sets and scikit-learn's trees of them, as C.

The output is expected_trees.h; made with scikit-learn 1.2.1:

    /usr/bin/python3 test/unit/oracle_trees.py > test/unit/expected_trees.h

Values are exact in 32-bit floats, which scikit-learn computes with.  Where two
features split a node equally well its choice is random; such cases are
refused: every tree must come out the same from many seeds.
"""

import sys

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

N = 48
P = 3
SEEDS = 40

# name, data set, weights?, scikit-learn's parameters, ours
CASES = [
    ("gini", "two", False, dict(min_samples_leaf=4), "min_samples_leaf=4"),
    (
        "entropy",
        "two",
        False,
        dict(criterion="entropy", min_samples_leaf=4),
        "criterion=entropy min_samples_leaf=4",
    ),
    (
        "log_loss",
        "two",
        False,
        dict(criterion="log_loss", max_depth=3, min_samples_leaf=3),
        "criterion=log_loss max_depth=3 min_samples_leaf=3",
    ),
    ("max_depth", "two", False, dict(max_depth=2), "max_depth=2"),
    ("split_share", "two", False, dict(min_samples_split=0.4), "min_samples_split=0.4"),
    ("leaf_share", "two", False, dict(min_samples_leaf=0.11), "min_samples_leaf=0.11"),
    ("leaf_nodes", "two", False, dict(max_leaf_nodes=6), "max_leaf_nodes=6"),
    (
        "decrease",
        "two",
        False,
        dict(min_impurity_decrease=0.03),
        "min_impurity_decrease=0.03",
    ),
    (
        "ccp",
        "two",
        False,
        dict(ccp_alpha=0.025, min_samples_leaf=3),
        "ccp_alpha=0.025 min_samples_leaf=3",
    ),
    (
        "weight_share",
        "two",
        False,
        dict(min_weight_fraction_leaf=0.12),
        "min_weight_fraction_leaf=0.12",
    ),
    ("weights", "two", True, dict(min_samples_leaf=4), "min_samples_leaf=4"),
    (
        "weights_share",
        "two",
        True,
        dict(min_weight_fraction_leaf=0.11),
        "min_weight_fraction_leaf=0.11",
    ),
    (
        "weights_ccp",
        "two",
        True,
        dict(ccp_alpha=0.02, min_samples_leaf=3),
        "ccp_alpha=0.02 min_samples_leaf=3",
    ),
    (
        "balanced",
        "two",
        False,
        dict(class_weight="balanced", min_samples_leaf=4),
        "class_weight=balanced min_samples_leaf=4",
    ),
    (
        "class_weight",
        "two",
        False,
        dict(class_weight={0: 1, 1: 3}, criterion="entropy", min_samples_leaf=4),
        "class_weight={k000:1,k001:3} criterion=entropy min_samples_leaf=4",
    ),
    (
        "both_weights",
        "two",
        True,
        dict(class_weight="balanced", max_leaf_nodes=5),
        "class_weight=balanced max_leaf_nodes=5",
    ),
    ("three_gini", "three", False, dict(max_depth=2), "max_depth=2"),
    (
        "three_entropy",
        "three",
        False,
        dict(criterion="entropy", min_samples_leaf=4),
        "criterion=entropy min_samples_leaf=4",
    ),
    (
        "three_ccp",
        "three",
        False,
        dict(ccp_alpha=0.03, min_samples_leaf=3),
        "ccp_alpha=0.03 min_samples_leaf=3",
    ),
    ("three_leaf_nodes", "three", True, dict(max_leaf_nodes=7), "max_leaf_nodes=7"),
    (
        "three_balanced",
        "three",
        True,
        dict(class_weight="balanced", min_samples_leaf=5),
        "class_weight=balanced min_samples_leaf=5",
    ),
    ("squared", "number", False, dict(min_samples_leaf=3), "min_samples_leaf=3"),
    ("squared_weights", "number", True, dict(min_samples_leaf=3), "min_samples_leaf=3"),
    ("squared_leaf_nodes", "number", False, dict(max_leaf_nodes=8), "max_leaf_nodes=8"),
    (
        "squared_ccp",
        "number",
        False,
        dict(ccp_alpha=1.5, min_samples_leaf=2),
        "ccp_alpha=1.5 min_samples_leaf=2",
    ),
    (
        "squared_decrease",
        "number",
        True,
        dict(min_impurity_decrease=1.0),
        "min_impurity_decrease=1.0",
    ),
    (
        "squared_share",
        "number",
        True,
        dict(min_samples_split=0.3, min_weight_fraction_leaf=0.05),
        "min_samples_split=0.3 min_weight_fraction_leaf=0.05",
    ),
    (
        "poisson",
        "count",
        False,
        dict(criterion="poisson", min_samples_leaf=4),
        "criterion=poisson min_samples_leaf=4",
    ),
    (
        "poisson_weights",
        "count",
        True,
        dict(criterion="poisson", min_samples_leaf=5),
        "criterion=poisson min_samples_leaf=5",
    ),
    (
        "poisson_leaf_nodes",
        "count",
        False,
        dict(criterion="poisson", max_leaf_nodes=6),
        "criterion=poisson max_leaf_nodes=6",
    ),
    (
        "poisson_ccp",
        "count",
        False,
        dict(criterion="poisson", ccp_alpha=0.05, min_samples_leaf=3),
        "criterion=poisson ccp_alpha=0.05 min_samples_leaf=3",
    ),
]


def array(name, values):
    """One C array, wrapped."""
    print(f"static const double {name}[] = {{")
    for i in range(0, len(values), 6):
        print("\t" + ", ".join(repr(float(v)) for v in values[i : i + 6]) + ",")
    print("};")


def make_data():
    """The rows, and a target of each kind."""
    rng = np.random.default_rng(161)
    x = np.floor(rng.random((N, P)) * 4096) / 256
    score = x[:, 0] - 0.6 * x[:, 1] + 3 * (x[:, 2] > 9) + rng.normal(0, 2.5, N)
    targets = {
        "two": (score > np.quantile(score, 0.65)).astype(int),
        "three": np.searchsorted(np.quantile(score, [0.3, 0.75]), score),
        "number": np.round(score * 4) / 4,
        "count": rng.poisson(np.exp(np.clip(score / 5, -2, 2))),
    }
    return x, targets, rng.integers(1, 9, N) / 4


def fit(parameters, x, y, w, seed):
    regression = isinstance(y[0], np.floating) or parameters.get("criterion") == "poisson"
    kind = DecisionTreeRegressor if regression else DecisionTreeClassifier
    return kind(random_state=seed, **parameters).fit(x, y, sample_weight=w)


def outputs(tree, x):
    """Per row the value, P(class 1), or P of every class."""
    if isinstance(tree, DecisionTreeRegressor):
        return tree.predict(x)
    proba = tree.predict_proba(x)
    return proba[:, 1] if proba.shape[1] == 2 else proba.ravel()


def main():
    x, targets, weight = make_data()
    print("/* Made by oracle_trees.py; do not edit. */")
    array("oracle_x", x.ravel())
    array("oracle_weight", weight)
    for name, y in targets.items():
        array(f"oracle_{name}", y)
    print()
    for name, target, weighted, parameters, _ in CASES:
        y, w = targets[target], weight if weighted else None
        trees = [fit(parameters, x, y, w, seed) for seed in range(SEEDS)]
        first = trees[0]
        for tree in trees:
            same = tree.tree_.node_count == first.tree_.node_count and np.allclose(
                tree.feature_importances_, first.feature_importances_, atol=1e-12, rtol=0
            )
            if not same or not np.allclose(outputs(tree, x), outputs(first, x)):
                sys.exit(f"{name}: the tree depends on the seed")
        array(f"oracle_{name}_output", outputs(first, x))
        array(f"oracle_{name}_importance", first.feature_importances_)
    print()
    print("static const OracleTree oracle_trees[] = {")
    for name, target, weighted, parameters, ours in CASES:
        tree = fit(parameters, x, targets[target], weight if weighted else None, 0)
        classes = {"two": 2, "three": 3}.get(target, 0)
        print(f'\t{{"{name}", oracle_{target}, {classes}, {"true" if weighted else "false"},')
        print(f'\t\t"{ours}",')
        print(f"\t\t{tree.tree_.node_count}, {tree.get_n_leaves()}, {tree.get_depth()},")
        print(f"\t\toracle_{name}_output, oracle_{name}_importance}},")
    print("};")


if __name__ == "__main__":
    main()

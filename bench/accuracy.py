"""Quality on identical rows: churnops_train against scikit-learn's forest, over many seeds.

    bench/accuracy.py [--seeds 10] [--trees 100] [--depth 10 | 0] [set …]

Every seed splits the rows anew (80 % train, stratified for classes); both tools train on the
same rows with the same parameters and random_state, and both score the same holdout: ROC AUC
(macro one-versus-rest for more than two classes) or R².  Text is one-hot and missing values
are the training median for scikit-learn only.  The files are looked for in $CHURNOPS_DATA and
in examples/data.
"""
import argparse
import json
import math

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

import data
import server


def our_scores(cursor, train, test, target, seed, options, regression):
    server.load(cursor, "accuracy_train", train)
    server.load(cursor, "accuracy_test", test)
    params = {"n_estimators": options.trees, "max_depth": options.depth or None,
              "random_state": seed}
    cursor.execute("SELECT churnops_train('accuracy', 'SELECT * FROM accuracy_train', %s, %s, "
                   "test_size => 0, exclude => '{row_id}', task => %s)",
                   (target, json.dumps(params), "regression" if regression else None))
    function = "churnops_predict" if regression else "churnops_predict_proba"
    cursor.execute(f"SELECT {function}('accuracy', t) FROM accuracy_test t ORDER BY row_id")
    rows = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT churnops_drop_model('accuracy')")
    if regression:
        return np.array(rows)
    classes = sorted(train[target].unique())
    return np.array([[row[c] for c in classes] for row in rows])


def their_scores(train, test, target, seed, options, regression):
    x_train, x_test = data.arrays(train, test, target)
    forest = RandomForestRegressor if regression else RandomForestClassifier
    peer = forest(options.trees, max_depth=options.depth or None, random_state=seed, n_jobs=1)
    peer.fit(x_train, train[target])
    return peer.predict(x_test) if regression else peer.predict_proba(x_test)


def quality(labels, scores, regression):
    if regression:
        return r2_score(labels, scores), math.nan
    classes = sorted(labels.unique())
    loss = log_loss(labels, scores)
    if scores.shape[1] == 2:
        return roc_auc_score(labels == classes[1], scores[:, 1]), loss
    scores = scores / scores.sum(axis=1, keepdims=True)
    return roc_auc_score(labels, scores, multi_class="ovr"), loss


def compare(name, cursor, options):
    loaded = data.mixed(5000) if name == "mixed" else data.real(name)
    if loaded is None:
        print(f"{name}: its file is not at hand")
        return
    frame, target = loaded
    regression = frame[target].dtype.kind == "f"
    pairs = []
    for seed in range(options.seeds):
        train, test = train_test_split(frame, test_size=0.2, random_state=seed,
                                       stratify=None if regression else frame[target])
        train, test = train.reset_index(drop=True), test.reset_index(drop=True)
        ours = quality(test[target], our_scores(cursor, train, test, target, seed, options,
                                                regression), regression)
        theirs = quality(test[target], their_scores(train, test, target, seed, options,
                                                    regression), regression)
        pairs.append(ours + theirs)
    pairs = np.array(pairs)
    difference = pairs[:, 0] - pairs[:, 2]
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    print(f"{name}: {'R2' if regression else 'AUC'} churnops {pairs[:, 0].mean():.4f}, "
          f"scikit-learn {pairs[:, 2].mean():.4f}, difference {difference.mean():+.4f} "
          f"± {error:.4f} (standard error, {options.seeds} seeds); log loss "
          f"{pairs[:, 1].mean():.4f}, {pairs[:, 3].mean():.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--depth", type=int, default=10, help="0: no limit")
    options = parser.parse_args()
    cursor = server.connect()
    for name in options.sets or [*data.REAL, "mixed"]:
        compare(name, cursor, options)


if __name__ == "__main__":
    main()

"""Quality on identical rows: churnops_train against scikit-learn's forest, over many seeds.

    bench/accuracy.py [--seeds 10] [--trees 100] [--depth 10 | 0] [set …]

Every seed splits the rows anew (80 % train, stratified for classes); both tools train on the
same rows with the same parameters and random_state, and both score the same holdout: ROC AUC
(macro one-versus-rest for more than two classes) or R².  For scikit-learn missing values are the
training median, and text is one-hot, or the number of its category: one-hot makes more columns,
so that more are drawn at a node, which is another forest.  The files are looked for in
$CHURNOPS_DATA and in examples/data.
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


def numbered(train, test, target):
    x_train, x_test = data.codes(train, test, target=target)
    return data.imputed(x_train, x_train), data.imputed(x_test, x_train)


def their_scores(arrays, train, target, seed, options, regression):
    x_train, x_test = arrays
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
        scores = [our_scores(cursor, train, test, target, seed, options, regression)]
        scores += [their_scores(encode(train, test, target), train, target, seed, options,
                                regression) for encode in (data.arrays, numbered)]
        pairs.append([quality(test[target], found, regression) for found in scores])
    pairs = np.array(pairs)
    print(f"{name}, {options.seeds} seeds: {'R2' if regression else 'AUC'} and log loss of "
          f"churnops {pairs[:, 0, 0].mean():.4f} {pairs[:, 0, 1].mean():.4f}")
    for i, encoding in enumerate(("one-hot", "numbered"), 1):
        differences = (pairs[:, 0] - pairs[:, i]).T
        text = ", ".join(f"{d.mean():+.4f} ± {d.std(ddof=1) / math.sqrt(len(d)):.4f}"
                         for d in differences if not np.isnan(d).any())
        print(f"    scikit-learn, {encoding:8} {pairs[:, i, 0].mean():.4f} "
              f"{pairs[:, i, 1].mean():.4f}, churnops less that (standard error) {text}",
              flush=True)


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

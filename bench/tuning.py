"""A random search: churnops_tune against scikit-learn's RandomizedSearchCV with the same trials.

    bench/tuning.py [--rows 100000] [--trials 32] [--folds 5] [--trees 100] [--peer-trials 32]
    bench/tuning.py --agree [--repeats 10]

The trials are drawn by churnops and given to scikit-learn as they are; both measure ROC AUC by as
many stratified folds and train the best at the end, in one process.  The data are the benchmarks'
mixed columns; scikit-learn gets them as numbers, which is not counted.  Where it is run with fewer
trials (--peer-trials, the first ones), what it would take for all is extrapolated, and said so: by
the share that the same trials have of churnops' own time.

--agree compares the means of cross-validations on the Telco data instead, over repeats: with
cross_val_score and its forest on the columns as numbers.
"""
import argparse
import json
import math
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV, RepeatedStratifiedKFold, StratifiedKFold, cross_val_score

import data
import server

SPACE = {
    "max_depth": [4, 6, 8, 10, 15, 20, 30, None],
    "max_features": ["sqrt", "log2", 0.2, 0.33, 0.5],
    "min_samples_leaf": {"low": 1, "high": 200, "log": True},
    "max_samples": {"low": 0.4, "high": 1.0},
}


def ours(cursor, table, options):
    server.drop(cursor, "tuned")
    run = server.Run(cursor, f"SELECT (churnops_tune('tuned', 'SELECT * FROM {table}', 'label', %s, 'random', %s, "
                     "cv => %s, params => %s, exclude => '{row_id}', test_size => 0)).metrics",
                     json.dumps(SPACE), options.trials, json.dumps({"folds": options.folds}),
                     json.dumps({"n_estimators": options.trees}))
    cursor.execute("SELECT params, objective, seconds, status, fold_scores FROM churnops.trial "
                   "WHERE model = 'tuned' ORDER BY number")
    return run, cursor.fetchall()


def numbers(frame, target):
    x, = data.codes(frame, target=target)
    return data.imputed(x, x), (frame[target] == sorted(frame[target].unique())[1]).to_numpy()


def theirs(frame, target, trials, options):
    x, y = numbers(frame, target)
    search = RandomizedSearchCV(
        RandomForestClassifier(options.trees, random_state=42, n_jobs=1),
        [{name: [value] for name, value in params.items()} for params, *_ in trials],
        n_iter=len(trials), scoring="roc_auc",
        cv=StratifiedKFold(options.folds, shuffle=True, random_state=0), random_state=0)
    begin = time.process_time()
    search.fit(x, y)
    return time.process_time() - begin, search.best_score_


def compare(options):
    cursor = server.serial()
    frame, target = data.mixed(options.rows)
    server.load(cursor, "mixed", frame)
    run, trials = ours(cursor, "mixed", options)
    best = max(t[1] for t in trials if t[3] == "succeeded")
    print(f"{options.rows} rows, {options.trials} trials, {options.folds} folds, {options.trees} trees")
    print(f"churnops      {run.cpu:9.1f} s of CPU, best ROC AUC {best:.4f}", flush=True)
    if options.peer_trials == 0:
        return
    some = trials[:options.peer_trials]
    cpu, score = theirs(frame, target, some, options)
    share = sum(t[2] for t in some) / sum(t[2] for t in trials)
    total = cpu if len(some) == len(trials) else cpu / share
    note = "" if len(some) == len(trials) else (
        f" (extrapolated: {len(some)} trials took {cpu:.1f} s, they are {share:.1%} of churnops' trials by time)")
    print(f"scikit-learn  {total:9.1f} s of CPU, best ROC AUC of its trials {score:.4f}{note}")
    print(f"ratio         {total / run.cpu:9.1f}")


def agree(options):
    cursor = server.serial()
    frame, target = data.real("telco")
    server.load(cursor, "telco", frame)
    x, y = numbers(frame, target)
    params = {"n_estimators": options.trees, "max_depth": 8, "min_samples_leaf": 5}
    cursor.execute("SELECT array_agg(v ORDER BY repeat) FROM (SELECT repeat, avg(value) AS v FROM churnops_cross_validate("
                   "'SELECT * FROM telco', %s, %s, %s, exclude => '{row_id}') WHERE metric = 'roc_auc' AND class IS NULL "
                   "GROUP BY repeat) AS x", (target, json.dumps(params),
                                             json.dumps({"folds": 5, "repeats": options.repeats})))
    our = np.array(cursor.fetchone()[0])
    their = cross_val_score(
        RandomForestClassifier(random_state=42, n_jobs=1, **params), x, y, scoring="roc_auc",
        cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=options.repeats, random_state=0)
    ).reshape(options.repeats, 5).mean(axis=1)
    error = math.sqrt(our.var(ddof=1) / len(our) + their.var(ddof=1) / len(their))
    print(f"telco, 5 folds, {options.repeats} repeats: mean ROC AUC of churnops {our.mean():.4f} (sd {our.std(ddof=1):.4f}), "
          f"scikit-learn {their.mean():.4f} (sd {their.std(ddof=1):.4f}), difference {our.mean() - their.mean():+.4f} ± {error:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--peer-trials", type=int, default=32, help="the first so many trials; 0: none")
    parser.add_argument("--agree", action="store_true", help="compare means on the Telco data")
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    (agree if options.agree else compare)(options)


if __name__ == "__main__":
    main()

"""Training beside the other libraries, in interleaved runs, one thread each.

    bench/training.py [--full] [--only TEXT] [--scale 1.0] [--rounds 3] [--seconds 30]

CPU seconds of the backend and its workers from the SQL call to the stored version, beside those
of the peers' fit alone on a ready array; and what each model is worth on other rows.  Then the
phases of a training as people run it, with a holdout, and what a second process gains.
"""
import argparse
import time
from collections import namedtuple

import numpy as np
from sklearn.metrics import log_loss, r2_score, roc_auc_score

import data
import peers
import record
import server

Case = namedtuple("Case", "name make rows trees depth full goals", defaults=[False, {}])

SKLEARNS = (peers.DEBIAN, peers.SKLEARN)


def goals(sklearn, **others):
    """Goals against both versions of scikit-learn, and others by name."""
    factors = {**dict.fromkeys(SKLEARNS, sklearn), **others}
    return {name: record.goal(factor) for name, factor in factors.items()}


def telco(rows):
    frame, target = data.real("telco")
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)[:rows], target


CASES = [
    Case("mixed", data.mixed, 100000, 100, 10, False, goals(50)),
    Case("Telco", telco, 5634, 100, 10, False, goals(12)),
    Case("Telco, unlimited depth", telco, 5634, 500, 0, False, goals(12)),
    Case("5 classes", lambda n: data.classes(n, 5), 20000, 100, 10, False, goals(30)),
    Case("regression", data.regression, 20000, 100, 10, False, goals(30)),
    Case("mixed", data.mixed, 1000000, 100, 10, True, goals(100, LightGBM=10, XGBoost=15)),
    Case("mixed, unlimited depth", data.mixed, 100000, 100, 0, True, {}),
    Case("5 classes", lambda n: data.classes(n, 5), 100000, 100, 10, True, goals(30)),
    Case("26 classes", lambda n: data.classes(n, 26), 100000, 100, 10, True, goals(30)),
    Case("regression", data.regression, 100000, 100, 10, True, goals(30)),
    Case("200 columns", data.wide, 100000, 100, 10, True, goals(30)),
    Case("columns of 10,000 categories", data.many_categories, 100000, 100, 10, True, goals(30)),
    Case("90 % NULL", data.mostly_null, 100000, 100, 10, True, goals(30)),
    Case("1 % positives", data.rare, 100000, 100, 10, True, goals(30)),
]


def quality(labels, scores, classes):
    if not classes:
        return {"R²": r2_score(labels, scores)}
    if len(classes) == 2:
        return {"AUC": roc_auc_score(labels == classes[1], scores),
                "log loss": log_loss(labels == classes[1], scores)}
    scores = np.asarray(scores, dtype=float)
    scores /= scores.sum(axis=1, keepdims=True)
    return {"AUC": roc_auc_score(labels, scores, multi_class="ovr", labels=classes),
            "log loss": log_loss(labels, scores, labels=classes)}


def our_scores(cursor, classes):
    function = "churnops_predict_proba" if len(classes) > 2 else "churnops_predict"
    cursor.execute(f"SELECT {function}('bench', t) FROM bench_test t ORDER BY row_id")
    scores = [row[0] for row in cursor.fetchall()]
    return np.array([[s[c] for c in classes] for s in scores] if len(classes) > 2 else scores)


def measure(case, options, cursor, others, results):
    n_rows = max(int(case.rows * options.scale), 500)
    frame, target = case.make(n_rows + max(n_rows // 4, 200) if case.make != telco else 7043)
    n_rows = min(n_rows, len(frame) * 4 // 5)
    train = frame[:n_rows].reset_index(drop=True)
    test = frame[n_rows:n_rows + 100000].reset_index(drop=True)
    rows = others.rows(train, test, target)
    server.load(cursor, "bench_train", train)
    server.load(cursor, "bench_test", test)
    seeds = {}
    task = None if rows.classes else "regression"

    def ours():
        return server.train(cursor, "bench", "bench_train", target, case.trees, case.depth,
                            task=task).cpu

    def theirs(peer):
        def run():
            seeds[peer.name] = seeds.get(peer.name, 0) + 1
            return peer.fit(rows, case.trees, case.depth, seeds[peer.name])["cpu"]
        return run

    # LightGBM keeps histograms of every leaf: of 100,000 they take 10 GB
    able = [peer for peer in others
            if peer.name != peers.LIGHTGBM or case.depth > 0 or n_rows <= 20000]
    values = peers.rounds(options.rounds, options.seconds,
                          {"churnops": ours, **{peer.name: theirs(peer) for peer in able}})
    notes = {"churnops": quality(test[target], our_scores(cursor, rows.classes), rows.classes)}
    for peer in able:
        notes[peer.name] = quality(test[target], peer.predict(rows)[0], rows.classes)
    depth = f"depth {case.depth}" if case.depth else "no limit"
    results.row("training", f"{case.name}: {n_rows:,} rows, {case.trees} trees, {depth}",
                "CPU s", "churnops", values, case.goals, notes)
    return n_rows, target


def phases(case, n_rows, target, options, results):
    """A training with a fifth of the rows held out, by one process and by two."""
    cursors = {}
    for n in (1, 2):
        cursors[f"{n} process" + "es" * (n > 1)] = server.connect(
            max_parallel_maintenance_workers=n - 1, max_parallel_workers_per_gather=n - 1,
            client_min_messages="debug1", min_parallel_table_scan_size=0)
    runs = peers.rounds(max(options.rounds, 3), 60, {
        name: lambda cursor=cursor: server.train(cursor, "bench", "bench_train", target,
                                                 case.trees, case.depth, test_size=0.2)
        for name, cursor in cursors.items()})
    one, two = runs.values()
    names = list(one[0].phases)
    grown = names.index("trees grown")
    row = f"{n_rows:,} rows, {case.trees} trees, depth {case.depth}"
    values = {name: [r.phases[name] if r else None for r in one] for name in names}
    values["after growing"] = [sum(r.phases[n] for n in names[grown + 1:]) if r else None
                               for r in one]
    results.row("phases", row, "s, one process", "trees grown", values)
    for name in names[:3]:
        results.row("two processes", f"{name}: {row}", "wall s", "2 processes",
                    {n: [r.phases[name] if r else None for r in found]
                     for n, found in runs.items()},
                    {"1 process": 1.8} if name == "trees grown" else {})
    results.row("two processes", f"whole training: {row}", "wall s", "2 processes",
                {n: [r.wall if r else None for r in found] for n, found in runs.items()})
    results.row("two processes", f"whole training: {row}", "CPU s", "1 process",
                {"1 process": [r.cpu if r else None for r in one],
                 "2 processes": [r.cpu if r else None for r in two]})


def sets(case, n_rows, target, options, results):
    """The same training on every instruction set of the machine."""
    cursor = server.serial()

    def on(level):
        def run():
            server.setting(cursor, "churnops.instruction_set", level)
            return server.train(cursor, "bench", "bench_train", target, case.trees,
                                case.depth).cpu
        return run

    levels = record.levels()
    results.row("instruction sets", f"training: {n_rows:,} rows, {case.trees} trees, "
                f"depth {case.depth}", "CPU s", levels[-1],
                peers.rounds(max(options.rounds, 3), 60, {name: on(name) for name in levels}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every case")
    parser.add_argument("--only", help="cases whose name has this text")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30,
                        help="a peer that has used more in a case rests")
    options = parser.parse_args()
    cursor = server.serial()
    with peers.Peers() as others:
        results = record.Record("training", cursor, others)
        for case in CASES:
            if case.full and not options.full or options.only and options.only not in case.name:
                continue
            begin = time.time()
            n_rows, target = measure(case, options, cursor, others, results)
            if case.name == "mixed":
                phases(case, n_rows, target, options, results)
                sets(case, n_rows, target, options, results)
            print(f"    took {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()

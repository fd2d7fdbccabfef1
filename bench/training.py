"""Training beside the other libraries, in interleaved runs, one thread each.

    bench/training.py [--full] [--only TEXT] [--scale 1.0] [--rounds 3] [--seconds 30]
                      [--all-peers]

CPU seconds of the backend and its workers from the SQL call to the stored version, beside those
of the peers' fit alone on a ready array; and what each model is worth on other rows.  Then the
phases of a training as people run it, with a holdout, and what a second process gains.
"""
import argparse
import sys
from collections import namedtuple

import numpy as np
from sklearn.metrics import log_loss, r2_score, roc_auc_score

import data
import peers
import record
import server

# all_peers: in each run both versions of scikit-learn, and ranger
Case = namedtuple("Case", "name make rows trees depth when all_peers goals",
                  defaults=[("full",), False, {}])

def goals(sklearn, **others):
    """Against both versions of scikit-learn, and others by name."""
    found = record.against(sklearn, peers.DEBIAN, peers.SKLEARN)
    for name, factor in others.items():
        found |= record.against(factor, name)
    return found


def telco(rows):
    frame, target = data.real("telco")
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)[:rows], target


def five(rows):
    return data.classes(rows, 5)


def twenty_six(rows):
    return data.classes(rows, 26)


BOTH = ("short", "full")
CASES = [
    Case("mixed", data.mixed, 100000, 100, 10, BOTH, True, goals(50)),
    Case("Telco", telco, 5634, 100, 10, BOTH, True, goals(12)),
    Case("Telco", telco, 5634, 500, 0, BOTH, True, goals(12)),
    Case("5 classes", five, 20000, 100, 10, ("short",), False, goals(30)),
    Case("regression", data.regression, 20000, 100, 10, ("short",), False, goals(30)),
    Case("mixed", data.mixed, 1000000, 100, 10, goals=goals(100, LightGBM=10, XGBoost=15)),
    Case("mixed", data.mixed, 100000, 100, 0),
    Case("5 classes", five, 100000, 100, 10, goals=goals(30)),
    Case("26 classes", twenty_six, 100000, 100, 10, goals=goals(30)),
    Case("regression", data.regression, 100000, 100, 10, goals=goals(30)),
    Case("200 columns", data.wide, 100000, 100, 10, goals=goals(30)),
    Case("columns of 10,000 categories", data.many_categories, 100000, 100, 10, goals=goals(30)),
    Case("90 % NULL", data.mostly_null, 100000, 100, 10, goals=goals(30)),
    Case("1 % positives", data.rare, 100000, 100, 10, goals=goals(30)),
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


def title(case, n_rows):
    depth = f"depth {case.depth}" if case.depth else "no limit of depth"
    return f"{case.name}: {n_rows:,} rows, {case.trees} trees, {depth}"


class Bench:
    """A case at a time: its rows in the server and in the peers' files."""

    def __init__(self, options, others, results):
        self.options, self.others, self.results = options, others, results
        self.loaded = None

    def load(self, case):
        """The rows of a case, unless they are there; after a failure they may not be."""
        if self.loaded == (case, len(self.results.failed)):
            return
        n_rows = max(int(case.rows * self.options.scale), 500)
        n_test = min(max(n_rows // 4, 200), 100000)
        frame, self.target = case.make(n_rows + n_test if case.make != telco else 7043)
        self.n_rows = n_rows = min(n_rows, len(frame) * 4 // 5)
        train = frame[:n_rows].reset_index(drop=True)
        self.test = frame[n_rows:n_rows + n_test].reset_index(drop=True)
        self.rows = self.others.rows(train, self.test, self.target)
        server.load(self.results.cursor, "bench_train", train)
        server.load(self.results.cursor, "bench_test", self.test)
        self.loaded = (case, len(self.results.failed))

    def title(self, case):
        return title(case, self.n_rows)

    def train(self, cursor, case, **more):
        return server.train(cursor, "bench", "bench_train", self.target, case.trees, case.depth,
                            task=None if self.rows.classes else "regression", **more)

    def measure(self, case):
        """The row of a case, with what the models are worth."""
        self.load(case)
        seeds = {}
        test, classes = self.test[self.target], self.rows.classes

        def theirs(peer):
            def run():
                seeds[peer.name] = seeds.get(peer.name, 0) + 1
                return peer.fit(self.rows, case.trees, case.depth, seeds[peer.name])["cpu"]
            return run

        able = self.others if case.all_peers or self.options.all_peers else self.others.few()
        # LightGBM keeps histograms of every leaf: of 100,000 they take 10 GB
        able = [peer for peer in able
                if peer.name != peers.LIGHTGBM or case.depth > 0 or self.n_rows <= 20000]
        values = peers.rounds(self.options.rounds, self.options.seconds, {
            "churnops": lambda: self.train(self.results.cursor, case).cpu,
            **{peer.name: theirs(peer) for peer in able}})
        notes = {"churnops": quality(test, our_scores(self.results.cursor, classes), classes)}
        for peer in able:
            if record.present(values[peer.name]):
                notes[peer.name] = quality(test, peer.predict(self.rows)[0], classes)
        self.results.row("training", self.title(case), "CPU s", "churnops", values, case.goals,
                         notes)

    def phases(self, case):
        """A training with a fifth of the rows held out, by one process and by two."""
        self.load(case)
        cursors = {}
        for n in (1, 2):
            cursors["1 process" if n == 1 else f"{n} processes"] = server.connect(
                max_parallel_maintenance_workers=n - 1, max_parallel_workers_per_gather=n - 1,
                client_min_messages="debug1", min_parallel_table_scan_size=0)
        runs = peers.rounds(max(self.options.rounds, 3), 60, {
            name: lambda cursor=cursor: self.train(cursor, case, test_size=0.2)
            for name, cursor in cursors.items()})
        one = runs["1 process"]
        row = self.title(case)
        names = list(one[0].phases)
        grown = names.index("trees grown")
        values = {name: of(one, lambda run, name=name: run.phases[name]) for name in names}
        values["after growing"] = of(one, lambda run: sum(run.phases[n]
                                                          for n in names[grown + 1:]))
        self.results.row("phases", row, "s, one process", "trees grown", values,
                         {"after growing": ["ratio <=", 0.5]})
        for name in names[:grown + 1]:
            self.results.row("two processes", f"{name}: {row}", "wall s", "2 processes", {
                n: of(found, lambda run, name=name: run.phases[name])
                for n, found in runs.items()}, {"1 process": ["ratio >=", 1.8]} if name == "trees grown" else {})
        for unit, what in (("wall s", "wall"), ("CPU s", "cpu")):
            self.results.row("two processes", f"whole training: {row}", unit, "2 processes", {
                n: of(found, lambda run, what=what: getattr(run, what))
                for n, found in runs.items()})

    def sets(self, case):
        """The same training on every instruction set of the machine."""
        self.load(case)
        cursor = server.serial()

        def on(level):
            def run():
                server.setting(cursor, "churnops.instruction_set", level)
                return self.train(cursor, case).cpu
            return run

        levels = record.levels()
        self.results.row("instruction sets", f"training, {self.title(case)}", "CPU s", levels[-1],
                         peers.rounds(max(self.options.rounds, 3), 60,
                                      {name: on(name) for name in levels}),
                         {"portable": ["ratio <=", 2.5]})


def of(runs, part):
    """A part of each run, where there was one."""
    return [part(run) if run else None for run in runs]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every case")
    parser.add_argument("--only", help="cases whose name has this text")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30,
                        help="a peer that has used more in a case rests")
    parser.add_argument("--all-peers", action="store_true", help="in every case")
    options = parser.parse_args()
    with peers.Peers() as others:
        results = record.Record("training", server.serial, others)
        bench = Bench(options, others, results)
        for case in CASES:
            name = title(case, case.rows)
            if ("full" if options.full else "short") not in case.when or \
                    options.only and options.only not in name:
                continue
            results.case(name, lambda case=case: bench.measure(case))
            if case.name == "mixed" and case.depth:
                results.case(name + ", phases", lambda case=case: bench.phases(case))
                results.case(name + ", instruction sets", lambda case=case: bench.sets(case))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

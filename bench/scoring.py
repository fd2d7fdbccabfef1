"""Scoring beside the other libraries, in interleaved runs.

    bench/scoring.py [--full] [--only TEXT] [--rows 1000000] [--train 100000] [--rounds 3]
                     [--seconds 30]

CPU nanoseconds per row of queries over a table in memory, serial, beside the same query with a
C function that does nothing, and beside the peers' predict on a ready array, one thread; the
same query with more processes; reading, scoring and writing a table, wall time with two
processes or threads.
"""
import argparse
import io
import os
import sys
import time

import numpy as np
import pandas as pd

import data
import peers
import record
import server

ROW, SCALARS = "C function of the row", "C function of the columns"
PREDICT, PREDICT_ROW, SCORE = "churnops_predict", "churnops_predict, whole row", "churnops_score"
QUERIES = {
    "count(*)": "SELECT count(*) FROM bench_score",
    SCALARS: "SELECT avg(bench_scalars({columns})) FROM bench_score t",
    ROW: "SELECT avg(bench_row(t)) FROM bench_score t",
    PREDICT: "SELECT avg(churnops_predict('bench', t)) FROM bench_score t",
    # the planner makes no columns of a row that is a value
    PREDICT_ROW: "SELECT avg(churnops_predict('bench', s.t)) "
                 "FROM (SELECT t FROM bench_score t OFFSET 0) AS s",
    SCORE: "SELECT avg(prediction) FROM churnops_score('bench', 'SELECT * FROM bench_score')",
}
# times scikit-learn's predict_proba, with AVX-512
FACTORS = {PREDICT_ROW: 9, PREDICT: 12, SCORE: 18}
LARGER = {
    "500 trees, no limit of depth": (data.mixed, 500, 0),
    "26 classes": (lambda n: data.classes(n, 26), 100, 10),
    "200 columns": (data.wide, 100, 10),
}
TABLE_AS = "CREATE UNLOGGED TABLE bench_out AS SELECT row_id, churnops_predict('bench', t) AS p " \
           "FROM bench_score t"


def make_functions(cursor):
    library = os.environ["BENCH_TRIVIAL"]
    for signature, name in (("record", "bench_row"), ('VARIADIC "any"', "bench_scalars")):
        cursor.execute(f"CREATE OR REPLACE FUNCTION {name}({signature}) RETURNS float8 "
                       "LANGUAGE C STABLE PARALLEL SAFE AS %s", (library,))


def read(cursor):
    """The table as a frame, as a user of pandas gets it."""
    text = io.StringIO()
    cursor.copy_expert("COPY bench_score TO STDOUT (FORMAT csv, HEADER)", text)
    text.seek(0)
    return pd.read_csv(text)


def write(cursor, ids, scores):
    text = io.StringIO()
    pd.DataFrame({"row_id": ids, "p": scores}).to_csv(text, header=False, index=False)
    text.seek(0)
    cursor.execute("CREATE UNLOGGED TABLE bench_out (row_id bigint, p double precision)")
    cursor.copy_expert("COPY bench_out FROM STDIN (FORMAT csv)", text)


class Bench:
    """Rows to score, a model, and the peers' models and arrays."""

    def __init__(self, options, others, results):
        self.options, self.others, self.results = options, others, results
        self.loaded = None

    def load(self, name, make=data.mixed, fewer=(1, 1), trees=100, depth=10, fit=True):
        """Rows to train on and to score, fewer by these factors, unless they are there."""
        name = (name, len(self.results.failed))
        if self.loaded in ((name, fit), (name, True)):
            return
        n_train, n_score = self.options.train // fewer[0], self.options.rows // fewer[1]
        cursor = self.results.cursor
        frame, self.target = make(n_train + n_score)
        train = frame[:n_train].reset_index(drop=True)
        score = frame[n_train:].reset_index(drop=True)
        self.rows = self.others.rows(train, score, self.target)
        self.score = score.drop(columns=[self.target])
        server.load(cursor, "bench_train", train)
        server.load(cursor, "bench_score", self.score)
        server.train(cursor, "bench", "bench_train", self.target, trees, depth)
        self.able = self.fitted(trees, depth) if fit else []
        self.loaded = (name, fit)

    def fitted(self, trees, depth):
        able = []
        for peer in self.others:
            try:
                peer.fit(self.rows, trees, depth, 1, threads=2)
                able.append(peer)
            except peers.PeerFailed as reason:
                record.say(f"   {reason}")
        return able

    def title(self, name):
        return f"{name}: {len(self.score):,} rows"

    def query(self, name):
        """A tool: CPU nanoseconds per row of a query."""
        query = QUERIES.get(name, name).format(columns=", ".join(self.score.columns))
        return lambda: server.Run(self.results.cursor, query).cpu / len(self.score) * 1e9

    def predict(self, peer):
        return lambda: peer.predict(self.rows)[1]["cpu"] / len(self.score) * 1e9

    def beside(self):
        """Queries over the mixed columns, beside the floor of the server and the peers."""
        self.load("mixed")
        tools = {name: self.query(name) for name in QUERIES}
        tools.update({peer.name: self.predict(peer) for peer in self.able})
        values = peers.rounds(self.options.rounds, self.options.seconds, tools)
        row = self.title("20 mixed columns, 100 trees of depth 10")
        self.results.row("queries", row, "ns CPU per row", ROW, {
            name: values[name] for name in (ROW, SCALARS, "count(*)", *FACTORS)})
        for ours, factor in FACTORS.items():
            sides = {ours: values[ours], **{peer.name: values[peer.name] for peer in self.able}}
            self.results.row("scoring", f"{ours}, {row}", "ns CPU per row", ours, sides,
                             record.against(factor, peers.DEBIAN, peers.SKLEARN))

    def larger(self, name):
        """A larger forest: more trees, classes or columns."""
        make, trees, depth = LARGER[name]
        self.load(name, make, (5, 10), trees, depth)
        query = "SELECT count(*) FROM churnops_score('bench', 'SELECT * FROM bench_score')"
        tools = {SCORE: self.query(query)}
        if self.rows.n_classes == 2:
            tools[PREDICT] = self.query(PREDICT)
        else:
            tools["churnops_predict_class"] = self.query(
                "SELECT count(churnops_predict_class('bench', t)) FROM bench_score t")
        tools.update({peer.name: self.predict(peer) for peer in self.able})
        values = peers.rounds(self.options.rounds, self.options.seconds, tools)
        theirs = {peer.name: values[peer.name] for peer in self.able}
        for ours in list(tools)[:2]:
            self.results.row("scoring", f"{ours}, {self.title(name)}", "ns CPU per row", ours,
                             {ours: values[ours], **theirs})

    def processes(self):
        """The query by one process, two and three."""
        self.load("mixed", fit=False)
        self.results.cursor.execute("ALTER TABLE bench_score SET (parallel_workers = 2)")
        tools = {}
        for n in (1, 2, 3):
            cursor = server.connect(max_parallel_workers_per_gather=n - 1,
                                    min_parallel_table_scan_size=0, parallel_setup_cost=0)
            tools["1 process" if n == 1 else f"{n} processes"] = \
                lambda cursor=cursor: server.Run(cursor, QUERIES[PREDICT]).wall
        values = peers.rounds(max(self.options.rounds, 3), 60, tools)
        self.results.row("two processes", self.title("query"), "wall s", "2 processes", values,
                         {"1 process": ["ratio >=", 1.8]})

    def sets(self):
        self.load("mixed", fit=False)
        cursor = server.serial()

        def on(level, name):
            def run():
                server.setting(cursor, "churnops.instruction_set", level)
                return server.Run(cursor, QUERIES[name]).cpu / len(self.score) * 1e9
            return run

        levels = record.levels()
        for name in FACTORS:
            values = peers.rounds(max(self.options.rounds, 3), 60,
                                  {level: on(level, name) for level in levels})
            self.results.row("instruction sets", self.title(name), "ns CPU per row", levels[-1],
                             values, {"portable": ["ratio <=", 2.5]})

    def round_trip(self):
        """Read, score, write: here a query, there COPY out, codes, predict, COPY back."""
        self.load("mixed")
        cursor = self.results.cursor
        two = server.connect(max_parallel_workers_per_gather=1, min_parallel_table_scan_size=0,
                             parallel_setup_cost=0)

        def ours():
            cursor.execute("DROP TABLE IF EXISTS bench_out")
            return server.Run(two, TABLE_AS).wall

        def theirs(peer):
            def run():
                cursor.execute("DROP TABLE IF EXISTS bench_out")
                begin = time.perf_counter()
                frame = read(cursor)
                ids = frame.pop("row_id")
                (x,) = data.codes(frame, target=self.target)
                if not peer.takes_missing:
                    data.imputed(x, x[:100000])
                prepared = time.perf_counter() - begin
                scores, cost = peer.predict(self.rows, threads=2)
                begin = time.perf_counter()
                write(cursor, ids, np.asarray(scores, dtype=float))
                return prepared + cost["wall"] + time.perf_counter() - begin
            return run

        values = peers.rounds(self.options.rounds, self.options.seconds, {
            "churnops": ours, **{peer.name: theirs(peer) for peer in self.able}})
        self.results.row("read, score, write", self.title("20 mixed columns"), "wall s",
                         "churnops", values,
                         {**record.against(10, peers.DEBIAN, peers.SKLEARN),
                          **record.against(7, peers.XGBOOST)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger forests too")
    parser.add_argument("--only", help="cases whose name has this text")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--train", type=int, default=100000, help="rows to train on")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30,
                        help="a peer that has used more in a case rests")
    options = parser.parse_args()
    names = [name for name in peers.ALL if name != peers.RANGER]
    with peers.Peers(names) as others:
        results = record.Record("scoring", server.serial, others)
        make_functions(results.cursor)
        bench = Bench(options, others, results)
        cases = {"queries": bench.beside, "read, score, write": bench.round_trip,
                 "processes": bench.processes, "instruction sets": bench.sets}
        if options.full:
            cases |= {name: lambda name=name: bench.larger(name) for name in LARGER}
        for name, work in cases.items():
            if not options.only or options.only in name:
                results.case(name, work)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

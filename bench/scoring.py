"""Scoring beside the other libraries, in interleaved runs.

    bench/scoring.py [--full] [--rows 1000000] [--rounds 3] [--seconds 30]

CPU nanoseconds per row of queries over a table in memory, serial, beside the same query with a
C function that does nothing, and beside the peers' predict on a ready array, one thread; the
same query with more processes; reading, scoring and writing a table, wall time with two
processes or threads.
"""
import argparse
import io
import os
import time

import numpy as np
import pandas as pd

import data
import peers
import record
import server

ROW, SCALARS = "C function of the row", "C function of the columns"
QUERIES = {
    "count(*)": "SELECT count(*) FROM bench_score",
    SCALARS: "SELECT avg(bench_scalars({columns})) FROM bench_score t",
    ROW: "SELECT avg(bench_row(t)) FROM bench_score t",
    "churnops_predict": "SELECT avg(churnops_predict('bench', t)) FROM bench_score t",
    "churnops_score": "SELECT avg(prediction) FROM churnops_score('bench', "
                      "'SELECT * FROM bench_score')",
}
TABLE_AS = "CREATE UNLOGGED TABLE bench_out AS SELECT row_id, churnops_predict('bench', t) AS p " \
           "FROM bench_score t"


def make_functions(cursor):
    library = os.environ["BENCH_TRIVIAL"]
    for signature, name in (("record", "bench_row"), ('VARIADIC "any"', "bench_scalars")):
        cursor.execute(f"CREATE OR REPLACE FUNCTION {name}({signature}) RETURNS float8 "
                       "LANGUAGE C STABLE PARALLEL SAFE AS %s", (library,))


def prepare(cursor, make, n_train, n_score, trees, depth, others):
    """Tables, models and arrays: trained on n_train rows, to score n_score others."""
    frame, target = make(n_train + n_score)
    train = frame[:n_train].reset_index(drop=True)
    score = frame[n_train:].reset_index(drop=True)
    rows = others.rows(train, score, target)
    server.load(cursor, "bench_train", train)
    server.load(cursor, "bench_score", score.drop(columns=[target]))
    server.train(cursor, "bench", "bench_train", target, trees, depth)
    for peer in others:
        peer.fit(rows, trees, depth, 1, threads=2)
    return rows, score.drop(columns=[target]), target


def ns_per_row(cursor, query, n_rows):
    return lambda: server.Run(cursor, query).cpu / n_rows * 1e9


def predict_ns(peer, rows, n_rows):
    return lambda: peer.predict(rows)[1]["cpu"] / n_rows * 1e9


def query_tools(cursor, score):
    columns = ", ".join(score.columns)
    return {name: ns_per_row(cursor, query.format(columns=columns), len(score))
            for name, query in QUERIES.items()}


def floors_and_peers(cursor, rows, score, others, options, results, name):
    n_rows = len(score)
    tools = query_tools(cursor, score)
    tools.update({peer.name: predict_ns(peer, rows, n_rows) for peer in others})
    values = peers.rounds(options.rounds, options.seconds, tools)
    floor = {name: values[name] for name in (ROW, SCALARS, "count(*)", "churnops_predict",
                                             "churnops_score")}
    results.row("queries", f"{name}: {n_rows:,} rows", "ns CPU per row", ROW, floor)
    for ours, factor in (("churnops_predict", 12), ("churnops_score", 18)):
        sides = {ours: values[ours], **{peer.name: values[peer.name] for peer in others}}
        results.row("scoring", f"{ours}, {name}: {n_rows:,} rows", "ns CPU per row", ours, sides,
                    dict.fromkeys((peers.DEBIAN, peers.SKLEARN), record.goal(factor)))


def other_models(cursor, others, options, results):
    """Larger forests: more trees, classes and columns."""
    cases = [
        ("500 trees, no limit", lambda n: data.mixed(n), 500, 0),
        ("26 classes", lambda n: data.classes(n, 26), 100, 10),
        ("200 columns", lambda n: data.wide(n), 100, 10),
    ]
    for name, make, trees, depth in cases:
        n_rows = options.rows // 10
        rows, score, _ = prepare(cursor, make, 20000, n_rows, trees, depth, others)
        query = "SELECT count(*) FROM churnops_score('bench', 'SELECT * FROM bench_score')"
        tools = {"churnops_score": ns_per_row(cursor, query, n_rows)}
        if "classes" not in name:
            tools["churnops_predict"] = ns_per_row(cursor, QUERIES["churnops_predict"], n_rows)
        else:
            tools["churnops_predict_class"] = ns_per_row(
                cursor, "SELECT count(churnops_predict_class('bench', t)) FROM bench_score t",
                n_rows)
        tools.update({peer.name: predict_ns(peer, rows, n_rows) for peer in others})
        values = peers.rounds(options.rounds, options.seconds, tools)
        results.row("scoring", f"{name}: {n_rows:,} rows", "ns CPU per row", "churnops_score",
                    values)


def processes(options, results, n_rows):
    """The query by one process, two and three."""
    tools = {}
    for n in (1, 2, 3):
        cursor = server.connect(max_parallel_workers_per_gather=n - 1,
                                min_parallel_table_scan_size=0, parallel_setup_cost=0)
        cursor.execute("ALTER TABLE bench_score SET (parallel_workers = 2)")
        tools[f"{n} process" + "es" * (n > 1)] = \
            lambda cursor=cursor: server.Run(cursor, QUERIES["churnops_predict"]).wall
    values = peers.rounds(max(options.rounds, 3), 60, tools)
    results.row("two processes", f"query: {n_rows:,} rows", "wall s", "2 processes", values,
                {"1 process": 1.8})


def sets(cursor, options, results, n_rows):
    def on(level, query):
        def run():
            server.setting(cursor, "churnops.instruction_set", level)
            return server.Run(cursor, query).cpu / n_rows * 1e9
        return run

    levels = record.levels()
    for name in ("churnops_predict", "churnops_score"):
        results.row("instruction sets", f"{name}: {n_rows:,} rows", "ns CPU per row", levels[-1],
                    peers.rounds(max(options.rounds, 3), 60,
                                 {level: on(level, QUERIES[name]) for level in levels}))
    server.setting(cursor, "churnops.instruction_set", "auto")


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


def round_trip(cursor, rows, others, options, results, target):
    """Read, score, write: here a query, there COPY out, codes, predict, COPY back."""
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
            (x,) = data.codes(frame, target=target)
            if not peer.takes_missing:
                data.imputed(x, x[:100000])
            prepared = time.perf_counter() - begin
            scores, cost = peer.predict(rows, threads=2)
            begin = time.perf_counter()
            write(cursor, ids, np.asarray(scores, dtype=float))
            return prepared + cost["wall"] + time.perf_counter() - begin
        return run

    values = peers.rounds(options.rounds, options.seconds, {
        "churnops": ours,
        **{peer.name: theirs(peer) for peer in others if peer.name != peers.RANGER}})
    goals = {peers.DEBIAN: 10, peers.SKLEARN: 10, peers.XGBOOST: 7}
    results.row("read, score, write", f"{options.rows:,} rows", "wall s", "churnops", values,
                {name: record.goal(factor) for name, factor in goals.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger forests too")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30,
                        help="a peer that has used more in a case rests")
    options = parser.parse_args()
    cursor = server.serial()
    make_functions(cursor)
    names = [name for name in peers.ALL if name != peers.RANGER]
    with peers.Peers(names) as others:
        results = record.Record("scoring", cursor, others)
        rows, score, target = prepare(cursor, data.mixed, 100000, options.rows, 100, 10, others)
        floors_and_peers(cursor, rows, score, others, options, results, "20 mixed columns")
        processes(options, results, len(score))
        sets(cursor, options, results, len(score))
        round_trip(cursor, rows, others, options, results, target)
        if options.full:
            other_models(cursor, others, options, results)


if __name__ == "__main__":
    main()

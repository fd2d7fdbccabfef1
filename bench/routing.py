"""What deployments cost: a bare model name beside a version by number, in interleaved runs.

    bench/routing.py [--rows 200000] [--rounds 9]

CPU nanoseconds per row of churnops_predict over a table in memory: by name/version, by the bare
name with nothing rolled out, and by the bare name while a canary takes a tenth, half and all of
the keys; of churnops_score without and with the log.
"""
import argparse
import sys

import data
import peers
import record
import server

PREDICT = "SELECT avg(churnops_predict('{}', t)) FROM bench_score t"
SCORE = "SELECT count(*) FROM churnops_score('bench', 'SELECT * FROM bench_score', log => {})"


def prepare(cursor, n_rows):
    """Two equal versions, so that arms differ in nothing but their way."""
    frame, target = data.mixed(20000 + n_rows)
    server.load(cursor, "bench_train", frame[:20000].reset_index(drop=True))
    server.load(cursor, "bench_score", frame[20000:].drop(columns=[target]).reset_index(drop=True))
    server.drop(cursor, "bench")
    for _ in range(2):
        cursor.execute("SELECT churnops_train('bench', 'SELECT * FROM bench_train', %s, %s, "
                       "test_size => 0, key => '{row_id}')",
                       (target, '{"n_estimators": 100, "max_depth": 10}'))


def ns(cursor, query, n_rows, weight=None):
    """A tool: the query's cost while a canary has the weight; without one for None."""
    def run():
        if weight is not None:
            cursor.execute("SELECT churnops_deploy('bench', 2, 'canary', "
                           "jsonb_build_object('weight', %s))", (weight,))
            deployment = cursor.fetchone()[0]
        cost = server.Run(cursor, query).cpu / n_rows * 1e9
        if weight is not None:
            cursor.execute("SELECT churnops_cancel_deployment(%s)", (deployment,))
        return cost
    return run


def predictions(options, results):
    cursor = results.cursor
    by_number, bare = PREDICT.format("bench/1"), PREDICT.format("bench")
    ns(cursor, by_number, options.rows)()
    values = peers.rounds(options.rounds, 3600, {
        "name/version": ns(cursor, by_number, options.rows),
        "bare name": ns(cursor, bare, options.rows),
        **{f"canary of {weight}": ns(cursor, bare, options.rows, weight)
           for weight in (0.1, 0.5, 1.0)}})
    results.row("routing", f"churnops_predict: {options.rows:,} rows", "ns CPU per row",
                "name/version", values, {"bare name": ["ratio <=", 1.03]})


def log(options, results):
    values = peers.rounds(min(options.rounds, 3), 3600, {
        "score": ns(results.cursor, SCORE.format("false"), options.rows),
        "score and log": ns(results.cursor, SCORE.format("true"), options.rows)})
    results.row("routing", f"churnops_score: {options.rows:,} rows", "ns CPU per row", "score",
                values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    results = record.Record("routing", server.serial)
    prepare(results.cursor, options.rows)
    results.case("predictions", lambda: predictions(options, results))
    results.case("log", lambda: log(options, results))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

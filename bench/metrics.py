"""What metric aggregates cost beside the server's corr(), in interleaved runs.

    bench/metrics.py [--rows 1000000] [--rounds 7]

CPU nanoseconds per row over a table in memory, the scan's own (count(*)) taken off.  Aggregates of
one pass may cost three times corr(y, x); those that rank their rows are shown beside it.
"""
import argparse
import sys

import peers
import record
import server

ONE_PASS = {
    "log_loss": "churnops_log_loss(y, p)", "brier": "churnops_brier(y, p)",
    "brier_skill": "churnops_brier_skill(y, p)", "rmse": "churnops_rmse(t, x)",
    "mae": "churnops_mae(t, x)", "r2": "churnops_r2(t, x)", "mape": "churnops_mape(t, x)",
    "smape": "churnops_smape(t, x)", "wape": "churnops_wape(t, x)",
    "rmsle": "churnops_rmsle(t, x)", "poisson_deviance": "churnops_poisson_deviance(t, x)",
    "pinball": "churnops_pinball(t, x, 0.3)", "accuracy": "churnops_accuracy(y, h)",
    "f1": "churnops_f1(y, h)", "f1 macro, text": "churnops_f1(label, predicted, 'macro')",
    "kappa, text": "churnops_cohen_kappa(label, predicted, 'linear')",
    "log_loss, text": "churnops_log_loss(label, p, 'b')",
    "log_loss, weight": "churnops_log_loss(y, p, w)", "rmse, weight": "churnops_rmse(t, x, w)",
    "r2, weight": "churnops_r2(t, x, w)", "accuracy, weight": "churnops_accuracy(y, h, w)",
}
RANKED = {
    "roc_auc": "churnops_roc_auc(y, p)", "roc_auc, ties": "churnops_roc_auc(y, tied)",
    "roc_auc, weight": "churnops_roc_auc(y, p, w)", "ks": "churnops_ks(y, p)",
    "average_precision": "churnops_average_precision(y, p)", "ece": "churnops_ece(y, p)",
    "median_ae": "churnops_median_ae(t, x)",
    "auc, ap, ks, lift": "churnops_roc_auc(y, p), churnops_average_precision(y, p), "
                         "churnops_ks(y, p), churnops_lift(y, p)",
}


def prepare(cursor, n_rows):
    cursor.execute("DROP TABLE IF EXISTS bench_metrics")
    cursor.execute("""CREATE TABLE bench_metrics AS
        SELECT r < p AS y, p, r < 0.5 AS h, round(p::numeric, 2)::float8 AS tied, 0.5 + r AS w,
            chr(97 + floor(3 * r)::int) AS label, chr(97 + floor(3 * p)::int) AS predicted,
            100 * p AS t, 100 * p + 10 * r AS x
        FROM (SELECT setseed(0.5)) AS s,
            LATERAL (SELECT random() AS p, random() AS r FROM generate_series(1, %s)) AS g""",
                   (n_rows,))
    cursor.execute("VACUUM ANALYZE bench_metrics")


def ns(cursor, call, n_rows):
    """A tool: what the call costs per row beyond the scan."""
    def run():
        scan = server.Run(cursor, "SELECT count(*) FROM bench_metrics").cpu
        return (server.Run(cursor, f"SELECT {call} FROM bench_metrics").cpu - scan) / n_rows * 1e9
    return run


def measure(options, results, name, calls, goals):
    tools = {"corr": ns(results.cursor, "corr(t, x)", options.rows)}
    tools.update({tool: ns(results.cursor, call, options.rows) for tool, call in calls.items()})
    values = peers.rounds(options.rounds, 3600, tools)
    results.row("metrics", f"{name}: {options.rows:,} rows", "ns CPU per row", "corr", values, goals)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    results = record.Record("metrics", server.serial)
    prepare(results.cursor, options.rows)
    results.case("one pass", lambda: measure(options, results, "one pass", ONE_PASS,
                                             {tool: ["ratio <=", 3] for tool in ONE_PASS}))
    results.case("ranked", lambda: measure(options, results, "ranked", RANKED, {}))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

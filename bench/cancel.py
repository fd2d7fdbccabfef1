"""How late a training stops: statement_timeout at many moments of a long one.

    bench/cancel.py [--rows 400000] [--trees 100] [--moments 40]

Prints the delay between the moment asked for and the error, by share of the training's own
time, serial and with two workers.
"""
import argparse
import statistics
import time

import psycopg2

import data
import server

TRAIN = ("SELECT churnops_train('cancel', 'SELECT * FROM cancel_data', 'label', "
         "jsonb_build_object('n_estimators', %s), exclude => '{{row_id}}')")


def stopped_after(cursor, statement, timeout):
    cursor.execute(f"SET statement_timeout = {int(timeout * 1000)}")
    start = time.perf_counter()
    try:
        cursor.execute(statement)
        return None
    except psycopg2.errors.QueryCanceled:
        return time.perf_counter() - start - timeout
    finally:
        cursor.execute("RESET statement_timeout")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--moments", type=int, default=40)
    options = parser.parse_args()
    cursor = server.connect()
    server.load(cursor, "cancel_data", data.mixed(options.rows)[0])
    statement = TRAIN.replace("{{", "{").replace("}}", "}") % options.trees
    for workers in (0, 2):
        cursor.execute(f"SET max_parallel_maintenance_workers = {workers}")
        start = time.perf_counter()
        cursor.execute(statement)
        total = time.perf_counter() - start
        cursor.execute("SELECT churnops_drop_model('cancel')")
        delays = []
        for moment in range(1, options.moments + 1):
            share = moment / (options.moments + 1)
            delay = stopped_after(cursor, statement, total * share)
            if delay is None:
                cursor.execute("SELECT churnops_drop_model('cancel')")
            else:
                delays.append((delay * 1000, share))
        worst, share = max(delays)
        print(f"{workers} workers, a training of {total:.1f} s, stopped at {len(delays)} moments: "
              f"median {statistics.median(d for d, _ in delays):.0f} ms late, "
              f"worst {worst:.0f} ms (at {share:.0%})")


if __name__ == "__main__":
    main()

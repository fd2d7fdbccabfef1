"""Peak memory of trainings: private memory of the backend and its workers, and shared memory.

    bench/memory.py [--rows 1000000 5000000] [--trees 10] [--depth 10] [--workers 2]
                    [--memory 3GB]

20 columns (10 continuous, 5 small integers, 3 categories, 2 of noise), made by the server.  The
bound is 10 bytes per cell and 100 per row; the model comes on top.  What the server's own cache
of tables takes is not counted.
"""
import argparse
import os
import re
import sys
import threading
import time

import record
import server

COLUMNS = 20
SAMPLE_SECONDS = 0.01

TABLE = """
CREATE UNLOGGED TABLE memory_data AS
SELECT {columns}, u.x0 - u.x1 + u.x2 * u.x3 + 1.5 * hashint8extended(i, 99) / 2^63 > 0.6 AS label
FROM generate_series(1, {rows}) AS i, LATERAL (SELECT {continuous} OFFSET 0) AS u"""


def make_table(cursor, rows):
    """The table memory_data with that many rows."""
    names = [f"x{k}" for k in range(12)]
    continuous = ", ".join(f"hashint8extended(i, {k}) / 2^63 AS {name}"
                           for k, name in enumerate(names))
    columns = [f"u.{name}" for name in names]
    columns += [f"abs(hashint8extended(i, {20 + k}) % {8 * (k + 2)})::integer AS n{k}"
                for k in range(5)]
    columns += [f"'code ' || abs(hashint8extended(i, {30 + k}) % 12) AS c{k}" for k in range(3)]
    cursor.execute("DROP TABLE IF EXISTS memory_data")
    cursor.execute(TABLE.format(columns=", ".join(columns), continuous=continuous, rows=rows))
    cursor.execute("VACUUM ANALYZE memory_data")


def private_bytes(pid):
    """Resident private memory of a process; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return int(re.search(r"RssAnon:\s+(\d+) kB", file.read()).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


def workers_of(pid):
    """Processes that name the backend as their leader."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", encoding="utf-8") as file:
                    if f"parallel worker for PID {pid}" in file.read():
                        found.append(entry)
            except OSError:
                pass
    return found


def shared_bytes():
    system = os.statvfs("/dev/shm")
    return (system.f_blocks - system.f_bfree) * system.f_frsize


class Watch(threading.Thread):
    """Watches what a backend, its workers and shared memory take beyond what they did before."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.before = private_bytes(pid) + shared_bytes()
        self.peak = 0
        self.done = False

    def run(self):
        while not self.done:
            used = private_bytes(self.pid) + shared_bytes()
            used += sum(private_bytes(worker) for worker in workers_of(self.pid))
            self.peak = max(self.peak, used - self.before)
            time.sleep(SAMPLE_SECONDS)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.join()


def limit_bytes(cursor, memory):
    cursor.execute("SELECT pg_size_bytes(%s)", (memory,))
    return cursor.fetchone()[0]


def train(options, memory):
    """Train once in a connection of its own: (run, peak, what the training told)."""
    cursor = server.connect(**{"churnops.training_memory": memory,
                               "max_parallel_maintenance_workers": options.workers,
                               "client_min_messages": "debug1"})
    with Watch(server.backend(cursor)) as watch:
        run = server.Run(cursor, "SELECT ref FROM churnops_train('memory', 'TABLE memory_data', "
                         "'label', jsonb_build_object('n_estimators', %s, 'max_depth', %s))",
                         options.trees, options.depth)
    told = "".join(cursor.connection.notices)
    cursor.execute("SELECT churnops_drop_model('memory')")
    cursor.connection.close()
    return run, watch.peak, told


def measure(options, results, rows, memory):
    """The rows of one training: memory, its estimate, and time."""
    limit = limit_bytes(results.cursor, memory)
    run, peak, told = train(options, memory)
    used, estimate, model = (int(kb) * 1024 for kb in re.search(
        r"(\d+) kB of memory used, (\d+) kB estimated, (\d+) kB the model", told).groups())
    bound = rows * (10 * COLUMNS + 100) + model
    row = f"{rows:,} rows, setting {memory}"
    megabytes = {"bound": bound, "peak": peak, "setting": limit, "model": model}
    results.row("memory", row, "MB", None,
                {name: [value / 1e6] for name, value in megabytes.items()},
                {"peak": ["<=", min(bound, limit) / 1e6]})
    results.row("memory estimate", row, "MB", "used",
                {"used": [used / 1e6], "estimated": [estimate / 1e6]},
                {"estimated": ["ratio within", 0.2]})
    results.row("memory time", row, "s", None,
                {"wall": [run.wall], "CPU": [run.cpu],
                 **{name: [seconds] for name, seconds in run.phases.items()}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000000, 5000000])
    parser.add_argument("--trees", type=int, default=10)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", nargs="+", default=["3GB"],
                        help="churnops.training_memory, one run for each")
    options = parser.parse_args()
    results = record.Record("memory", server.connect)

    def case(rows):
        make_table(results.cursor, rows)
        for memory in options.memory:
            measure(options, results, rows, memory)

    for rows in options.rows:
        results.case(f"{rows:,} rows", lambda rows=rows: case(rows))
    results.cursor.execute("DROP TABLE IF EXISTS memory_data")
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

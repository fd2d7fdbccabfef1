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
import threading
import time

import server

MIB = 1024 * 1024
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


def measure(options, rows):
    """Train once; print a line of the table."""
    cursor = server.connect(**{"churnops.training_memory": options.memory,
                               "max_parallel_maintenance_workers": options.workers,
                               "client_min_messages": "debug1"})
    cursor.execute("SELECT pg_backend_pid()")
    pid = cursor.fetchone()[0]
    cursor.execute("SELECT pg_stat_reset()")
    watch = Watch(pid)
    watch.start()
    statement = ("SELECT ref FROM churnops_train('memory', 'TABLE memory_data', 'label', "
                 "jsonb_build_object('n_estimators', %s, 'max_depth', %s))")
    _, cpu, wall = server.timed(cursor, statement, options.trees, options.depth)
    watch.done = True
    watch.join()
    notes = "".join(cursor.connection.notices)
    used, estimate, model = (int(kb) * 1024 for kb in re.search(
        r"(\d+) kB of memory used, (\d+) kB estimated, (\d+) kB the model", notes).groups())
    phases = re.findall(r"churnops: ([a-z ]+) after ([\d.]+) s, (\d+) kB at most", notes)
    cursor.execute("SELECT churnops_drop_model('memory')")
    bound = rows * (10 * COLUMNS + 100)
    print(f"{rows:>10} {options.memory:>7} {watch.peak / MIB:>8.0f} {bound / MIB:>8.0f} "
          f"{watch.peak / rows:>8.0f} {used / MIB:>8.0f} {estimate / MIB:>8.0f} "
          f"{model / MIB:>6.1f} {wall:>7.1f} {cpu:>7.1f}", flush=True)
    for name, seconds, kb in phases:
        print(f"{'':>10} {name}: {float(seconds):.1f} s, {int(kb) / 1024:.0f} MiB at most",
              flush=True)
    cursor.connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000000, 5000000])
    parser.add_argument("--trees", type=int, default=10)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", nargs="+", default=["3GB"],
                        help="churnops.training_memory, one run for each")
    options = parser.parse_args()
    budgets = options.memory
    print("MiB: peak measured, bound, bytes per row; used and estimated as churnops counts; "
          "seconds of wall clock and of the backend's CPU")
    print(f"{'rows':>10} {'setting':>7} {'peak':>8} {'bound':>8} {'B/row':>8} {'used':>8} "
          f"{'estimate':>8} {'model':>6} {'wall':>7} {'cpu':>7}")
    for rows in options.rows:
        make_table(server.connect(), rows)
        for options.memory in budgets:
            measure(options, rows)


if __name__ == "__main__":
    main()

"""Single rows: what a client sees of one call, and what its connection holds.

    bench/points.py [--only TEXT] [--seconds 5] [--rounds 5] [--connections 200]

Transactions per second of a prepared query of one row by its key, by pgbench, with the call and
without; the first call of a new connection with a model of 5 MB; the memory of connections that
have called it.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import time

import data
import peers
import record
import server

ROWS = 20000
WITH = "SELECT churnops_predict('points', t) FROM bench_points t WHERE row_id = {id}"
WITHOUT = "SELECT x0 FROM bench_points t WHERE row_id = {id}"


def pgbench(query, seconds, clients):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"\\set id random(0, {ROWS - 1})\n" + query.format(id=":id") + ";\n")
        script.flush()
        out = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-T", str(seconds), "-c", str(clients), "-j", "1",
             "-f", script.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=True).stdout
    return float(re.search(r"tps = ([0-9.]+)", out).group(1))


def load(cursor):
    frame, _ = data.mixed(ROWS)
    server.load(cursor, "bench_points", frame)
    cursor.execute("ALTER TABLE bench_points ADD PRIMARY KEY (row_id)")


def transactions(options, results):
    server.train(results.cursor, "points", "bench_points", "label", 100, 10)
    for clients in (1, 2):
        values = peers.rounds(options.rounds, 3600, {
            "without": lambda: pgbench(WITHOUT, options.seconds, clients),
            "with": lambda: pgbench(WITH, options.seconds, clients)})
        results.row("point queries", f"{clients} client" + "s" * (clients > 1),
                    "transactions per second", "without", values, {"with": ["ratio >=", 0.85]})


def milliseconds(cursor, query):
    begin = time.perf_counter()
    cursor.execute(query)
    cursor.fetchall()
    return (time.perf_counter() - begin) * 1000


def train_of_size(cursor, megabytes):
    """A model whose artifact has about that size."""
    trees, size = 20, None
    for _ in range(2):
        server.train(cursor, "points", "bench_points", "label", trees, 0)
        cursor.execute("SELECT artifact_bytes FROM churnops.versions WHERE model = 'points'")
        size = cursor.fetchone()[0] / 1e6
        trees = max(round(trees * megabytes / size), 1)
    return size


def first_calls(options, results):
    """Each in a new connection that has used the table before, as any has after a moment."""
    size = train_of_size(results.cursor, 5)
    values = {"first": [], "second": [], "without": []}
    for i in range(options.rounds * 2):
        cursor = server.serial()
        milliseconds(cursor, WITHOUT.format(id=i))
        values["without"].append(milliseconds(cursor, WITHOUT.format(id=i)))
        values["first"].append(milliseconds(cursor, WITH.format(id=i)))
        values["second"].append(milliseconds(cursor, WITH.format(id=i)))
        cursor.connection.close()
    results.row("first call", f"model of {size:.1f} MB", "ms", "without", values,
                {"first": ["<=", 10]})


def memory(pids):
    """Proportional and private bytes of processes; the server's shared buffers are shared by
    all, so only their part in one process counts."""
    total = {"Pss_Anon": 0, "Pss": 0}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            text = file.read()
        for name in total:
            found = re.search(rf"^{name}:\s+(\d+)", text, re.M)
            total[name] += int(found.group(1)) * 1024
    return total


def connections(options, results):
    """What a call adds to each of many connections."""
    size = train_of_size(results.cursor, 5)
    cursors = [server.serial() for _ in range(options.connections)]
    pids = [server.backend(cursor) for cursor in cursors]
    held = []
    for query in (WITHOUT, WITH):
        for i, cursor in enumerate(cursors):
            cursor.execute(query.format(id=i))
            cursor.fetchall()
        held.append(memory(pids))
    for cursor in cursors:
        cursor.connection.close()
    n = options.connections
    results.row("connections", f"{n} connections, model of {size:.1f} MB", "bytes per connection",
                "private before", {
                    "private before": [held[0]["Pss_Anon"] / n],
                    "private after": [held[1]["Pss_Anon"] / n],
                    "added by the call": [(held[1]["Pss_Anon"] - held[0]["Pss_Anon"]) / n],
                    "added, with a share of shared memory": [
                        (held[1]["Pss"] - held[0]["Pss"]) / n]})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each run of pgbench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--only", help="cases whose name has this text")
    options = parser.parse_args()
    results = record.Record("points", server.serial)
    load(results.cursor)
    cases = {"transactions": transactions, "first call": first_calls, "connections": connections}
    for name, work in cases.items():
        if not options.only or options.only in name:
            results.case(name, lambda work=work: work(options, results))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

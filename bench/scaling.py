"""How time and memory grow with rows, columns, trees and processes: what the plots are made of.

    bench/scaling.py [--rounds 3] [--seconds 60] [--scale 1.0]

Training of the mixed columns, depth 10: CPU seconds, and the most private memory while it runs
(a peer's includes the array that it makes, not the one it is given).
"""
import argparse

import data
import peers
import record
import server

ROWS, TREES = 100000, 100
NAMES = [name for name in peers.ALL if name != peers.RANGER]
SWEEPS = {
    "rows": [10000, 30000, 100000, 300000, 1000000],
    "columns": [20, 50, 100, 200],
    "trees": [10, 30, 100, 300],
}


def table(cursor, others, n_rows, n_columns):
    frame, target = data.wide(n_rows, n_columns) if n_columns > 20 else data.mixed(n_rows)
    server.load(cursor, "bench_train", frame)
    return others.rows(frame, frame[:1000], target), target


def ours(target, trees):
    """Each in a connection of its own, whose memory begins small."""
    cursor = server.serial()
    with server.PeakMemory(server.backend(cursor)) as memory:
        run = server.train(cursor, "bench", "bench_train", target, trees, 10)
    cursor.connection.close()
    return {"cpu": run.cpu, "peak": memory.peak}


def point(cursor, options, results, sweep, x):
    """With new processes of the peers, whose memory begins small, too."""
    with peers.Peers(NAMES) as others:
        results.peers = others
        measure(cursor, others, options, results, sweep, x)


def measure(cursor, others, options, results, sweep, x):
    n_rows = x if sweep == "rows" else ROWS
    n_rows = max(int(n_rows * options.scale), 1000)
    trees = x if sweep == "trees" else TREES
    rows, target = table(cursor, others, n_rows, x if sweep == "columns" else 20)
    tools = {"churnops": lambda: ours(target, trees)}
    for peer in others:
        tools[peer.name] = lambda peer=peer: peer.fit(rows, trees, 10, 1)
    costs = peers.rounds(options.rounds, options.seconds, tools)
    for what, unit, scale in (("cpu", "CPU s", 1), ("peak", "MB", 1e-6)):
        values = {name: [c and c[what] and c[what] * scale for c in found]
                  for name, found in costs.items()}
        results.row(f"{what} by {sweep}", str(x if sweep != "rows" else n_rows), unit,
                    "churnops", values)


def by_processes(cursor, options, results):
    """Wall seconds of a training, by the number of processes."""
    n_rows = max(int(1000000 * options.scale), 1000)
    frame, target = data.mixed(n_rows)
    server.load(cursor, "bench_train", frame)
    tools = {}
    for n in (1, 2, 3, 4):
        on = server.connect(max_parallel_maintenance_workers=n - 1,
                            max_parallel_workers_per_gather=n - 1)
        tools[str(n)] = lambda on=on: server.train(on, "bench", "bench_train", target, TREES,
                                                   10).wall
    values = peers.rounds(options.rounds, 600, tools)
    for n, found in values.items():
        results.row("wall by processes", n, "wall s", "churnops", {"churnops": found})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60,
                        help="a tool that has used more at a point rests")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    options = parser.parse_args()
    cursor = server.serial()
    results = record.Record("scaling", cursor)
    for sweep, xs in SWEEPS.items():
        for x in xs:
            point(cursor, options, results, sweep, x)
    by_processes(cursor, options, results)


if __name__ == "__main__":
    main()

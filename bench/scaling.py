"""How time and memory grow with rows, columns, trees and processes: what the plots are made of.

    bench/scaling.py [--only TEXT] [--rounds 3] [--seconds 20] [--scale 1.0] [--most 3]

Training of the mixed columns, depth 10: CPU seconds, and the most private memory while it runs
(a peer's includes the array that it makes, not the one it is given).
"""
import argparse
import sys

import data
import memory
import peers
import record
import server

ROWS, TREES = 100000, 100
SWEEPS = {
    "rows": [10000, 30000, 100000, 300000, 1000000],
    "columns": [20, 50, 100, 200],
    "trees": [10, 30, 100, 300],
}


class Sweep:
    """Points of all sweeps; the one that they share is measured once."""

    def __init__(self, options, results):
        self.options, self.results, self.others = options, results, results.peers
        self.loaded, self.costs = None, {}

    def table(self, n_rows, n_columns):
        wanted = (n_rows, n_columns, len(self.results.failed))
        if self.loaded != wanted:
            frame, self.target = (data.wide(n_rows, n_columns) if n_columns > 20
                                  else data.mixed(n_rows))
            server.load(self.results.cursor, "bench_train", frame)
            self.rows = self.others.rows(frame, frame[:1000], self.target)
            self.loaded = wanted

    def ours(self, trees):
        """Each in a connection of its own, whose memory begins small."""
        cursor = server.serial()
        with server.PeakMemory(server.backend(cursor)) as watch:
            run = server.train(cursor, "bench", "bench_train", self.target, trees, 10)
        cursor.connection.close()
        return {"cpu": run.cpu, "peak": watch.peak}

    def theirs(self, peer, trees):
        """In a new process, for the same reason."""
        peer.restart()
        return peer.fit(self.rows, trees, 10, 1)

    def point(self, sweep, x):
        n_rows = max(int((x if sweep == "rows" else ROWS) * self.options.scale), 1000)
        n_columns = x if sweep == "columns" else 20
        trees = x if sweep == "trees" else TREES
        key = (n_rows, n_columns, trees)
        if key not in self.costs:
            self.table(n_rows, n_columns)
            tools = {"churnops": lambda: self.ours(trees)}
            for peer in self.others.few():
                if "scikit-learn" not in peer.name or \
                        n_rows * trees <= self.options.most * ROWS * TREES:
                    tools[peer.name] = lambda peer=peer: self.theirs(peer, trees)
            self.costs[key] = peers.rounds(self.options.rounds, self.options.seconds, tools)
        for what, unit, scale in (("cpu", "CPU s", 1), ("peak", "MB", 1e-6)):
            values = {name: [c and c[what] and c[what] * scale for c in found]
                      for name, found in self.costs[key].items()}
            self.results.row(f"{what} by {sweep}", str(n_rows if sweep == "rows" else x), unit,
                             "churnops", values)

    def in_processes(self, n):
        """A training by that many, with the memory of all of them and what they share."""
        cursor = server.connect(max_parallel_maintenance_workers=n - 1,
                                max_parallel_workers_per_gather=n - 1)
        with memory.Watch(server.backend(cursor)) as watch:
            run = server.train(cursor, "bench", "bench_train", self.target, TREES, 10)
        cursor.connection.close()
        return {"wall": run.wall, "peak": watch.peak / 1e6}

    def processes(self):
        """Time and memory of a training, by the number of processes."""
        self.table(max(int(1000000 * self.options.scale), 1000), 20)
        costs = peers.rounds(max(self.options.rounds, 3), 600, {
            str(n): lambda n=n: self.in_processes(n) for n in (1, 2, 3, 4)})
        for what, unit in (("wall", "wall s"), ("peak", "MB")):
            for n, found in costs.items():
                self.results.row(f"{what} by processes", n, unit, "churnops",
                                 {"churnops": [cost and cost[what] for cost in found]})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="cases whose name has this text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20,
                        help="a tool that has used more at a point rests")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    parser.add_argument("--most", type=float, default=3,
                        help="scikit-learn is left out where rows by trees are more than so many "
                        "times those of 100,000 rows and 100 trees")
    options = parser.parse_args()
    with peers.Peers([name for name in peers.ALL if name != peers.RANGER]) as others:
        results = record.Record("scaling", server.serial, others)
        sweep = Sweep(options, results)
        cases = {f"{name}: {x:,}": lambda name=name, x=x: sweep.point(name, x)
                 for name, xs in SWEEPS.items() for x in xs}
        cases["processes"] = sweep.processes
        for name, work in cases.items():
            if not options.only or options.only in name:
                results.case(name, work)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())

"""Loading a large CSV file: churnops_load_csv beside the server's COPY of the same file.

    bench/load_csv.py [--megabytes 1000] [--rounds 3] [--folder DIR]

20 columns: 10 numbers with fractions, 5 integers, 3 categories, a time, a text.  COPY gets a table
with the right types; churnops_load_csv finds them out.  CPU seconds, MB/s of them, and the most private
memory that the backend takes above what it had.
"""
import argparse
import os
import random
import statistics
import sys
import tempfile

import server

BLOCK_ROWS = 20000
NAMES = [f"x{k}" for k in range(10)] + [f"n{k}" for k in range(5)] + ["plan", "city", "state", "at", "note"]
TABLE = ("CREATE UNLOGGED TABLE copied (" + ", ".join(f"x{k} double precision" for k in range(10)) + ", " +
         ", ".join(f"n{k} bigint" for k in range(5)) +
         ", plan text, city text, state text, at timestamp, note text)")


def row(draw):
    """One line; one number in twenty is missing."""
    fields = [f"{draw.gauss(0, 100):.6f}" if draw.random() > 0.05 else "" for _ in range(10)]
    fields += [str(draw.randrange(10 ** (k + 1))) for k in range(5)]
    fields += [draw.choice(["basic", "plus", "business"]), f"city {draw.randrange(500)}",
               draw.choice(["NY", "CA", "TX", "WA"]),
               f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02} "
               f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}",
               '"said ""yes"", then no"' if draw.random() < 0.1 else "nothing to say"]
    return ",".join(fields) + "\n"


def make_file(path, megabytes):
    """A file of about that size: a block of rows, over and over."""
    draw = random.Random(1)
    block = "".join(row(draw) for _ in range(BLOCK_ROWS)).encode()
    with open(path, "wb") as file:
        file.write((",".join(NAMES) + "\n").encode())
        while file.tell() < megabytes * 1e6:
            file.write(block)
    return os.path.getsize(path) / 1e6


def measure(statement, prepare):
    """(CPU seconds, wall seconds, bytes) of a statement in a session of its own."""
    cursor = server.connect()
    for line in prepare:
        cursor.execute(line)
    with server.PeakMemory(server.backend(cursor)) as memory:
        run = server.Run(cursor, statement)
    cursor.execute("DROP TABLE copied")
    cursor.connection.close()
    return run.cpu, run.wall, memory.peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where the file goes")
    options = parser.parse_args()
    tools = {
        "COPY": ("COPY copied FROM '{}' (FORMAT csv, HEADER)", [TABLE]),
        "churnops_load_csv": ("SELECT n_rows FROM churnops_load_csv('{}', 'copied', '{{\"unlogged\": true}}')", []),
        "append": ("SELECT n_rows FROM churnops_load_csv('{}', 'copied', '{{\"if_exists\": \"append\"}}')", [TABLE]),
    }
    found = {tool: [] for tool in tools}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "large.csv")
        size = make_file(path, options.megabytes)
        for _ in range(options.rounds):
            for tool, (statement, prepare) in tools.items():
                found[tool].append(measure(statement.format(path), prepare))
    copy = statistics.median(cpu for cpu, _, _ in found["COPY"])
    print(f"{size:.0f} MB, median of {options.rounds}")
    for tool, runs in found.items():
        cpu, wall, peak = (statistics.median(values) for values in zip(*runs))
        print(f"{tool:18} CPU {cpu:6.1f} s = {size / cpu:5.0f} MB/s ({cpu / copy:.2f} of COPY), wall {wall:6.1f} s, "
              f"memory {peak / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())

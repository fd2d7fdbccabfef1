"""A large registry: what resolving a reference costs, and a dump.

    bench/registry.py [--versions 100000] [--events 1000000] [--rounds 30]

Generated rows with one tiny artifact: half of the versions are of one model, the others of 1,000
models; half of the events are of one alias. The first call of churnops_predict in a new
connection, and a later one, are measured with the one model alone and with all of it; then
promotions, the views, pg_dump and its restore. The bar: a first call under 5 ms.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time

import server

MODELS = 1000
ROW = """'{"x": 7}'"""
TRAIN = """SELECT ref FROM churnops_train('big', 'SELECT x, x % 7 AS y FROM generate_series(1, 100) x',
    'y', '{"n_estimators": 1, "max_depth": 2}', task => 'regression')"""

# Copies of the only row of a table, with other keys: whatever columns it has.
COPY = """INSERT INTO churnops.{table} OVERRIDING SYSTEM VALUE
    SELECT r.* FROM churnops.{table} AS t, generate_series({first}, {last}) AS g(i),
        LATERAL (SELECT CASE WHEN i % 2 = 0 THEN 'big' ELSE 'm' || i % {models} END AS m,
            1 + (i + 1) / 2 AS v, 1 + (i - 1) / {models} AS w) AS k,
        LATERAL jsonb_populate_record(t, jsonb_build_object({keys})) AS r
    WHERE {which}"""


def fill(cursor, versions, events):
    """Rows of the registry, as trainings and promotions would have left them."""
    version = "CASE WHEN m = 'big' THEN v ELSE w END"

    def copy(table, keys, last, which, first=2):
        cursor.execute(COPY.format(table=table, keys=keys, first=first, last=last, which=which,
                                   models=MODELS))

    copy("model", "'name', 'm' || i, 'last_version', 1000000", MODELS - 1, "t.name = 'big'", 0)
    cursor.execute("UPDATE churnops.model SET last_version = 1000000 WHERE name = 'big'")
    for table, number in (("dataset", "dataset"), ("run", "run")):
        copy(table, f"'{number}', i, 'model', m, 'dataset', i", versions, f"t.{number} = 1")
    copy("version", f"'model', m, 'version', {version}, 'run', i, 'dataset', i", versions,
         "t.model = 'big' AND t.version = 1")
    copy("version_event", f"'event', i, 'model', m, 'version', {version}", versions, "t.event = 1")
    copy("alias", "'model', 'm' || i", MODELS - 1, "t.model = 'big'", 0)
    copy("alias_event", "'event', i, 'model', m", events, "t.event = 1")
    copy("audit", "'entry', i, 'model', m", versions + events, "t.entry = 2", 3)
    cursor.execute("""SELECT setval(pg_get_serial_sequence('churnops.' || t, c), 10000000)
        FROM (VALUES ('dataset', 'dataset'), ('run', 'run'), ('version_event', 'event'),
            ('alias_event', 'event'), ('audit', 'entry')) AS s(t, c)""")
    cursor.execute("VACUUM ANALYZE")


def milliseconds(cursor, statement):
    begin = time.perf_counter()
    cursor.execute(statement)
    cursor.fetchall()
    return (time.perf_counter() - begin) * 1000


def calls(ref, rounds):
    """First and second call in new connections: what the statements took and cost."""
    runs = []
    for _ in range(rounds):
        cursor = server.connect()
        runs.append([server.Run(cursor, f"SELECT churnops_predict('{ref}', {ROW})")
                     for _ in range(2)])
        cursor.connection.close()
    return zip(*runs)


def command(*words):
    begin = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def measure_calls(size, options):
    for ref in ("big", "big/1"):
        for name, runs in zip(("first", "second"), calls(ref, options.rounds)):
            print(f"{size:>16}  {name:6} call of churnops_predict('{ref}', ...): median "
                  f"{statistics.median(1000 * run.wall for run in runs):.2f} ms, "
                  f"{statistics.median(1000 * run.cpu for run in runs):.2f} ms of CPU")


def measure_others(cursor, options):
    promotions = [milliseconds(cursor, f"SELECT churnops_promote('big/{2 + i % 2}')")
                  for i in range(options.rounds)]
    print(f"a promotion: median {statistics.median(promotions):.2f} ms")
    for query in ("SELECT * FROM churnops.models WHERE name = 'big'",
                  "SELECT * FROM churnops.versions WHERE model = 'big' AND version = 1",
                  "SELECT count(*) FROM churnops.versions"):
        print(f"{query}: {min(milliseconds(cursor, query) for _ in range(3)):.1f} ms")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        file = os.path.join(folder, "registry.dump")
        print(f"pg_dump -Fc: {command('pg_dump', '-Fc', '-f', file):.1f} s, "
              f"{os.path.getsize(file) / 1e6:.0f} MB")
        command("createdb", "restored")
        print(f"pg_restore: {command('pg_restore', '-e', '-j', '2', '-d', 'restored', file):.1f} s")
    os.environ["PGDATABASE"] = "restored"
    measure_calls("restored", options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--versions", type=int, default=100000)
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    cursor = server.connect()
    cursor.execute(TRAIN)
    measure_calls("1 version", options)
    begin = time.perf_counter()
    fill(cursor, options.versions, options.events)
    print(f"{options.versions} versions and {options.events} alias events made in "
          f"{time.perf_counter() - begin:.0f} s")
    measure_calls(f"{options.versions} versions", options)
    measure_others(cursor, options)


if __name__ == "__main__":
    main()

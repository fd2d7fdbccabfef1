"""A connection to the server of the environment (PGHOST …), and what it costs."""
import io
import os
import re
import threading
import time

import psycopg2
from psycopg2 import sql

TICKS = os.sysconf("SC_CLK_TCK")
PHASE = re.compile(r"churnops: (.+) after ([0-9.]+) s")


def _connected():
    """A connection, also to a server that is starting anew after a crash."""
    for _ in range(60):
        try:
            return psycopg2.connect("")
        except psycopg2.OperationalError as error:
            refused = error
            time.sleep(1)
    raise refused


def connect(**settings):
    connection = _connected()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET churnops.progress = off; SET client_min_messages = warning; "
                   "SET churnops.training_memory = '8GB'; SET jit = off")
    for name, value in settings.items():
        setting(cursor, name, value)
    return cursor


def serial(**settings):
    return connect(max_parallel_maintenance_workers=0, max_parallel_workers_per_gather=0,
                   **settings)


def setting(cursor, name, value):
    parts = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
    cursor.execute(sql.SQL("SET {} = {}").format(parts, sql.Literal(value)))


def backend(cursor):
    return cursor.connection.info.backend_pid


def _ticks(pid, first):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[first]) + int(fields[first + 1])) / TICKS


def cpu_seconds(pid):
    """User and system CPU seconds of one process."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9
    except OSError:
        return _ticks(pid, 11)


def workers_seconds(pid):
    """CPU seconds of the parallel workers that have ended: children of the postmaster, as the
    backend is."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        postmaster = file.read().rsplit(")", 1)[1].split()[1]
    return _ticks(postmaster, 13)


class Run:
    """What a statement gave and cost: value, cpu (with its workers), wall, phases."""

    def __init__(self, cursor, statement, *arguments):
        pid = backend(cursor)
        del cursor.connection.notices[:]
        cpu, workers, wall = cpu_seconds(pid), workers_seconds(pid), time.perf_counter()
        cursor.execute(statement, arguments)
        row = cursor.fetchone() if cursor.description else [None]
        self.wall = time.perf_counter() - wall
        self.cpu = cpu_seconds(pid) - cpu + workers_seconds(pid) - workers
        self.value = row[0] if row else None
        self.phases = self._phases(cursor.connection.notices)

    def _phases(self, notices):
        """Wall seconds by phase of a training, if client_min_messages is debug1."""
        phases, before = {}, 0.0
        for name, seconds in PHASE.findall("".join(notices)):
            phases[name] = float(seconds) - before
            before = float(seconds)
        if phases:
            phases["version stored"] = self.wall - before
        return phases


def timed(cursor, statement, *arguments):
    """Run a statement: (first value, CPU seconds, wall seconds)."""
    run = Run(cursor, statement, *arguments)
    return run.value, run.cpu, run.wall


class PeakMemory:
    """The most private memory that a process has while the block runs, in bytes above what it
    had before: by sampling, since its peak would count the server's shared buffers."""

    def __init__(self, pid):
        self.path = f"/proc/{pid}/status"
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.peak = 0

    def _private(self):
        with open(self.path, encoding="ascii") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) * 1024

    def _watch(self):
        while not self.done.wait(0.005):
            self.peak = max(self.peak, self._private() - self.before)

    def __enter__(self):
        self.before = self._private()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def train(cursor, model, table, target, trees, depth, test_size=0.0, task=None):
    """Train a model anew; max_depth has no limit for depth 0."""
    drop(cursor, model)
    return Run(cursor, "SELECT (churnops_train(%s, %s, %s, jsonb_build_object('n_estimators', "
               "%s, 'max_depth', %s), test_size => %s, exclude => '{row_id}', task => %s)).seconds",
               model, f"SELECT * FROM {table}", target, trees, depth or None, test_size, task)


def drop(cursor, model):
    cursor.execute("SELECT count(*) FROM churnops.models WHERE name = %s", (model,))
    if cursor.fetchone()[0]:
        cursor.execute("SELECT churnops_drop_model(%s)", (model,))


def load(cursor, table, frame):
    """Make a table of a pandas frame, with a row number `row_id`."""
    types = {"i": "bigint", "f": "double precision", "b": "boolean", "O": "text", "u": "bigint"}
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(types[frame[c].dtype.kind]))
        for c in frame)
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
    cursor.execute(sql.SQL("CREATE UNLOGGED TABLE {} (row_id bigint, {})").format(name, columns))
    for begin in range(0, len(frame), 200000):
        text = io.StringIO()
        frame[begin:begin + 200000].to_csv(text, header=False, index=True)
        text.seek(0)
        cursor.copy_expert(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name)
                           .as_string(cursor), text)
    cursor.execute(sql.SQL("VACUUM ANALYZE {}").format(name))

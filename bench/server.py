"""A connection to the server of the environment (PGHOST …), and what it costs."""
import io
import os
import time

import psycopg2
from psycopg2 import sql

TICKS = os.sysconf("SC_CLK_TCK")


def connect(**settings):
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET churnops.progress = off; SET client_min_messages = warning")
    for name, value in settings.items():
        cursor.execute(sql.SQL("SET {} = {}").format(
            sql.SQL(name), sql.Literal(value)))
    return cursor


def cpu_seconds(pid):
    """User and system CPU seconds of one process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def timed(cursor, statement, *arguments):
    """Run a statement: (first value, CPU seconds of its backend, wall seconds)."""
    cursor.execute("SELECT pg_backend_pid()")
    pid = cursor.fetchone()[0]
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    cursor.execute(statement, arguments)
    row = cursor.fetchone()
    return row[0], cpu_seconds(pid) - cpu, time.perf_counter() - wall


def load(cursor, table, frame):
    """Make a table of a pandas frame, with a row number `row_id`."""
    types = {"i": "bigint", "f": "double precision", "b": "boolean", "O": "text", "u": "bigint"}
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(types[frame[c].dtype.kind]))
        for c in frame)
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
    cursor.execute(sql.SQL("CREATE UNLOGGED TABLE {} (row_id bigint, {})").format(name, columns))
    text = io.StringIO()
    frame.to_csv(text, header=False, index=True)
    text.seek(0)
    cursor.copy_expert(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name).as_string(cursor),
                       text)
    cursor.execute(sql.SQL("VACUUM ANALYZE {}").format(name))

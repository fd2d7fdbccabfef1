#!/usr/bin/env python3
"""Compares churnops_load_csv with what Python reads of the same files.

    scripts/server.sh python3 test/csv/oracle.py [FILES [SEED]]
    scripts/server.sh python3 test/csv/oracle.py --file PATH...

Makes files of random dialects and values, asks Python's csv module for their
fields, works out types and values from the rules of docs/reference.md by other
means (regular expressions, decimal, datetime), loads them with psql, and
compares names, types and every value.  With --file it takes these files, of
commas and double quotes, instead.  Prints a line per difference; the last line
is "files N, values N, differences N".
"""
import csv
import decimal
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

NULLS = ["", "NA", "N/A", "#N/A", "<NA>", "NULL", "null", "NaN", "nan"]
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
NUMBER = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?\Z")
SPECIAL = re.compile(r"(nan|-?inf|-?infinity)\Z", re.I)
DAY = r"\d{4}-\d\d-\d\d"
TIME = r"[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
ZONE = r"(Z| UTC|[-+](0\d|1[0-5])(:?[0-5]\d)?)"


def day_exists(text):
    try:
        datetime.strptime(text[:10], "%Y-%m-%d")
        return True
    except ValueError:
        return False


def kind(text):
    """What a value may be, most special first."""
    if text in ("t", "f") or text.lower() in ("true", "false"):
        return "boolean"
    if INTEGER.match(text) and -2**63 <= int(text) < 2**63:
        return "bigint"
    if NUMBER.match(text):
        return "number"
    if SPECIAL.match(text):
        return "special"
    for pattern, name in ((DAY, "date"), (DAY + TIME, "timestamp"), (DAY + TIME + ZONE, "timestamptz")):
        if re.match(pattern + r"\Z", text, re.A) and day_exists(text):
            return name
    return "text"


def is_double(text):
    """Do the digits of the nearest double tell the number?"""
    number = decimal.Decimal(text)
    if number == 0:
        return True
    if not -306 <= number.adjusted() <= 307:
        return False
    return len(number.normalize().as_tuple().digits) <= 17 and any(
        decimal.Decimal(f"{float(text):.{n}e}") == number for n in range(17))


def infer(values):
    kinds = {kind(v) for v in values}
    if kinds == {"date", "timestamp"}:
        return "timestamp without time zone"
    if len(kinds) == 1 and kinds <= {"boolean", "bigint", "date", "timestamp", "timestamptz"}:
        return {"timestamp": "timestamp without time zone",
                "timestamptz": "timestamp with time zone"}.get(*kinds, *kinds)
    if kinds and kinds <= {"bigint", "number", "special"} and kinds != {"special"}:
        exact = all(SPECIAL.match(v) or (abs(int(v)) <= 2**53 if kind(v) == "bigint" else is_double(v))
                    for v in values)
        return "double precision" if exact else "numeric"
    return "text"


def moment(text):
    """A time in microseconds, rounded as the server does; with a zone, of UTC."""
    found = re.match(rf"({DAY})(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:{ZONE})?\Z", text)
    day, hour, minute, second, fraction, zone = found.groups()[:6]
    micros = round(decimal.Decimal("0." + (fraction or "0")) * 1000000)
    when = datetime.strptime(day, "%Y-%m-%d") + timedelta(
        hours=int(hour or 0), minutes=int(minute or 0), seconds=int(second or 0), microseconds=micros)
    if zone and zone[0] in "+-":
        sign = -1 if zone[0] == "-" else 1
        when -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone.strip()[3:].lstrip(":") or 0))
    return when


def same(type_name, text, got):
    """Is the server's text the value of the file's?"""
    if type_name == "boolean":
        return got == text[0].lower()
    if type_name == "bigint":
        return int(got) == int(text)
    if type_name == "double precision":
        a, b = float(text), float(got)
        return a == b or (a != a and b != b)
    if type_name == "numeric":
        a, b = decimal.Decimal(text), decimal.Decimal(got)
        return a == b or (a.is_nan() and b.is_nan())
    if type_name == "text":
        return got == text
    return moment(got) == moment(text)


# -- files that are made up ---------------------------------------------------

WORDS = ["x", "yes", "No phone", "Zürich", "日本", "a,b", "a;b", "a|b", "a\tb", 'say "hi"', "it's", "two\nlines",
         "cr\rhere", "crlf\r\nhere", "\\N", "\\.", "\\", " lead", "trail ", "00123", "+49", "1,5", "2024/01/02",
         "12:30", "0x1F", "é\\n", "T", "on"]


def some(kinds):
    return lambda r: r.choice(kinds)(r)


def integer(r):
    return str(r.choice([r.randrange(-100, 100), r.randrange(-2**62, 2**62)]))


def fraction(r):
    return r.choice([f"{r.uniform(-1000, 1000):.{r.randrange(0, 6)}f}", repr(r.uniform(-1e6, 1e6)),
                     f"{r.uniform(-10, 10):.3e}", "-0.0", ".5", "7.", repr(r.random())])


def long_number(r):
    return f"{r.randrange(10**17, 10**24)}.{r.randrange(10**6)}"


def date(r):
    return f"{r.randrange(1, 2400):04}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}"


def clock(r):
    return r.choice([f"{r.randrange(24):02}:{r.randrange(60):02}",
                     f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}",
                     f"23:59:59.{r.choice(['9', '999', '999999', '123456789', '9999999', '000001'])}"])


def timestamp(r):
    return date(r) + r.choice([" ", "T"]) + clock(r)


def timestamptz(r):
    return timestamp(r) + r.choice(["Z", " UTC", "+02", "-0530", "+05:45", "-08"])


def boolean(r):
    return r.choice(["true", "false", "t", "f", "TRUE", "False"])


def word(r):
    return r.choice(WORDS)


def special(r):
    return r.choice(["inf", "-Infinity", "INF", "NAN"])


COLUMNS = [[integer], [integer], [fraction], [fraction, integer], [long_number, fraction], [date], [timestamp],
           [date, timestamp], [timestamptz], [boolean], [word], [word], [word, integer], [special, fraction],
           [special], [timestamp, timestamptz], [boolean, integer], [date, integer]]


def write(path, rows, r, delimiter, quote, escape, newline):
    def cell(text, quoted):
        if not quoted:
            return text
        text = text.replace(escape, escape * 2) if escape != quote else text
        return quote + text.replace(quote, escape + quote) + quote + r.choice(["", "", " "])

    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write("\ufeff" if r.random() < 0.2 else "")
        for i, row in enumerate(rows):
            last = i == len(rows) - 1
            out.write(delimiter.join(cell(*c) for c in row))
            out.write("" if last and r.random() < 0.3 else newline)
            out.write(newline if r.random() < 0.05 else "")


def make_file(path, seed):
    """Writes a file; gives its rows, the names first, as (text, quoted), and its options."""
    r = random.Random(seed)
    delimiter = r.choice([",", ";", "\t", "|"])
    quote = r.choice(['"', '"', "'"])
    escape = r.choice([quote, quote, "\\"])
    newline = r.choice(["\n", "\r\n", "\r"])
    always = r.random() < 0.2
    columns = [r.choice(COLUMNS) for _ in range(r.randrange(2, 9))]
    null_share = r.choice([0, 0.1, 0.5])

    def value(kinds):
        if r.random() < null_share:
            return r.choice(NULLS)
        text = some(kinds)(r)
        return r.choice(["", "", " "]) + text + r.choice(["", " "]) if kinds != [word] else text

    def field(text, plain=False):
        special_bytes = {delimiter, quote, "\n", "\r"}
        must = any(c in special_bytes for c in text) or text.strip(" \t") == "" and len(columns) == 1
        if delimiter == "\t" and text != text.strip("\t"):
            must = True
        return text, bool(must or always or (not plain and r.random() < 0.1))

    names = [f"{r.choice(['c', 'Column ', 'größe '])}{i}" for i in range(len(columns))]
    rows = [[field(n, True) for n in names]]
    for _ in range(r.randrange(1, 60)):
        rows.append([field(value(c)) for c in columns])
    write(path, rows, r, delimiter, quote, escape, newline)
    read = csv.reader(open(path, encoding="utf-8-sig", newline=""), delimiter=delimiter, quotechar=quote,
                      doublequote=escape == quote, escapechar=None if escape == quote else escape)
    texts = [row for row in read if row]
    if [[t for t, q in row if not q] for row in rows] != [
            [t for t, (_, q) in zip(got, row) if not q] for got, row in zip(texts, rows)] and escape == quote:
        raise AssertionError(f"{path}: Python reads other fields than were written")
    options = {"quote": quote, "header": True}
    if escape != quote:
        options["escape"] = escape
    if r.random() < 0.7:
        options["delimiter"] = delimiter
    return rows, options, delimiter


def read_file(path):
    """The rows of a file that is there; quotes are found again from its bytes."""
    with open(path, encoding="utf-8-sig", newline="") as f:
        quoted = [[(t, isinstance(t, str)) for t in row]
                  for row in csv.reader(f, quoting=csv.QUOTE_MINIMAL) if row]
    with open(path, encoding="utf-8-sig", newline="") as f:
        raw = [line.rstrip("\r\n") for line in f]
    rows = []
    for line, row in zip(raw, quoted):
        parts = re.findall(r'("(?:[^"]|"")*"|[^,]*)(?:,|\Z)', line)[:len(row)]
        rows.append([(t, p.startswith('"')) for (t, _), p in zip(row, parts)])
    return rows, {}, ","


# -- comparison ---------------------------------------------------------------

def psql(*arguments, **more):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
                          capture_output=True, text=False, **more)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode()


def compare(path, rows, options):
    """Number of values and a list of differences."""
    names = [t.strip(" \t") for t, _ in rows[0]]
    body = rows[1:]
    types = []
    for i in range(len(names)):
        types.append(infer([row[i][0].strip(" \t") for row in body if row[i][0].strip(" \t") not in NULLS]))
    out = psql("-v", f"path={path}", "-v", f"options={json.dumps(options)}", input=b"""
        SET timezone = 'UTC';
        SET datestyle = 'SQL, DMY';
        SELECT jsonb_build_object('columns', columns, 'rows', n_rows)
        FROM churnops_load_csv(:'path', 'oracle', :'options');
        SET datestyle = 'ISO';
        COPY oracle TO STDOUT (FORMAT csv, NULL '\\N', FORCE_QUOTE *, ENCODING 'UTF8');
        DROP TABLE oracle;""")
    answer, _, data = out.partition("\n")
    answer = json.loads(answer)
    # csv.reader cannot tell NULL from "\N" in quotes, but NULL is not quoted, and all else is
    got_rows = []
    for text, quoted in split_copy(data):
        got_rows.append([(None if not q else t) for t, q in zip(text, quoted)])
    wrong = []
    got_names = [c["name"] for c in answer["columns"]]
    got_types = [c["type"] for c in answer["columns"]]
    if got_names != names:
        wrong.append(f"names {got_names} instead of {names}")
    if got_types != types:
        wrong.append(f"types {got_types} instead of {types}")
    if answer["rows"] != len(body) or len(got_rows) != len(body):
        wrong.append(f"{answer['rows']} rows instead of {len(body)}")
    if wrong:
        return 0, wrong
    for n, (row, got) in enumerate(zip(body, got_rows)):
        for (text, quoted), value, type_name, name in zip(row, got, types, names):
            if type_name == "text":
                expected_null = not quoted and text in NULLS
            else:
                text = text.strip(" \t")
                expected_null = text in NULLS
            if (value is None) != expected_null or value is not None and not same(type_name, text, value):
                wrong.append(f"row {n + 1}, {name}: {value!r} instead of {text!r}, quoted {quoted}")
    return len(body) * len(names), wrong


def split_copy(data):
    """Records of COPY's CSV as two lists: texts, and whether they were quoted."""
    texts, quoted, at = [], [], 0
    while at < len(data):
        if data[at] == '"':
            end = at + 1
            while data[end] != '"' or data[end + 1:end + 2] == '"':
                end += 2 if data[end] == '"' else 1
            texts.append(data[at + 1:end].replace('""', '"'))
            quoted.append(True)
            at = end + 1
        else:
            end = min(i for i in (data.find(",", at), data.find("\n", at)) if i >= 0)
            texts.append(data[at:end])
            quoted.append(False)
            at = end
        if data[at] == "\n":
            yield texts, quoted
            texts, quoted = [], []
        at += 1


def main():
    n_values = 0
    n_files = 0
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        if sys.argv[1:2] == ["--file"]:
            cases = ((path, *read_file(path)) for path in sys.argv[2:])
        else:
            count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
            seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
            path = os.path.join(folder, "file.csv")
            cases = ((path, *make_file(path, s)) for s in range(seed, seed + count))
        for path, rows, options, delimiter in cases:
            n, differences = compare(path, rows, options)
            n_files += 1
            n_values += n
            wrong += [f"file {n_files} ({json.dumps(options)}, {delimiter!r}): {d}" for d in differences]
    for line in wrong[:50]:
        print(line)
    print(f"files {n_files}, values {n_values}, differences {len(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

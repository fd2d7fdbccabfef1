"""Results: shown as they come, and written as JSON lines to RESULTS/TOPIC.jsonl.

The first line tells machine, versions and commit.  Rows of tables:

    {"table", "row", "unit", "base": tool, "values": {tool: [a value or null per round]},
     "goals": {tool: [kind, bound]}, "notes": {tool: {name: value}}, "case", "commit"}

The kind of a goal is "ratio >=", "ratio <=", "ratio within", ">=" or "<=": of the median.  Cases, after their
rows: {"done": name, "source": digest, "seconds"} or {"failed": name, "reason"}.

The ratio of a tool is its value by the base's of the same round; of a rested round, by the
base's median.
"""
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import traceback


def say(text):
    """Progress goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def source():
    """What was measured: a digest of the sources, or nothing that equals another."""
    return os.environ.get("BENCH_SOURCE") or f"unknown at {time.time()}"


def lscpu():
    text = subprocess.run(["lscpu"], stdout=subprocess.PIPE, text=True, check=True,
                          env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout
    fields = dict(re.split(r":\s+", line.strip(), maxsplit=1) for line in text.splitlines()
                  if re.search(r":\s+\S", line))
    return fields


def level():
    """The widest instruction set that ChurnOps may use here, as src/core/cpu.h has them."""
    flags = set(lscpu().get("Flags", "").split())
    if {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vbmi"} <= flags:
        return "avx512"
    return "avx2" if {"avx2", "bmi1", "bmi2", "popcnt"} <= flags else "portable"


def levels():
    names = ["portable", "avx2", "avx512"]
    return names[:names.index(level()) + 1]


def environment(cursor):
    cpu = lscpu()
    cursor.execute("SELECT version(), (SELECT extversion FROM pg_extension "
                   "WHERE extname = 'churnops')")
    server, extension = cursor.fetchone()
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) // 1024
    names = ("Model name", "CPU family", "Model", "CPU(s)", "Thread(s) per core", "L1d cache",
             "L2 cache", "L3 cache")
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": os.environ.get("BENCH_COMMIT", "unknown"),
        "churnops": extension, "server": server,
        "compiler": os.environ.get("BENCH_COMPILER", "unknown"),
        "cpu": {name: cpu[name] for name in names if name in cpu},
        "instruction set": level(), "memory MB": memory, "system": platform.platform(),
        "python": platform.python_version(),
    }


def present(values):
    return [v for v in values if v is not None]


def ratios(values, base):
    """Of a tool to the base, round by round."""
    if not present(base):
        return []
    middle = statistics.median(present(base))
    pairs = [(v, b if b is not None else middle) for v, b in zip(values, base) if v is not None]
    return [v / b for v, b in pairs if b > 0]


def ratio_text(found):
    if not found:
        return "-"
    text = f"{statistics.median(found):.3g}×"
    if len(found) > 1:
        text += f" ({min(found):.3g} to {max(found):.3g})"
    return text


class Record:
    """The results of one program.  Rows that an earlier run on this machine left in the file
    stay until they are measured again; each has the commit that it was measured at."""

    def __init__(self, topic, connect, peers=None):
        folder = os.environ.get("RESULTS", "results")
        os.makedirs(folder, exist_ok=True)
        self.topic, self.path = topic, os.path.join(folder, topic + ".jsonl")
        self.connect, self.cursor = connect, connect()
        self.peers, self.here = peers, environment(self.cursor)
        self.failed, self.n_cases = [], 0
        self.name, self.began = None, time.time()
        self.lines = self._read()
        self.write()

    def _read(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, encoding="utf-8") as file:
            first, *lines = [json.loads(line) for line in file]
        before = first["environment"]
        same = all(before.get(name) == self.here[name] for name in ("cpu", "server", "compiler"))
        return lines if same else []

    def write(self):
        """All lines, since versions may be known only after a row."""
        here = {**self.here, "peers": self.peers.versions() if self.peers else {}}
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            for line in [{"environment": here}, *self.lines]:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        os.replace(self.path + ".new", self.path)

    def _done(self, name):
        """Whether BENCH_RESUME asks to leave out a case that is there, of the same source."""
        return os.environ.get("BENCH_RESUME") and any(
            line.get("done") == name and line["source"] == source() for line in self.lines)

    def case(self, name, work):
        """Run work(), which makes rows.  One that fails is reported, and the next one runs."""
        self.n_cases += 1
        if self._done(name):
            say(f"== {self.topic}, {name}: done before")
            return
        say(f"== {self.topic}, {name}")
        self.name, begin = name, time.time()
        old = [line for line in self.lines if line.get("case") == name]
        line = {"done": name, "source": source()}
        try:
            if self.cursor.connection.closed:
                self.cursor = self.connect()
            work()
        except Exception as error:  # whatever it is, other cases are worth running
            traceback.print_exc()
            self.failed.append(name)
            line = {"failed": name, "reason": f"{type(error).__name__}: {error}".strip()}
        self.lines = [other for other in self.lines
                      if name not in (other.get("done"), other.get("failed"))]
        if "done" in line:
            self.lines = [other for other in self.lines if not any(other is o for o in old)]
        line["seconds"] = round(time.time() - begin)
        self.lines.append(line)
        self.write()
        say(f"   took {line['seconds']} s, {time.time() - self.began:.0f} s in all")

    def end(self):
        """The exit status of the program."""
        if not self.n_cases:
            say(f"{self.topic}: no case has such a name")
        for name in self.failed:
            say(f"FAILED: {self.topic}, {name}")
        return 1 if self.failed or not self.n_cases else 0

    def row(self, table, row, unit, base, values, goals=None, notes=None):
        """A row, of the case that runs."""
        line = {"table": table, "row": row, "unit": unit, "base": base, "values": values,
                "goals": goals or {}, "notes": notes or {}, "case": self.name,
                "commit": os.environ.get("BENCH_COMMIT", "unknown")}
        same = [i for i, old in enumerate(self.lines)
                if (old.get("table"), old.get("row"), old.get("unit")) == (table, row, unit)]
        if same:
            self.lines[same[0]] = line
        else:
            self.lines.append(line)
        self.write()
        show(line)


def show(line):
    """A row, for who watches."""
    values, base = line["values"], line["base"]
    say(f"{line['table']}: {line['row']}, {line['unit']}")
    for tool, found in values.items():
        if not present(found):
            say(f"    {tool:24} -")
            continue
        text = f"    {tool:24} {statistics.median(present(found)):12.5g}"
        if tool != base and present(values.get(base, [])):
            text += "  " + ratio_text(ratios(found, values[base]))
        if tool in line["goals"]:
            words, met = judged(line, tool)
            text += f", {words}: {'met' if met else 'missed'}"
        text += "".join(f"  {k} {v:.4f}" if isinstance(v, float) else f"  {k} {v}"
                        for k, v in line["notes"].get(tool, {}).items())
        say(text)


def goal(factor):
    """A bar of the project against a library: whole with AVX-512, half of the factor with less."""
    return ["ratio >=", factor if level() == "avx512" else factor / 2]


def against(factor, *tools):
    return {tool: goal(factor) for tool in tools}


def judged(line, tool):
    """(goal in words, whether it is met), None where there is no value."""
    kind, bound = line["goals"][tool]
    found = present(line["values"].get(tool) or [])
    ratio = kind.startswith("ratio")
    if ratio:
        found = ratios(line["values"].get(tool) or [], line["values"].get(line["base"]) or [])
    unit = "×" if ratio else f" {line['unit']}"
    words = {">=": f"at least {bound:,.4g}{unit}", "<=": f"at most {bound:,.4g}{unit}",
             "within": f"within {100 * bound:.0f} %"}[kind.split()[-1]]
    if not found:
        return words, None
    middle = statistics.median(found)
    return words, {">=": middle >= bound, "<=": middle <= bound,
                   "within": abs(middle - 1) <= bound}[kind.split()[-1]]

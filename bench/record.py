"""Results: printed as they come, and written as JSON lines to RESULTS/TOPIC.jsonl.

The first line tells machine, versions and commit; each other is a row of a table:

    {"table", "row", "unit", "base": tool, "values": {tool: [a value or null per round]},
     "goals": {tool: ratio}, "notes": {tool: {name: value}}}

The ratio of a tool is its value by the base's of the same round; of a rested round, by the
base's median.
"""
import json
import os
import platform
import re
import statistics
import subprocess
import time


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


def environment(cursor, versions):
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
        "python": platform.python_version(), "peers": versions,
    }


def present(values):
    return [v for v in values if v is not None]


def ratios(values, base):
    """Of a tool to the base, round by round."""
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
    def __init__(self, topic, cursor, peers=None):
        folder = os.environ.get("RESULTS", "results")
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, topic + ".jsonl")
        self.cursor, self.peers = cursor, peers
        self.lines = []
        self.write()

    def write(self):
        """All lines, since versions may be known only after a row."""
        versions = self.peers.versions() if self.peers else {}
        with open(self.path, "w", encoding="utf-8") as file:
            for line in [{"environment": environment(self.cursor, versions)}, *self.lines]:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def row(self, table, row, unit, base, values, goals=None, notes=None):
        """A row.  With a goal for AVX-512 the other levels have half of it."""
        self.lines.append({"table": table, "row": row, "unit": unit, "base": base,
                           "values": values, "goals": goals or {}, "notes": notes or {}})
        self.write()
        print(f"{table}: {row}, {unit}")
        for tool, found in values.items():
            if not present(found):
                continue
            text = f"    {tool:24} {statistics.median(present(found)):12.5g}"
            if tool != base and base in values:
                text += "  " + ratio_text(ratios(found, values[base]))
            if goals and tool in goals:
                text += f", goal {goals[tool]:.3g}×"
            if notes and notes.get(tool):
                text += "  " + ", ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}"
                                         for k, v in notes[tool].items())
            print(text, flush=True)


def goal(factor):
    """A bar of the project: whole with AVX-512, half of the factor with less."""
    return factor if level() == "avx512" else factor / 2

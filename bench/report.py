"""Tables and plots of docs/performance.md, from docs/performance/*.jsonl.

    bench/report.py DOCS

Replaces what is between <!-- begin NAME --> and <!-- end NAME --> and leaves the words around
alone.  Needs Python only.
"""
import collections
import glob
import json
import os
import re
import statistics
import sys

import plot
import record

NAMES = {"churnops": "ChurnOps"}
# plot: (table, title, label of x, label of y)
PLOTS = {
    "time-rows": ("cpu by rows", "Training: time and rows", "rows", "CPU seconds"),
    "time-columns": ("cpu by columns", "Training: time and columns", "columns", "CPU seconds"),
    "time-trees": ("cpu by trees", "Training: time and trees", "trees", "CPU seconds"),
    "time-processes": ("wall by processes", "Training 1,000,000 rows: time and processes",
                       "processes", "wall seconds"),
    "memory-processes": ("peak by processes", "Training 1,000,000 rows: memory and processes",
                         "processes", "peak MB of all"),
    "memory-rows": ("peak by rows", "Training: memory and rows", "rows", "peak MB"),
    "memory-columns": ("peak by columns", "Training: memory and columns", "columns", "peak MB"),
    "memory-trees": ("peak by trees", "Training: memory and trees", "trees", "peak MB"),
}


def read(folder):
    """(environment by topic, rows by table, cases that failed)"""
    environments, tables, failures = {}, {}, []
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        topic = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "environment" in line:
                    environments[topic] = line["environment"]
                elif "table" in line:
                    tables.setdefault(line["table"], []).append({**line, "topic": topic})
                elif "failed" in line:
                    failures.append(f"{topic}, {line['failed']}: {line['reason']}")
    return environments, tables, failures


def tools_of(rows):
    return list(dict.fromkeys(tool for row in rows for tool in row["values"]))


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cell(row, tool):
    values = record.present(row["values"].get(tool) or [])
    if not values:
        return "–"
    text = figure(statistics.median(values))
    base = row["base"]
    if tool == base:
        return f"**{text}**"
    if base in row["values"]:
        found = record.ratios(row["values"][tool], row["values"][base])
        text += "<br>" + record.ratio_text(found).replace(" to ", "–")
    return text


def goal_cells(row):
    """The goals of a row in words, and whether the median meets them."""
    goals, answers = [], []
    for tool in row["goals"]:
        words, met = record.judged(row, tool)
        if met is not None:
            goals.append(f"{NAMES.get(tool, tool)} {words}")
            answers.append("met" if met else "**missed**")
    return ["<br>".join(goals) or "–", "<br>".join(answers) or "–"]


def markdown(header, body):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cells) + " |" for cells in body]
    return "\n".join(lines)


def table(rows):
    # Rows of scoring are about several of our functions: the row says which.
    shared = {row["base"] for row in rows}
    bases = shared if len(shared) > 1 and not shared & {"1 process", "2 processes"} else set()
    tools = [tool for tool in tools_of(rows) if tool not in bases]
    header = ["", "unit", *(["ChurnOps"] if bases else []),
              *(NAMES.get(tool, tool) for tool in tools)]
    goals = any(row["goals"] for row in rows)
    body = []
    for row in rows:
        cells = [row["row"], row["unit"]]
        cells += [cell(row, row["base"])] if bases else []
        cells += [cell(row, tool) for tool in tools]
        body.append(cells + (goal_cells(row) if goals else []))
    return markdown(header + (["goal", "met?"] if goals else []), body)


def quality(rows):
    tools = tools_of(rows)
    body = []
    for row in rows:
        names = list(row["notes"].get(row["base"], {}))
        cells = [row["row"], " / ".join(names)]
        for tool in tools:
            notes = row["notes"].get(tool)
            cells.append(" / ".join(f"{notes[n]:.4f}" for n in names) if notes else "–")
        body.append(cells)
    return markdown(["", "measure", *(NAMES.get(tool, tool) for tool in tools)], body)


def other_commits(topic, commit, rows):
    """Rows that were measured at another commit than the last ones of their file."""
    n_of = collections.Counter(row["commit"] for row in rows if row["topic"] == topic)
    return "".join(f"; {n} rows at {other[:12]}" for other, n in n_of.items()
                   if other != commit)


def machine(e):
    cpu = ", ".join(f"{name} {value}" for name, value in e["cpu"].items())
    return (f"- {cpu}; instruction set {e['instruction set']}; {e['memory MB']:,} MB of memory; "
            f"{e['system']}; {e['server']}; ChurnOps {e['churnops']} built by {e['compiler']}")


def environment(environments, tables, failures):
    """Each machine once, then what was measured at which commit, then what failed."""
    rows = [row for found in tables.values() for row in found]
    lines = list(dict.fromkeys(map(machine, environments.values())))
    for topic, e in environments.items():
        lines.append(f"- **{topic}**, {e['date']}, commit {e['commit'][:12]}"
                     f"{other_commits(topic, e['commit'], rows)}"
                     + "".join(f"; {n} {v}" for n, v in e["peers"].items()))
    lines += [f"- **failed**: {failure}" for failure in failures]
    return "\n".join(lines)


def draw(folder, tables):
    """The plots that there are figures for, as images."""
    images = []
    for name, (source, title, x_label, y_label) in PLOTS.items():
        rows = tables.get(source)
        if not rows:
            continue
        series = {}
        for tool in tools_of(rows):
            medians = [(float(row["row"]), record.present(row["values"].get(tool) or []))
                       for row in rows]
            series[NAMES.get(tool, tool)] = [(x, max(statistics.median(found), 1e-3))
                                             for x, found in medians if found]
        plot.lines(os.path.join(folder, name + ".svg"), title, x_label, y_label, series)
        images.append(f"![{title}](performance/{name}.svg)")
    return "\n\n".join(images)


def parts(folder):
    environments, tables, failures = read(folder)
    found = {"environment": environment(environments, tables, failures),
             "plots": draw(folder, tables)}
    for name, rows in tables.items():
        found[name] = table(rows)
    if "training" in tables:
        found["quality"] = quality(tables["training"])
    return found


def main():
    docs = sys.argv[1]
    path = os.path.join(docs, "performance.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, part in parts(os.path.join(docs, "performance")).items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end),
                      lambda _, part=part, begin=begin, end=end: f"{begin}\n{part}\n{end}", text,
                      flags=re.S)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()

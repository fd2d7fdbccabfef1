"""Line plots as SVG, readable on light and dark pages."""
import math

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 52
# of a series by its place: on white, on dark
COLOURS = [("#c2410c", "#fb923c"), ("#1d4ed8", "#7aa2ff"), ("#0e7490", "#4dd0e1"),
           ("#15803d", "#6fcf7f"), ("#7e22ce", "#c99bff"), ("#52525b", "#b0b0b8")]
STYLE = """
text {{ font: 13px system-ui, sans-serif; fill: #1f2328; }}
.title {{ font-size: 15px; font-weight: 600; }}
.page {{ fill: #ffffff; }} .grid {{ stroke: #d8dee4; }} .line {{ fill: none; stroke-width: 2; }}
.first {{ stroke-width: 3.5; }}
{light}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }} .page {{ fill: #0d1117; }} .grid {{ stroke: #30363d; }}
{dark}
}}"""


def colours(n, which):
    rules = []
    for i in range(n):
        colour = COLOURS[i % len(COLOURS)][which]
        rules.append(f".s{i} {{ stroke: {colour}; }} .d{i}, text.t{i} {{ fill: {colour}; }}")
    return "\n".join(rules)


def decades(low, high):
    """Round numbers of a logarithmic axis, fewer of each power of ten where there are many."""
    for steps in ((1, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0 ** e for e in range(math.floor(math.log10(low)) - 1,
                                              math.ceil(math.log10(high)) + 1) for m in steps]
        ticks = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if len(ticks) <= 8:
            break
    return ticks


def number(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


class Axis:
    """Logarithmic, from a little below the least value to a little above the greatest."""

    def __init__(self, values, begin, end, margin):
        self.low, self.high = min(values) / margin, max(values) * margin
        self.begin, self.end = begin, end
        self.ticks = decades(self.low, self.high)

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)


def labels(ends):
    """Heights of the names at the ends of lines, moved apart."""
    placed, last = {}, -math.inf
    for name, y in sorted(ends.items(), key=lambda end: end[1]):
        last = placed[name] = max(y, last + 16)
    return placed


def lines(path, title, x_label, y_label, series):
    """Write a plot.  series: name → [(x, y)], the first drawn thickest."""
    series = {name: points for name, points in series.items() if points}
    points = [p for found in series.values() for p in found]
    x = Axis([p[0] for p in points], LEFT, WIDTH - RIGHT, 1.05)
    y = Axis([p[1] for p in points], HEIGHT - BOTTOM, TOP, 1.25)
    x.ticks = sorted({p[0] for p in points})
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'role="img" aria-label="{title}">',
           "<style>" + STYLE.format(light=colours(len(series), 0),
                                    dark=colours(len(series), 1)) + "</style>",
           f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
           f'<text class="title" x="{LEFT}" y="24">{title}</text>']
    for tick in y.ticks:
        at = y.at(tick)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" '
                   f'y2="{at:.1f}"/><text x="{LEFT - 8}" y="{at + 4:.1f}" '
                   f'text-anchor="end">{number(tick)}</text>')
    for tick in x.ticks:
        at = x.at(tick)
        out.append(f'<line class="grid" y1="{TOP}" y2="{HEIGHT - BOTTOM}" x1="{at:.1f}" '
                   f'x2="{at:.1f}"/><text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" '
                   f'text-anchor="middle">{number(tick)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" '
               f'text-anchor="middle">{x_label}</text>')
    out.append(f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
               f'text-anchor="middle">{y_label}</text>')
    names = labels({name: y.at(found[-1][1]) for name, found in series.items()})
    for i, (name, found) in reversed(list(enumerate(series.items()))):
        places = [(x.at(a), y.at(b)) for a, b in found]
        path_text = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        first = " first" if i == 0 else ""
        out.append(f'<polyline class="line{first} s{i}" points="{path_text}"/>')
        out.extend(f'<circle class="d{i}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in places)
        out.append(f'<text class="t{i}" x="{places[-1][0] + 10:.1f}" '
                   f'y="{names[name] + 4:.1f}">{name}</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")

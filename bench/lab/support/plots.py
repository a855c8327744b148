"""Plots: SVG through gnuplot, for the page; none where it is missing."""

import shutil
import subprocess

from allocation import CASES, RUNTIMES
from places import CASE_TITLES
from tables import MIB, memory_each

OURS, THEIRS = "#2e8b57", "#5b7083"
# One each for the runtimes; ours are the greens.
CURVE_COLORS = ["#2e8b57", "#7bbf6a", "#333333", "#c1272d", "#1f6fb2", "#63a7dc", "#e9a23b"]
PANEL_WIDTH, PANEL_HEIGHT, PANEL_COLUMNS = 286, 170, 3


def gnuplot(text):
    outcome = subprocess.run(["gnuplot"], input=text, capture_output=True, text=True, timeout=60, check=False)
    if outcome.returncode != 0:
        raise RuntimeError(f"gnuplot: {outcome.stderr.strip()[-300:]}")


def quoted(text):
    return "\"" + text.replace("\\", "").replace("\"", "'") + "\""


def start(path, width, height):
    return (f"set terminal svg size {width},{height} dynamic noenhanced font \"sans-serif,13\" background \"white\"\n"
            f"set output {quoted(str(path))}\nset grid lc rgb \"#dddddd\"\nset border lc rgb \"#888888\"\n"
            "set tics textcolor rgb \"#222222\"\n")


def block(name, series):
    """Gnuplot's data: lines of points; an empty line between two lines."""
    return f"${name} << END\n" + "\n\n".join(
        "\n".join(f"{x:.6g} {y:.6g}" for x, y in line) for line in series) + "\nEND\n"


def draw_bars(path, title, values, is_logarithmic):
    """Bars, the best first, each with its number; values: [(name, value, is ours)]."""
    rows = "".join(f"{quoted(name)} {value:.6g} {int((OURS if is_ours else THEIRS)[1:], 16)} \"{value:,.0f}\"\n"
                   for name, value, is_ours in values)
    greatest = max(value for _, value, _ in values)
    least = min(value for _, value, _ in values) / 3 if is_logarithmic else 0
    text = f"$data << END\n{rows}END\n" + start(path, 860, 70 + 26 * len(values))
    text += (f"set title {quoted(title)}\nset style fill solid\nunset key\nset lmargin 16\n"
             f"set yrange [{len(values) - 0.4}:-0.6]\nset ytics nomirror scale 0\n"
             f"set xtics nomirror format \"%.0s%c\"\n"
             f"set xrange [{least:.6g}:{greatest * (3 if is_logarithmic else 1.15):.6g}]\n")
    text += "set logscale x\n" if is_logarithmic else ""
    text += (f"plot $data using ({least:.6g}):0:({least:.6g}):2:($0-0.32):($0+0.32):3:ytic(1) "
             "with boxxyerror lc rgb variable, $data using 2:0:4 with labels left offset 0.6,0\n")
    gnuplot(text)


def draw_panels(path, title, axis, panels, is_logarithmic):
    """A small panel each, all of one scale; panels: [(name, [[(x, y), ...] a line], is ours)]."""
    rows = -(-len(panels) // PANEL_COLUMNS)
    heights = [y for _, series, _ in panels for line in series for _, y in line]
    text = "".join(block(f"panel{index}", series) for index, (_, series, _) in enumerate(panels))
    text += start(path, PANEL_WIDTH * PANEL_COLUMNS, PANEL_HEIGHT * rows + 50)
    end = max(x for _, series, _ in panels for line in series for x, _ in line)
    text += (f"set multiplot layout {rows},{PANEL_COLUMNS} title {quoted(f'{title}; {axis}')}\nunset key\n"
             "set lmargin 6\nset rmargin 1.5\nset tmargin 1.6\nset bmargin 1.8\n"
             f"set xtics nomirror\nset ytics nomirror format \"%.0s%c\"\nset xrange [0:{end:.6g}]\n"
             f"set yrange [{min(heights) / 1.5 if is_logarithmic else 0:.6g}:{max(heights) * 1.2:.6g}]\n")
    text += "set logscale y\n" if is_logarithmic else ""
    for index, (name, _, is_ours) in enumerate(panels):
        text += (f"set title {quoted(name)} offset 0,-0.6\nplot $panel{index} using 1:2 with lines lw 2 lc rgb "
                 f"\"{OURS if is_ours else THEIRS}\"\n")
    gnuplot(text + "unset multiplot\n")


def draw_curves(path, title, curves):
    """How long the rarest operations take; curves: {name: (color, [(one in so many, ns)])}."""
    text = "".join(block(f"curve{index}", [points]) for index, (_, points) in enumerate(curves.values()))
    text += start(path, 860, 440)
    text += (f"set title {quoted(title)}\nset logscale xy\nset key outside right reverse Left samplen 2\n"
             "set xlabel \"one operation in so many\"\nset ylabel \"takes longer than, ns\"\n"
             "set format x \"%.0s%c\"\nset format y \"%.0s%c\"\n"
             "set tics nomirror\nset xrange [1:]\nset yrange [10:*]\nplot ")
    text += ", \\\n ".join(f"$curve{index} using 1:2 with lines lw 2 lc rgb \"{color}\" title {quoted(name)}"
                           for index, (name, (color, _)) in enumerate(curves.items())) + "\n"
    gnuplot(text)


def bars(run):
    """(table, file, title, values, is logarithmic) of each bar chart."""
    findings = run.findings

    def gather(value_of, is_less_better):
        values = [(peer.title, max(1.0, value_of(peer)), peer.is_ours) for peer in run.peers
                  if value_of(peer) is not None]
        return sorted(values, key=lambda row: row[1] if is_less_better else -row[1])

    yield ("connections", "memory", "User memory of an idle connection, bytes (logarithmic)",
           gather(lambda peer: (memory_each(findings, peer, run.settings) or [None])[0], True), True)
    for connections, _ in run.settings.open_loads:
        yield (f"latency-{connections}", f"latency-{connections}",
               f"p99.9 of /json, {connections:,} connections, open loop, µs (logarithmic)",
               gather(lambda peer, name=f"open_{connections}_p999_us": findings.value(peer.name, name), True), True)
    for metric, title in (("keep_alive", "Keep-alive requests a second"),
                          ("pipelined", "Requests a second, 16 deep")):
        yield ("throughput", metric, title,
               gather(lambda peer, name=f"{metric}_per_second": findings.value(peer.name, name), False), False)


def rounds_of(findings, prefix, subject, kind):
    """What a kind of timeline says of a subject, a list a round."""
    return [note[kind] for key, note in sorted(findings.notes.items())
            if key.startswith(prefix) and key.endswith(f"/{subject}") and note.get(kind)]


def panels(run):
    """(table, file, title, axis, panels, is logarithmic) of each plot over time."""
    for connections, _ in run.settings.open_loads:
        found = []
        for peer in run.peers:
            rounds = rounds_of(run.findings, f"latency/{connections} connections/", peer.name, "timeline")
            # What was answered after the last whole second is not one.
            lines = [[(second + 1 + number * (run.settings.open_seconds + 1), max(1.0, max_us))
                      for second, _, _, max_us in timeline[:run.settings.open_seconds]]
                     for number, timeline in enumerate(rounds)]
            if lines:
                found.append((peer.title, lines, peer.is_ours))
        yield (f"latency-{connections}", f"stalls-{connections}",
               f"The longest stall of each second, {connections:,} connections",
               "µs (logarithmic) over seconds" + (", a line a round" if run.settings.rounds > 1 else ""), found, True)
    found = [(peer.title, [[(second, size / MIB) for second, size in timeline] for timeline in rounds], peer.is_ours)
             for peer in run.peers
             if (rounds := rounds_of(run.findings, "troubles/leak/", peer.name, "memory_timeline"))]
    yield ("troubles", "memory-over-time", "Resident memory under a steady load",
           "MiB (logarithmic) over seconds", found, True)


def draw_all(folder, run):
    """{table: [(path, title)]}"""
    found = {}
    if shutil.which("gnuplot") is None:
        return found

    def add(table, name, title):
        path = folder / f"lab-{name}.svg"
        found.setdefault(table, []).append((path, title))
        return path

    for table, name, title, values, is_logarithmic in bars(run):
        if values:
            draw_bars(add(table, name, title), title, values, is_logarithmic)
    for table, name, title, axis, several, is_logarithmic in panels(run):
        if several:
            draw_panels(add(table, name, title), title, axis, several, is_logarithmic)
    for case in CASES:
        curves = {}
        for runtime, color in zip(RUNTIMES, CURVE_COLORS):
            note = run.findings.notes.get(f"allocation/{case}/{runtime.name}", {})
            if note.get("curve"):
                curves[runtime.title] = (color, note["curve"])
        if curves:
            title = f"Allocating {CASE_TITLES[case]}: the least that each operation took, timer included"
            draw_curves(add(f"allocation-{case}", f"allocation-{case}", title), title, curves)
    return found

"""Plots: SVG through gnuplot, which is asked for by name and may be missing."""

import shutil
import subprocess

# gnuplot's own colours are too pale for lines on white.
COLORS = ["#999999", "#c1272d", "#e9a23b", "#7a3e9d", "#b0568c", "#1f6fb2", "#2e8b57", "#5c4033",
          "#000000", "#4f8f8f"]


def is_available():
    return shutil.which("gnuplot") is not None


def _series(name, points):
    """A named block of gnuplot's data."""
    lines = [f"{x:.6g} {y:.6g}" for x, y in points]
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def _panel(number, panel):
    title, curves, marks = panel
    plots = []
    for index, label in enumerate(curves):
        color = COLORS[index % len(COLORS)]
        plots.append(f"$panel{number}_{index} using 1:2 with lines lw 2 lc rgb \"{color}\" "
                     f"title \"{label}\"")
    if marks:
        plots.append(f"$panel{number}_marks using 1:2 with points pt 2 ps 1.2 lw 2 lc rgb \"black\" "
                     "title \"as claimed\"")
    key = "on" if number == 0 else "off"
    return f"set key {key}\nset title \"{title}\"\nplot " + ", \\\n     ".join(plots) + "\n"


def curves(path, heading, panels, columns):
    """Latency by rarity, a panel each: (title, {label: [(one in so many, ns)]}, [marks]).

    A curve's height at 1,000 is what one allocation in a thousand exceeds.
    """
    rows = -(-len(panels) // columns)
    text = "".join(_series(f"panel{number}_{index}", points)
                   for number, (_, named, _) in enumerate(panels)
                   for index, points in enumerate(named.values()))
    text += "".join(_series(f"panel{number}_marks", marks)
                    for number, (_, _, marks) in enumerate(panels) if marks)
    text += (f"set terminal svg size {430 * columns},{380 * rows} font \"sans-serif,12\" "
             f"background \"white\"\nset output \"{path}\"\n"
             f"set multiplot layout {rows},{columns} title \"{heading}\"\n"
             "set logscale xy\nset grid lc rgb \"#dddddd\"\nset key top left reverse Left\n"
             "set xlabel \"one operation in so many\"\nset ylabel \"takes longer than, ns\"\n"
             "set format x \"10^{%T}\"\nset xrange [1:]\nset yrange [10:100000]\n")
    text += "".join(_panel(number, panel) for number, panel in enumerate(panels))
    text += "unset multiplot\n"
    outcome = subprocess.run(["gnuplot"], input=text, capture_output=True, text=True, timeout=60,
                             check=False)
    if outcome.returncode != 0:
        raise RuntimeError(f"gnuplot failed: {outcome.stderr.strip()[-400:]}")

"""Writing: a run as JSON, as Markdown, as plots, and as a page that a person would rather read."""

import html
import json
import shutil
import statistics
import subprocess

import machine

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d9dee3; --ours: #e8f3ec; --soft: #57606a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0f1419; --line: #30363d; --ours: #14301f; --soft: #9aa4af }
}
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif;
       color: var(--ink); background: var(--paper) }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem } p { max-width: 48rem }
.soft { color: var(--soft) } .scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: inherit }
td.long { white-space: normal; text-align: left; min-width: 18rem }
tr { background: var(--paper) } tr.ours { background: var(--ours) }
figure { margin: 1rem 0; background: #fff; border-radius: .4rem } img { max-width: 100%; height: auto }
"""


def about(findings, head):
    """What a reader has to know before the first table."""
    known = machine.facts()
    noise = findings.noise()
    lines = [
        f"{known['cpu']}, {known['cpus']} cores, {known['memory_mib'] / 1024:.0f} GiB, Linux "
        f"{known['kernel']}, everything on loopback of this one machine.",
        f"Settings: {head['settings']}. Load before each step: "
        f"{statistics.median(findings.loads):.1f} at the median, {max(findings.loads):.1f} at the most.",
    ]
    if noise is not None:
        lines.append(f"Noise: rounds of the same measurement lie {100 * noise:.0f} % apart (median over the "
                     "peers, keep-alive throughput).")
    return lines


def plain_words(places):
    """Where zerog is not first, in a sentence each."""
    sentences = []
    for what, place, leaders, _ in places.rows:
        if place not in ("1", "–"):
            sentences.append(f"zerog is not first in {what}: it comes {place}th, behind {leaders}."
                             .replace("2th", "2nd").replace("3th", "3rd"))
    return sentences or ["zerog is first, or shares the first place, in everything that is listed."]


def markdown(tables, peers, findings, head):
    text = "# The lab: the article's two tables, measured\n\n"
    text += f"`./dev lab{' --quick' if head['settings'] == 'quick' else ''}` wrote this page.\n\n"
    text += "\n".join(f"- {line}" for line in about(findings, head)) + "\n\n"
    for table in tables:
        text += f"## {table.title}\n\n{table.text}\n\n"
        text += "| " + " | ".join(table.columns) + " |\n"
        text += "| " + " | ".join(["---"] + ["---:"] * (len(table.columns) - 1)) + " |\n"
        for index, row in enumerate(table.rows):
            cells = [f"**{cell}**" if index in table.ours and place == 0 else cell
                     for place, cell in enumerate(row)]
            text += "| " + " | ".join(cells) + " |\n"
        text += "\n"
        if table.name == "places":
            text += "\n".join(f"- {sentence}" for sentence in plain_words(table)) + "\n\n"
    text += "## The peers, and how they were tuned\n\n"
    for peer in peers:
        text += f"- **{peer.title}** {peer.version}: {' '.join(peer.value('tuning', '').split())}\n"
    failures = findings.failures()
    if failures:
        text += "\n## What could not be measured\n\n"
        text += "".join(f"- {key}: {reason}\n" for key, reason in failures.items())
    return text


def page_table(table):
    text = "<div class=scroll><table><thead><tr>"
    text += "".join(f"<th scope=col>{html.escape(column)}" for column in table.columns)
    text += "</thead><tbody>"
    for index, row in enumerate(table.rows):
        text += "<tr class=ours>" if index in table.ours else "<tr>"
        for place, cell in enumerate(row):
            kind = " class=long" if len(cell) > 60 else ""
            text += f"<td{kind}>{html.escape(cell)}" if place else \
                f"<th scope=row>{html.escape(cell)}"
    return text + "</tbody></table></div>\n"


def page(tables, peers, findings, head, plots):
    text = "<!doctype html><html lang=en><meta charset=utf-8>" \
           "<meta name=viewport content=\"width=device-width\"><title>zerog: the lab</title>" \
           f"<style>{STYLE}</style>\n<h1>The lab</h1>\n" \
           "<p class=soft>The article's two tables, measured: " + " ".join(
               html.escape(line) for line in about(findings, head)) + "</p>\n"
    for table in tables:
        text += f"<h2>{html.escape(table.title)}</h2><p>{html.escape(table.text)}</p>\n"
        if table.name == "places":
            text += "<ul>" + "".join(f"<li>{html.escape(sentence)}"
                                     for sentence in plain_words(table)) + "</ul>\n"
        text += page_table(table)
        for name, path in plots.items():
            if name == table.name:
                text += f"<figure><img src=\"{path.name}\" alt=\"{html.escape(table.title)}\"></figure>\n"
    text += "<h2>The peers, and how they were tuned</h2><dl>"
    for peer in peers:
        text += f"<dt><b>{html.escape(peer.title)}</b> {html.escape(peer.version)}" \
                f"<dd>{html.escape(' '.join(peer.value('tuning', '').split()))}"
    return text + "</dl></html>\n"


def draw_bars(path, title, unit, values, is_logarithmic):
    """Bars, the smallest first; ours in another colour."""
    rows = "".join(f"\"{name}\" {value:.6g} {color}\n" for name, value, color in values)
    text = (f"$data << END\n{rows}END\nset terminal svg size 860,{60 + 30 * len(values)} font "
            f"\"sans-serif,13\" background \"white\"\nset output \"{path}\"\nset title \"{title}\"\n"
            f"set xlabel \"{unit}\"\nset style fill solid\nset grid x lc rgb \"#dddddd\"\nunset key\n"
            f"set yrange [{len(values) - 0.4}:-0.6]\nset ytics nomirror\n")
    text += "set logscale x\n" if is_logarithmic else "set xrange [0:*]\n"
    start = min(value for _, value, _ in values) / 2 if is_logarithmic else 0
    text += (f"plot $data using ({start:.6g}):0:({start:.6g}):2:($0-0.35):($0+0.35):3:ytic(1) "
             "with boxxyerror lc rgb variable\n")
    outcome = subprocess.run(["gnuplot"], input=text, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise RuntimeError(f"gnuplot: {outcome.stderr.strip()[-300:]}")


def plots(folder, findings, peers, settings):
    """One bar chart a table that has one; the names of tables and the files."""
    if shutil.which("gnuplot") is None:
        return {}
    wanted = [
        ("connections", "User memory of an idle connection", "bytes", True,
         lambda peer: (findings.slope(peer.name, settings.connection_counts) or [None])[0]),
        ("throughput", "Keep-alive requests", "requests a second", False,
         lambda peer: findings.value(peer.name, "keep_alive_per_second")),
    ]
    for connections, _ in settings.open_loads:
        wanted.append((f"latency-{connections}", f"p99.9 of /json, {connections:,} connections, open loop",
                       "microseconds", True,
                       lambda peer, connections=connections: findings.value(
                           peer.name, f"open_{connections}_p999_us")))
    found = {}
    for name, title, unit, is_logarithmic, value in wanted:
        values = [(peer.title, max(1.0, value(peer)), 0x2e8b57 if peer.is_ours else 0x8899aa)
                  for peer in peers if value(peer) is not None]
        if not values:
            continue
        path = folder / f"lab-{name}.svg"
        draw_bars(path, title, unit, sorted(values, key=lambda row: row[1]), is_logarithmic)
        found[name] = path
    return found


def write_json(path, findings, peers, head, places):
    rows = [{"subject": subject, "metric": metric, "value": statistics.median(samples),
             "unit": findings.units[metric], "spread": [min(samples), max(samples)]}
            for (subject, metric), samples in findings.samples.items()]
    path.write_text(json.dumps({
        "bench": "lab", "machine": machine.facts(), "settings": head["settings"],
        "versions": {peer.name: peer.version for peer in peers},
        "load_before": {"median": statistics.median(findings.loads), "max": max(findings.loads)},
        "noise": findings.noise(), "rows": rows,
        "places": [dict(zip(places.columns, row)) for row in places.rows],
        "failed": findings.failures(),
        "notes": {key: note for key, note in findings.notes.items() if "end" in note or "note" in note},
    }, indent=1) + "\n", encoding="utf-8")


def write_all(folder, findings, peers, settings, head, tables):
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots(folder, findings, peers, settings)
    (folder / "lab.md").write_text(markdown(tables, peers, findings, head), encoding="utf-8")
    (folder / "lab.html").write_text(page(tables, peers, findings, head, drawn), encoding="utf-8")
    places = next(table for table in tables if table.name == "places")
    write_json(folder / "lab.json", findings, peers, head, places)
    return folder / "lab.html"

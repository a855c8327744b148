"""Writing: a run as JSON, as Markdown, and as a page with its plots."""

import json
import statistics

import machine
import markdown
import page
import plots
from tables import memory_each, memory_million


def sample_rows(findings):
    return [{"subject": subject, "metric": metric, "value": statistics.median(samples),
             "unit": findings.units[metric], "spread": [min(samples), max(samples)]}
            for (subject, metric), samples in findings.samples.items()]


def derived_rows(run):
    """What is drawn from several samples, and so has no spread of its own."""
    for peer in run.peers:
        each = memory_each(run.findings, peer, run.settings)
        million = memory_million(run.findings, peer, run.settings)
        if each is not None:
            error = each[1] or 0.0
            yield {"subject": peer.name, "metric": "memory_each", "value": each[0], "unit": "bytes",
                   "spread": [each[0] - error, each[0] + error]}
        if million is not None:
            yield {"subject": peer.name, "metric": "memory_million", "value": million, "unit": "bytes"}


def data(run):
    """The run for programs; docs/reference/lab.md describes it."""
    findings = run.findings
    places = next((table for table in run.tables if table.name == "places"), None)
    return {
        "bench": "lab", "command": run.command, "settings": run.settings.name, "machine": machine.facts(),
        "load_before": {"median": statistics.median(findings.loads or [0]),
                        "max": max(findings.loads, default=0)},
        "noise": findings.noise(),
        "peers": [{"name": peer.name, "title": peer.title, "version": peer.version,
                   "claimed_memory_mb": peer.value("claimed_memory_mb")} for peer in run.peers],
        "left_out": {peer.title: peer.skipped for peer in run.left_out},
        "rows": sample_rows(findings) + list(derived_rows(run)),
        "places": [] if places is None else [
            {"what": row[0], "place": row[1].value, "of": row[2].value, "zerog": row[3], "best": row[4],
             "first": row[5], "order": row[6]} for row in places.rows],
        "failed": findings.failures(),
        "notes": {key: note for key, note in findings.notes.items()},
    }


def write_all(folder, run):
    """Everything into a folder; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw_all(folder, run)
    (folder / "lab.md").write_text(markdown.document(run), encoding="utf-8")
    (folder / "lab.html").write_text(page.document(run, drawn), encoding="utf-8")
    (folder / "lab.json").write_text(json.dumps(data(run), indent=1) + "\n", encoding="utf-8")
    return folder / "lab.html"

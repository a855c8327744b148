"""Page: a run as HTML that a person would rather read; one file and its plots, no scripts."""

import html

from places import plain_words

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d9dee3; --ours: #e6f4ea; --soft: #57606a;
        --best: #11692f; --head: #f3f5f7 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0f1419; --line: #30363d; --ours: #12291b; --soft: #9aa4af; --best: #6fdd8b;
          --head: #1a2129 }
  img { filter: invert(.93) hue-rotate(180deg) }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif;
       color: var(--ink); background: var(--paper); overflow-wrap: break-word }
h1 { margin: 0; line-height: 1.2 } h2 { margin: 3rem 0 .5rem; line-height: 1.25 } p, ul, dl { max-width: 52rem }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem } a { color: inherit }
.soft, .text, dd { color: var(--soft) } ul { padding-left: 1.2rem } dd { margin: 0 0 .8rem }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; max-width: 100%;
          width: fit-content }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap;
         font-weight: normal; background: var(--paper) }
tbody tr:last-child > * { border-bottom: 0 }
thead th { background: var(--head); vertical-align: bottom; white-space: normal; line-height: 1.25; min-width: 4.2rem }
thead small { display: block; color: var(--soft) }
th:first-child { text-align: left; position: sticky; left: 0; border-right: 1px solid var(--line); min-width: 7rem }
tr.ours > * { background: var(--ours) } tr.ours th { font-weight: 600 }
td.best { color: var(--best); font-weight: 700 } td.best::before { content: "\\25B8\\00A0" }
.words { text-align: left } td.long { white-space: normal; text-align: left; min-width: 22rem }
.places th:first-child { white-space: normal } .places td:nth-child(2) { font-weight: 700; font-size: 1.05rem }
figure { margin: 1.2rem 0 } img { max-width: 100%; height: auto; display: block }
@media (max-width: 40rem) {
  body { padding: 1rem .8rem } th:first-child { max-width: 8.5rem; white-space: normal } table { font-size: .82rem }
  th, td { padding: .25rem .5rem } td.long { min-width: 15rem }
}
"""
LONG = 40  # characters: more are broken into lines


def column_head(column):
    """The unit, which is what follows the last comma, on a line of its own."""
    name, comma, unit = column.rpartition(", ")
    return f"{html.escape(name)}<small>{html.escape(unit)}</small>" if comma else html.escape(column)


def is_words(table, column):
    """Whether a column holds text rather than numbers."""
    return any(len(row[column]) > LONG for row in table.rows) or \
        not any(row[column][:1].isdigit() or row[column][:1] == "-" for row in table.rows)


def cell(text, is_best, is_text):
    kind = "best" if is_best else "long" if len(text) > LONG else "words" if is_text else ""
    return f"<td{f' class={kind}' if kind else ''}>{html.escape(text)}"


def table_text(table):
    best = table.best()
    text = f"<div class=\"scroll {table.name}\" tabindex=0><table><thead><tr>"
    words = [is_words(table, column) for column in range(len(table.columns))]
    text += "".join(f"<th scope=col{' class=words' if is_text else ''}>{column_head(column)}"
                    for column, is_text in zip(table.columns, words))
    text += "</thead><tbody>\n"
    for index, row in enumerate(table.rows):
        text += "<tr class=ours>" if index in table.ours else "<tr>"
        text += f"<th scope=row>{html.escape(row[0])}"
        text += "".join(cell(row[place], (index, place) in best, words[place])
                        for place in range(1, len(row))) + "\n"
    return text + "</tbody></table></div>\n"


def section(table, plots):
    text = f"<h2 id={table.name}>{html.escape(table.title)}</h2>\n"
    if table.name == "places":
        text += "<ul>" + "".join(f"<li>{html.escape(sentence)}" for sentence in plain_words(table)) + "</ul>\n"
    text += f"<p class=text>{html.escape(table.text)}</p>\n" + table_text(table)
    for path, title in plots.get(table.name, []):
        text += f"<figure><img loading=lazy src=\"{path.name}\" alt=\"{html.escape(title)}\"></figure>\n"
    return text


def pairs(heading, rows):
    """A list of names, each with what is said of it; nothing where there is none."""
    if not rows:
        return ""
    return f"<h2>{heading}</h2><dl>" + "".join(
        f"<dt><b>{html.escape(name)}</b> {html.escape(more)}<dd>{html.escape(' '.join(text.split()))}"
        for name, more, text in rows) + "</dl>\n"


def document(run, plots):
    text = "<!doctype html>\n<html lang=en><meta charset=utf-8>" \
           "<meta name=viewport content=\"width=device-width\"><title>zerog: the lab</title>\n" \
           f"<style>{STYLE}</style>\n<h1>The lab</h1>\n" \
           "<p>The article's two tables, measured: zerog beside the frameworks that the article names, and those " \
           "that people would choose, on one machine. " \
           f"<code>{run.command}</code> wrote this page. In each column the best is marked \u25b8.</p>\n<ul class=soft>"
    text += "".join(f"<li>{html.escape(line)}" for line in run.about()) + "</ul>\n<nav>"
    text += "".join(f"<a href=#{table.name}>{html.escape(table.title.partition(':')[0])}"
                    f"{html.escape(table.title.partition(':')[1] + table.title.partition(':')[2])}</a>"
                    for table in run.tables) + "</nav>\n"
    text += "".join(section(table, plots) for table in run.tables)
    text += pairs("The peers, and how they were tuned",
                  [(peer.title, peer.version, peer.value("tuning", "")) for peer in run.peers])
    text += pairs("Who took no part", [(peer.title, "", peer.skipped) for peer in run.left_out])
    text += pairs("What could not be measured",
                  [(key, "", reason) for key, reason in run.findings.failures().items()])
    text += pairs("What cannot be measured",
                  [(subject, "", reason) for subject, reason in run.findings.remarks().items()])
    return text + "</html>\n"

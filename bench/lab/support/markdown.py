"""Markdown: a run as text that reads well as it is."""

from places import plain_words


def escape(text):
    """A cell's or a line's text: nothing in it is markup, or ends the cell."""
    for character in "\\`*_<>[]|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def table_lines(table):
    best = table.best()
    yield "| " + " | ".join(map(escape, table.columns)) + " |"
    yield "| " + " | ".join(["---"] + ["---:"] * (len(table.columns) - 1)) + " |"
    for index, row in enumerate(table.rows):
        cells = [f"**{escape(cell)}**" if (index in table.ours and place == 0) or (index, place) in best
                 else escape(cell) for place, cell in enumerate(row)]
        yield "| " + " | ".join(cells) + " |"


def lists(run):
    """What stands below the tables: (heading, lines), those that are not empty."""
    yield "The peers, and how they were tuned", [
        f"**{escape(peer.title)}** {escape(peer.version)}: {escape(peer.value('tuning', ''))}" for peer in run.peers]
    yield "Who took no part", [f"**{escape(peer.title)}**: {escape(peer.skipped)}" for peer in run.left_out]
    yield "What could not be measured", [f"{escape(key)}: {escape(reason)}"
                                         for key, reason in run.findings.failures().items()]
    yield "What cannot be measured", [f"{escape(subject)}: {escape(reason)}"
                                      for subject, reason in run.findings.remarks().items()]


def document(run):
    text = "# The lab: the article's two tables, measured\n\n"
    text += f"`{run.command}` wrote this page. The best of each column is bold.\n\n"
    text += "\n".join(f"- {escape(line)}" for line in run.about()) + "\n"
    for table in run.tables:
        text += f"\n## {escape(table.title)}\n\n{escape(table.text)}\n\n"
        text += "\n".join(table_lines(table)) + "\n"
        if table.name == "places":
            text += "\n" + "\n".join(f"- {escape(sentence)}" for sentence in plain_words(table)) + "\n"
    for heading, lines in lists(run):
        if lines:
            text += f"\n## {heading}\n\n" + "\n".join(f"- {line}" for line in lines) + "\n"
    return text

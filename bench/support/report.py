"""Reports: rows with stable names, a table for people, JSON for programs."""

import json
import statistics
import sys
import time

import machine


class Report:
    """Collects samples by subject and metric; a row is the median with its spread."""

    def __init__(self, bench):
        self.bench = bench
        self.machine = machine.facts()
        self.samples = {}
        self.units = {}
        self.ratios = {}

    def add(self, subject, metric, value, unit):
        self.samples.setdefault((subject, metric), []).append(value)
        self.units[metric] = unit

    def value(self, subject, metric):
        """The median, or None when it was not measured."""
        samples = self.samples.get((subject, metric))
        return statistics.median(samples) if samples else None

    def add_ratio(self, subject, metric, name, other):
        """subject / other, recorded under `name`; None when one is missing.

        Round by round, and then the median: what disturbs one round disturbs both.
        """
        ours = self.samples.get((subject, metric), [])
        theirs = self.samples.get((other, metric), [])
        pairs = [our / their for our, their in zip(ours, theirs) if their]
        if not pairs:
            return None
        ratio = statistics.median(pairs)
        self.ratios.setdefault((subject, metric), {})[name] = ratio
        return ratio

    def rows(self):
        for (subject, metric), samples in self.samples.items():
            row = {
                "subject": subject,
                "metric": metric,
                "value": statistics.median(samples),
                "unit": self.units[metric],
                "spread": [min(samples), max(samples)],
            }
            if (subject, metric) in self.ratios:
                row["ratio_to"] = self.ratios[subject, metric]
            yield row

    def write_json(self, path, **extra):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"bench": self.bench, "machine": self.machine,
                       "rows": list(self.rows()), **extra}, file, indent=1)
            file.write("\n")

    def table(self, title, subjects, columns):
        """Print one line a subject; columns are (heading, metric, format, with spread)."""
        lines = [["", *(heading for heading, *_ in columns)]]
        for subject in subjects:
            cells = [subject]
            for _, metric, form, has_spread in columns:
                samples = self.samples.get((subject, metric))
                cells.append(_cell(samples, form, has_spread))
            lines.append(cells)
        widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
        print(f"\n{title}")
        for line in lines:
            print("  " + line[0].ljust(widths[0]) + "  "
                  + "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:])))


def _cell(samples, form, has_spread):
    if not samples:
        return "-"
    text = format(statistics.median(samples), form)
    if has_spread and len(samples) > 1:
        text += f" ({format(min(samples), form)}-{format(max(samples), form)})"
    return text


def verdict(name, value, target, is_met, form=".2f"):
    """One line of the final judgement; returns it as a dictionary for the JSON."""
    if value is None:
        print(f"  NOT MEASURED  {name} (target {target})")
        return {"name": name, "target": target, "measured": None, "met": None}
    word = "MET         " if is_met else "MISSED      "
    print(f"  {word}  {name}: {format(value, form)} (target {target})")
    return {"name": name, "target": target, "measured": value, "met": is_met}


class Progress:
    """What is being done and how long the rest will take, on stderr."""

    def __init__(self, seconds_expected):
        self.start = time.monotonic()
        self.seconds_expected = seconds_expected
        self.is_terminal = sys.stderr.isatty()

    def expect(self, fraction_done):
        """Reckon anew from how much of the work is behind us; at 0 the first guess stays."""
        if fraction_done > 0:
            self.seconds_expected = (time.monotonic() - self.start) / fraction_done

    def say(self, text):
        left = max(0.0, self.seconds_expected - (time.monotonic() - self.start))
        line = f"[{left:4.0f} s left] {text}"
        if self.is_terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self):
        if self.is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

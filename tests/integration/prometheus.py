"""A strict reader of Prometheus' text format, version 0.0.4: whatever is not as it says is an error.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\\\|\\n)+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\+Inf|[0-9.e+-]+)")
PART = re.compile(r"_(bucket|sum|count)$")


class FormatError(AssertionError):
    pass


def check(condition, message):
    if not condition:
        raise FormatError(message)


def parse_labels(text):
    labels = {}
    for name, value in re.findall(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"', text or ""):
        check(name not in labels, f"the label {name} is said twice")
        labels[name] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
    return labels


class Family:
    """One metric: its type, its help, and its samples as (name, labels, value)."""

    def __init__(self, name):
        self.name = name
        self.help = None
        self.kind = None
        self.samples = []

    def check(self):
        check(self.help and self.kind, f"{self.name} lacks its help or its type")
        check(self.samples, f"{self.name} has no sample")
        check((self.kind == "counter") == self.name.endswith("_total"),
              f"{self.name}: counters end with _total, and nothing else does")
        seen = [(name, tuple(sorted(labels.items()))) for name, labels, _ in self.samples]
        check(len(seen) == len(set(seen)), f"{self.name} has one sample twice")
        names = [set(labels) - {"le"} for _, labels, _ in self.samples]
        check(all(each == names[0] for each in names), f"{self.name}: labels differ")
        for name, labels, value in self.samples:
            check(math.isfinite(value), f"{name} {labels} is {value}")
            check(self.kind == "gauge" or value >= 0, f"{name} is below 0")
        if self.kind == "histogram":
            self.check_histogram()

    def check_histogram(self):
        buckets = [(float(labels["le"].replace("+Inf", "inf")), value)
                   for name, labels, value in self.samples if name.endswith("_bucket")]
        rest = {name: value for name, _, value in self.samples if not name.endswith("_bucket")}
        check(set(rest) == {self.name + "_sum", self.name + "_count"}, f"{self.name}: {set(rest)}")
        for column in zip(*buckets):
            check(list(column) == sorted(column), f"{self.name}: buckets rise, and are cumulative")
        check(buckets[-1] == (math.inf, rest[self.name + "_count"]), f"{self.name}: +Inf is all")


def parse(text):
    """name -> Family, or FormatError."""
    families = {}
    current = None
    check(text.endswith("\n"), "the last line is not ended")
    for line in text[:-1].split("\n"):
        helped, typed, sampled = HELP.fullmatch(line), TYPE.fullmatch(line), SAMPLE.fullmatch(line)
        check(helped or typed or sampled, f"not a line of the format: {line!r}")
        if helped:
            check(helped[1] not in families, f"the help of {helped[1]} is given twice")
            current = families[helped[1]] = Family(helped[1])
            current.help = helped[2]
        elif typed:
            check(current and typed[1] == current.name and not current.samples,
                  f"the type of {typed[1]} must follow its help")
            check(current.kind is None, f"the type of {typed[1]} is given twice")
            current.kind = typed[2]
        else:
            name = sampled[1]
            owner = PART.sub("", name) if current and current.kind == "histogram" else name
            check(current and owner == current.name, f"{name} stands outside its family")
            current.samples.append((name, parse_labels(sampled[2]), float(sampled[3])))
    for family in families.values():
        family.check()
    return families

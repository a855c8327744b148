#!/usr/bin/python3
"""Measured: the README's figures are those of bench/results, which the benches wrote.

`./dev docs` puts the tables between the README's two marks.
"""

import json
import os

import source

README = "README.md"
RESULTS = os.path.join("bench", "results")
BEGIN = "<!-- measured: written by ./dev docs from bench/results -->\n"
END = "<!-- end of measured -->\n"
MIB = "bytes, shown in MiB"

CONNECTION_ROWS = [
    ("connections_held", "connections held, each served a request first", "{:,.0f}"),
    ("connections_lost", "lost", "{:,.0f}"),
    ("answered_again", "of 10,000 at random, answered again", "{:,.0f}"),
    ("resident_before", "resident memory before they came, MiB", MIB),
    ("resident_top", "resident memory with all of them, MiB", MIB),
    ("resident_after", "resident memory after they left, MiB", MIB),
    ("plan_total", "what the plan had said, MiB", MIB),
    ("mallocs_since_seal", "calls to malloc since the seal", "{:,.0f}"),
    ("kernel_each_both_ends", "kernel memory a connection, both ends, bytes", "{:,.0f}"),
    ("open_seconds", "seconds to open them all", "{:.0f}"),
]
HTTP_COLUMNS = [
    ("requests_per_second", "requests/s", "{:,.0f}"),
    ("latency_p50_us", "p50 µs", "{:,.0f}"),
    ("latency_p99_us", "p99 µs", "{:,.0f}"),
    ("latency_p999_us", "p99.9 µs", "{:,.0f}"),
    ("cpu_us_per_request", "CPU µs a request", "{:.2f}"),
    ("user_us_per_request", "user µs", "{:.2f}"),
    ("syscalls_per_request", "system calls", "{:.2f}"),
    ("pipelined_requests_per_second", "pipelined requests/s", "{:,.0f}"),
    ("new_connections_per_second", "new connections/s", "{:,.0f}"),
]


def load(root, name):
    with open(os.path.join(root, RESULTS, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def value_of(report, subject, metric):
    for row in report["rows"]:
        if row["subject"] == subject and row["metric"] == metric:
            return row["value"]
    return None


def table(rows):
    heading, *body = rows
    lines = [heading, ["---"] + ["---:"] * (len(heading) - 1), *body]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cell(value, form):
    if value is None:
        return ""
    return f"{value / (1 << 20):.2f}" if form is MIB else form.format(value)


def render(root):
    connections = load(root, "connections")
    http = load(root, "http")
    machine = http["machine"]
    subjects = list(dict.fromkeys(row["subject"] for row in http["rows"]))
    text = (f"On {machine['cpus']} cores of {machine['cpu']}, {machine['memory_mib'] // 1024} GiB, "
            f"Linux {machine['kernel']}, everything on loopback of this one machine. Absolute times drift "
            "here; compare within a table.\n\n"
            "`./dev bench connections --count 1000000`: one hello process under a hard RLIMIT_NOFILE of "
            "20,000.\n\n")
    text += table([["a million connections", ""]] +
                  [[label, cell(value_of(connections, "zerog-uring", metric), form)]
                   for metric, label, form in CONNECTION_ROWS])
    text += ("\n`./dev bench http`: 360 keep-alive connections, medians of interleaved rounds. The floors are "
             "bare loops that answer a fixed string without parsing. On this machine a round's CPU figures vary by "
             "15 %: ratios are taken round by round, and their median is what the targets are held against.\n\n")
    text += table([["", *(heading for _, heading, _ in HTTP_COLUMNS)]] +
                  [[subject, *(cell(value_of(http, subject, metric), form)
                               for metric, _, form in HTTP_COLUMNS)] for subject in subjects])
    text += "\nWhat was aimed at, and what came of it:\n\n"
    text += table([["", "target", "measured", "met"]] +
                  [[target["name"], target["target"],
                    cell(target["measured"], "{:.2f}"), "yes" if target["met"] else "**no**"]
                   for target in http["targets"] if target["met"] is not None])
    return text


def parts(text):
    """What stands before the tables, and after them; None when the marks are not there."""
    begin, end = text.find(BEGIN), text.find(END)
    return (text[:begin + len(BEGIN)], text[end:]) if 0 <= begin < end else None


def write(root):
    before, after = parts(source.read(root, README))
    with open(os.path.join(root, README), "w", encoding="utf-8") as file:
        file.write(before + "\n" + render(root) + "\n" + after)


def check(root):
    text = source.read(root, README)
    around = parts(text)
    if around is None:
        return [source.Problem(README, 1, "the marks around the measured tables are missing")]
    if text != around[0] + "\n" + render(root) + "\n" + around[1]:
        line = around[0].count("\n")
        return [source.Problem(README, line, "the tables are not those of bench/results: ./dev docs")]
    return []

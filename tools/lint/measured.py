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
ALLOC_COLUMNS = [
    ("fixed64_mean_ns", "64 B: replace, ns", "{:.1f}"),
    ("fixed64_turns_ns", "one taken and given, ns", "{:.1f}"),
    ("fixed64_pairs_ns", "64 taken, 64 given, ns", "{:.1f}"),
    ("mixed_mean_ns", "16 B to 8 KB: replace, ns", "{:.1f}"),
    ("mixed_take_p99_ns", "take: p99, ns", "{:,.0f}"),
    ("mixed_take_p9999_ns", "p99.99", "{:,.0f}"),
    ("mixed_take_max_ns", "max", "{:,.0f}"),
    ("mixed_intrinsic_take_max_ns", "intrinsic max", "{:,.0f}"),
    ("mixed_intrinsic_give_max_ns", "of give", "{:,.0f}"),
    ("mixed_failure_rate", "failure rate", "{:.2g}"),
    ("remote_ns", "two threads, ns", "{:.0f}"),
]
# Metrics in order of preference: a quick run of the lab has no load of 10,000 connections.
LAB_COLUMNS = [
    (["memory_million"], "a million connections, MB", "{:,.0f}", 1e6),
    (["allocations_json"], "allocations a request", "{:,.1f}", 1),
    (["open_10000_p999_us", "open_1000_p999_us"], "p99.9 under load, µs", "{:,.0f}", 1),
    (["open_10000_stall_us", "open_1000_stall_us"], "stall of a tenth of a second, µs", "{:,.0f}", 1),
    (["open_10000_max_us", "open_1000_max_us"], "longest stall, µs", "{:,.0f}", 1),
    (["keep_alive_per_second"], "keep-alive, 1/s", "{:,.0f}", 1),
    (["pipelined_per_second"], "16 deep, 1/s", "{:,.0f}", 1),
]
ERROR_KINDS = [("double_free", "double frees"), ("invalid_free", "invalid frees"),
               ("write_after_free", "writes after free")]
SOAK_ROWS = [
    ("requests", "requests served", "{:,.0f}"),
    ("connections", "connections accepted", "{:,.0f}"),
    ("errors", "requests that failed", "{:,.0f}"),
    ("resident_pages_first", "pages resident after the first 1 %", "{:,.0f}"),
    ("resident_pages_last", "pages resident at the end", "{:,.0f}"),
    ("minor_faults_since_seal", "pages faulted in since the seal", "{:,.0f}"),
    ("mallocs_since_seal", "calls to malloc since the seal", "{:,.0f}"),
    ("objects_lost", "objects not given back", "{:,.0f}"),
]
SEAL_COLUMNS = [
    ("requests_per_second", "requests/s", "{:,.0f}"),
    ("cpu_us_per_request", "CPU µs a request", "{:.2f}"),
    ("latency_p99_us", "p99 µs", "{:,.0f}"),
    ("errors", "failed", "{:,.0f}"),
]
LAYOUT_COLUMNS = [
    ("count_ns", "two threads count: one count, ns", "{:.2f}"),
    ("walk_ordered_ns", "walked in order: one object, ns", "{:.2f}"),
    ("walk_random_ns", "at random, ns", "{:.2f}"),
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


def subjects_of(report):
    return list(dict.fromkeys(row["subject"] for row in report["rows"]))


def by_subject(report, columns):
    """A line a subject, a column a metric."""
    return table([["", *(heading for _, heading, _ in columns)]] +
                 [[subject, *(cell(value_of(report, subject, metric), form)
                              for metric, _, form in columns)] for subject in subjects_of(report)])


def by_metric(report, title, rows):
    """A line a metric, a column a subject."""
    subjects = subjects_of(report)
    return table([[title, *subjects]] +
                 [[label, *(cell(value_of(report, subject, metric), form) for subject in subjects)]
                  for metric, label, form in rows])


def render_connections(report):
    return ("`./dev bench connections --count 1000000`: one hello process under a hard RLIMIT_NOFILE of "
            "20,000.\n\n" +
            table([["a million connections", ""]] +
                  [[label, cell(value_of(report, "zerog-uring", metric), form)]
                   for metric, label, form in CONNECTION_ROWS]))


def render_http(report):
    return ("`./dev bench http`: 360 keep-alive connections, medians of interleaved rounds. The floors are "
            "bare loops that answer a fixed string without parsing. On this machine a round's CPU figures vary by "
            "15 %: ratios are taken round by round, and their median is what the targets are held against.\n\n" +
            by_subject(report, HTTP_COLUMNS))


def render_alloc(report):
    return ("`./dev bench alloc`: 8,192 objects live, one picked at random is replaced by another. Means are of "
            "loops without a timer; single takes include it, and the timer's row is the harness with nothing in it. "
            "The intrinsic maximum is that of the least each operation took over nine replays: what the allocator "
            "does, without what the machine does. `claimed` is the article's.\n\n" +
            by_subject(report, ALLOC_COLUMNS))


def render_errors(report):
    def told(subject, kind):
        return "{:.0f} of {:.0f}".format(*(value_of(report, subject, f"{kind}_{what}")
                                           for what in ("caught", "cases")))

    return ("`./dev bench errors`: mistakes that the allocator told of, by a failed call, a message or an "
            "abort. A crash is luck, and no report. `zerog` is by handle, which is how its pools are used; "
            "`zerog-pointers` writes by an address that was kept when the handle was not.\n\n" +
            table([["", *(label for _, label in ERROR_KINDS)]] +
                  [[subject, *(told(subject, kind) for kind, _ in ERROR_KINDS)]
                   for subject in subjects_of(report)]))


def render_soak(report):
    return ("`./dev bench soak`: requests of mixed sizes, pipelined and not, bodies of up to 64 KiB, replies of "
            "up to 1 MiB, new connections.\n\n" + by_metric(report, "", SOAK_ROWS))


def render_seal(report):
    return ("`./dev bench seal`: hello under full load, sealed by counting and by the kernel; the control is the "
            "first measured once more, and tells what a difference is worth.\n\n" +
            by_subject(report, SEAL_COLUMNS))


def lab_cell(report, name, column):
    metrics, _, form, divisor = column
    values = [value_of(report, name, metric) for metric in metrics]
    value = next((value for value in values if value is not None), None)
    return "–" if value is None else form.format(value / divisor)


def lab_peers(report):
    rows = [["", "claimed, MB", *(heading for _, heading, _, _ in LAB_COLUMNS)]]
    for peer in report["peers"]:
        claimed = peer["claimed_memory_mb"]
        rows.append([peer["title"], "–" if claimed is None else f"{claimed:,}",
                     *(lab_cell(report, peer["name"], column) for column in LAB_COLUMNS)])
    return table(rows)


def lab_places(report):
    return table([["", "zerog's place", "zerog", "the best", "first"]] +
                 [[place["what"], "–" if place["place"] is None else f"{place['place']} of {place['of']}",
                   place["zerog"], place["best"], place["first"]] for place in report["places"]])


def render_lab(report):
    return (f"`{report['command']}`: the frameworks that the article names and those that people would choose, each "
            "as its documentation says for production ([how](docs/reference/lab.md)). The memory of a million "
            "connections is measured for zerog on io_uring in a full run, and else drawn from up to 18,000, beside what the "
            "article claims. Latency is of `/json` at a fixed rate.\n\n" +
            lab_peers(report) +
            "\nzerog's places; those within the run's tolerance share one:\n\n" + lab_places(report))


def render_layout(report):
    return ("`./dev bench layout`: two threads count, each a counter of its own, on one cache line or on lines of "
            "their own; one thread looks at 16 bytes of each object, which lie beside 112 others (`mixed`) or together "
            "(`split`).\n\n" + by_subject(report, LAYOUT_COLUMNS))


# In the README's order. The first two are always there; each of the others when it was measured.
PARTS = [("connections", render_connections), ("http", render_http), ("alloc", render_alloc),
         ("errors", render_errors), ("soak", render_soak), ("seal", render_seal),
         ("layout", render_layout), ("lab", render_lab)]


def is_there(root, name):
    return os.path.exists(os.path.join(root, RESULTS, name + ".json"))


def render(root):
    reports = {name: load(root, name) for name, _ in PARTS
               if name in ("connections", "http") or is_there(root, name)}
    machine = reports["http"]["machine"]
    text = (f"On {machine['cpus']} cores of {machine['cpu']}, {machine['memory_mib'] // 1024} GiB, "
            f"Linux {machine['kernel']}, everything on loopback of this one machine. Absolute times drift "
            "here; compare within a table.\n\n")
    text += "\n".join(render_part(reports[name]) for name, render_part in PARTS if name in reports)
    text += "\nWhat was aimed at, and what came of it:\n\n"
    targets = [target for name, report in reports.items() if name != "connections"
               for target in report.get("targets", []) if target["met"] is not None]
    text += table([["", "target", "measured", "met"]] +
                  [[target["name"], target["target"],
                    cell(target["measured"], "{:,.2f}"), "yes" if target["met"] else "**no**"]
                   for target in targets])
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

"""Tables: what a run found, as rows of cells, for Markdown and for the page."""

from dataclasses import dataclass, field

from allocation import RUNTIMES
from findings import ranks

KIB = 1024
MIB = 1024 * 1024


@dataclass
class Table:
    """A heading, what it means, the columns, and a row a subject."""

    name: str
    title: str
    text: str
    columns: list
    rows: list = field(default_factory=list)
    ours: list = field(default_factory=list)  # indexes of our rows


def number(value, form="{:,.0f}"):
    return "–" if value is None else form.format(value)


def size(value):
    """Bytes for people."""
    if value is None:
        return "–"
    if abs(value) < KIB:
        return f"{value:,.0f} B"
    return f"{value / KIB:,.1f} KiB" if abs(value) < MIB else f"{value / MIB:,.1f} MiB"


def add_row(table, peer, cells):
    if getattr(peer, "is_ours", False):
        table.ours.append(len(table.rows))
    table.rows.append(cells)


def memory_table(findings, peers, settings):
    """The article's first table: what was claimed beside what was measured."""
    table = Table(
        "connections", "Table 1: a million connections",
        "User memory of an idle keep-alive connection that has been served once: the slope over "
        f"{', '.join(f'{count:,}' for count in settings.connection_counts)} of them, and what that comes "
        "to for a million. Both ends of each lie in this machine's kernel, which is the same for all. "
        "zerog reserves its connections at the start: the slope is that of what is reserved. The article's "
        "column is what it claims, in MB.",
        ["peer", "claimed, MB", "a million, MB", "bytes a connection", "± fit", "base memory",
         "kernel, both ends", "longest pause of a collector", "allocations: /", "/json",
         "a new connection", "deallocations: /json"])
    for peer in peers:
        slope = findings.slope(peer.name, settings.connection_counts)
        million = None
        if slope:
            million = max(0.0, slope[0]) * 1000000 + (findings.value(peer.name, "base_memory") or 0) \
                if not peer.is_ours else slope[0] * 1000000 + slope[2]
        if peer.is_ours:
            measured = findings.value(peer.name, f"idle_user_memory_{settings.million}")
            million = measured if measured else million
        pause = findings.value(peer.name, "pause_max_us")
        add_row(table, peer, [
            peer.title, number(peer.value("claimed_memory_mb")), number(million and million / 1e6),
            number(slope and max(0.0, slope[0])), number(slope and slope[1]),
            size(findings.value(peer.name, "base_memory")),
            size(findings.value(peer.name, "kernel_memory_each_both_ends")),
            "no collector" if pause is None and "none" in peer.value("pauses", "")
            else number(pause and pause / 1000, "{:.2f} ms"),
            number(findings.value(peer.name, "allocations_hello"), "{:.1f}"),
            number(findings.value(peer.name, "allocations_json"), "{:.1f}"),
            number(findings.value(peer.name, "allocations_connection"), "{:.1f}"),
            number(findings.value(peer.name, "deallocations_json"), "{:.1f}"),
        ])
    return table


def allocation_table(findings, case, title):
    """The article's second table."""
    table = Table(
        f"allocation-{case}", f"Table 2: allocation latency, {title}",
        "8,192 objects live, one picked at random replaced by another, in the peer's own runtime and process. "
        "Single figures include the timer, whose own P99 stands beside them. The intrinsic maximum is that "
        "of the least each operation took over identical replays: what the allocator does, without what the "
        "machine does. Where there is a collector nothing is freed, and what that costs is in the mean.",
        ["runtime", "mean, µs", "P99, µs", "max, µs", "intrinsic max, µs", "timer P99, µs", "failures",
         "page faults", "collections"])
    table.rows.append(["the article's claim", "0.12", "0.45", "2.34", "–", "–", "0 %", "–", "–"])
    for runtime in RUNTIMES:
        def value(metric, runtime=runtime):
            return findings.value(runtime.name, f"{case}_{metric}")

        if value("mean_ns") is None:
            continue
        if runtime.name.startswith("zerog"):
            table.ours.append(len(table.rows))
        table.rows.append([
            runtime.title, *(number(value(metric) / 1000, "{:,.3f}") for metric in
                             ("mean_ns", "take_p99_ns", "take_max_ns", "intrinsic_take_max_ns",
                              "timer_p99_ns")),
            number(100 * value("failure_rate"), "{:.0f} %"), number(value("minor_faults")),
            number(value("collections") or 0)])
    return table


def ends_table(findings):
    table = Table("end", "When memory ends", "Each program keeps 1 KB after 1 KB until it is refused or "
                  "ended, under a limit on its memory.", ["runtime", "limit", "what became of it"])
    for runtime in RUNTIMES:
        note = findings.notes.get(f"allocation/when memory ends/{runtime.name}")
        if note and "end" in note:
            if runtime.name.startswith("zerog"):
                table.ours.append(len(table.rows))
            table.rows.append([runtime.title, note["limit"], note["end"]])
    return table


def throughput_table(findings, peers):
    table = Table(
        "throughput", "As fast as it goes", "360 connections, closed loop (wrk). CPU is the server's alone.",
        ["peer", "keep-alive, 1/s", "CPU µs", "16 deep, 1/s", "CPU µs", "new connections, 1/s", "CPU µs",
         "system calls a request", "errors"])
    for peer in peers:
        def value(metric, peer=peer):
            return findings.value(peer.name, metric)

        errors = sum(value(f"{name}_errors") or 0
                     for name in ("keep_alive", "pipelined", "new_connection"))
        add_row(table, peer, [
            peer.title, number(value("keep_alive_per_second")), number(value("keep_alive_cpu_us"), "{:.2f}"),
            number(value("pipelined_per_second")), number(value("pipelined_cpu_us"), "{:.2f}"),
            number(value("new_connection_per_second")), number(value("new_connection_cpu_us"), "{:.1f}"),
            number(value("system_calls"), "{:.2f}"), number(errors)])
    return table


def latency_table(findings, peers, connections, rate):
    table = Table(
        f"latency-{connections}", f"Latency of /json: {connections:,} connections, {rate:,} requests a second",
        "Open loop: a reply's latency counts from when its request was due, so that a stall is charged for "
        "everyone who waited. A document of 4 KB is built for each.",
        ["peer", "p50 µs", "p90", "p99", "p99.9", "p99.99", "longest stall", "errors"])
    for peer in peers:
        add_row(table, peer, [peer.title, *(
            number(findings.value(peer.name, f"open_{connections}_{name}"))
            for name in ("p50_us", "p90_us", "p99_us", "p999_us", "p9999_us", "max_us", "errors"))])
    return table


def troubles_table(findings, peers):
    table = Table(
        "troubles", "The three troubles",
        "Leak: growth of memory over the second half of a steady load. Pause: the longest a collector took "
        "under the load above. Fragmentation: what stays occupied when a churn of bodies of 60 B to 60 KB is "
        "over and everybody has gone, over what was occupied before.",
        ["peer", "leak: growth", "of", "collections", "pauses in all", "fragmentation: kept", "ratio"])
    for peer in peers:
        add_row(table, peer, [
            peer.title, size(findings.value(peer.name, "soak_growth")),
            size(findings.value(peer.name, "soak_memory")),
            number(findings.value(peer.name, "collections")),
            number(findings.value(peer.name, "pause_total_ms"), "{:.1f} ms"),
            size(findings.value(peer.name, "churn_kept")),
            number(findings.value(peer.name, "churn_ratio"), "{:.2f}")])
    return table


# What zerog wants to be first in: (title, metric or None for the slope, is less better, tolerance).
AIMS = [
    ("user memory a connection", None, True, 0.05),
    ("allocations a request for /json", "allocations_json", True, 0.0),
    ("longest stall of /json, 1,000 connections", "open_1000_max_us", True, 0.25),
    ("CPU of a new connection", "new_connection_cpu_us", True, 0.05),
    ("pipelined throughput", "pipelined_per_second", False, 0.05),
    ("keep-alive throughput", "keep_alive_per_second", False, 0.10),
]
ALLOCATION_AIMS = [
    ("allocation: mean", "mean_ns", 0.05),
    ("allocation: P99", "take_p99_ns", 0.5),
    ("allocation: intrinsic max", "intrinsic_take_max_ns", 0.10),
]


def placing(title, values, is_less_better, tolerance, ours):
    found = ranks(values, is_less_better, tolerance)
    best = sorted((rank, name) for name, rank in found.items())
    our_rank = min((found[name] for name in ours if name in found), default=None)
    leaders = ", ".join(name for rank, name in best if rank == 1)
    order = "; ".join(f"{rank}. {name}" for rank, name in best)
    return [title, number(our_rank), leaders, order]


def places_table(findings, peers, settings):
    """Where zerog comes, and who is before it."""
    table = Table(
        "places", "Who is first",
        "Peers that lie within the run's tolerance of each other share a place. zerog is the better of its "
        "two backends.", ["what", "zerog's place", "first", "order"])
    titles = {peer.name: peer.title for peer in peers}
    ours = [peer.title for peer in peers if peer.is_ours]
    for title, metric, is_less_better, tolerance in AIMS:
        values = {}
        for name, shown in titles.items():
            slope = findings.slope(name, settings.connection_counts) if metric is None else None
            value = findings.value(name, metric) if metric else slope and max(0.0, slope[0])
            if value is not None:
                values[shown] = value
        if values:
            table.rows.append(placing(title, values, is_less_better, tolerance, ours))
    for case in ("fixed", "mixed"):
        for title, metric, tolerance in ALLOCATION_AIMS:
            values = {runtime.title: findings.value(runtime.name, f"{case}_{metric}")
                      for runtime in RUNTIMES}
            values = {name: value for name, value in values.items() if value is not None}
            if values:
                table.rows.append(placing(
                    f"{title}, {'1 KB' if case == 'fixed' else '16 B to 8 KB'}", values, True, tolerance,
                    [runtime.title for runtime in RUNTIMES if runtime.name.startswith("zerog")]))
    return table


def all_tables(findings, peers, settings):
    tables = [places_table(findings, peers, settings), memory_table(findings, peers, settings),
              allocation_table(findings, "fixed", "1 KB"),
              allocation_table(findings, "mixed", "16 B to 8 KB"), ends_table(findings)]
    tables += [latency_table(findings, peers, connections, rate)
               for connections, rate in settings.open_loads]
    tables += [throughput_table(findings, peers), troubles_table(findings, peers)]
    return [table for table in tables if table.rows]

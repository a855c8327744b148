"""Tables: what a run found, as rows of cells, for Markdown and for the page."""

from dataclasses import dataclass, field

from allocation import RUNTIMES
from pressure import NOBODY

KIB = 1024
MIB = 1024 * 1024
LESS, MORE = "less", "more"  # which is better


class Cell(str):
    """Text for people that still knows its number."""

    value = None


@dataclass
class Table:
    """A heading, what it means, the columns ("name, unit"), and a row a subject."""

    name: str
    title: str
    text: str
    columns: list
    better: dict = field(default_factory=dict)  # column: LESS or MORE; the others have no best
    rows: list = field(default_factory=list)
    ours: list = field(default_factory=list)  # indexes of our rows

    def best(self):
        """{(row, column)} of the best values of each column; those that read the same share it."""
        found = set()
        for name, which in self.better.items():
            column = self.columns.index(name)
            values = [row[column].value for row in self.rows
                      if getattr(row[column], "value", None) is not None]
            if len(set(values)) < 2:
                continue
            best = min(values) if which == LESS else max(values)
            shown = next(row[column] for row in self.rows
                         if getattr(row[column], "value", None) == best)
            found |= {(index, column) for index, row in enumerate(self.rows) if row[column] == shown}
        return found


def number(value, form="{:,.0f}"):
    cell = Cell("–" if value is None else form.format(value))
    cell.value = value
    return cell


def size(value):
    """Bytes for people."""
    if value is None:
        return number(value)
    if abs(value) < KIB:
        return number(value, "{:,.0f} B")
    cell = Cell(f"{value / KIB:,.1f} KiB" if abs(value) < MIB else f"{value / MIB:,.1f} MiB")
    cell.value = value
    return cell


def add_row(table, subject, cells):
    if subject.is_ours:
        table.ours.append(len(table.rows))
    table.rows.append(cells)


MILLION = 1000000


def memory_line(findings, peer, settings):
    """User bytes over connections: (slope, its error, start), or None. Only zerog holds so many as `many`."""
    return findings.slope(peer.name, [*settings.connection_counts, settings.many])


def memory_each(findings, peer, settings):
    """User bytes of an idle connection: (slope, error of the fit), or None."""
    slope = memory_line(findings, peer, settings)
    return slope and (max(0.0, slope[0]), slope[1])


def memory_million(findings, peer, settings):
    """Bytes of a million connections: measured where it was, else what the slope comes to; or None."""
    slope = memory_line(findings, peer, settings)
    measured = findings.value(peer.name, f"idle_user_memory_{MILLION}")  # with more shards, and all they need
    if measured is not None or slope is None:
        return measured
    if peer.is_ours:
        # Its base was reserved for some connections, too: the fit's own start is without them.
        return slope[0] * MILLION + slope[2]
    return max(0.0, slope[0]) * MILLION + (findings.value(peer.name, "base_memory") or 0)


def pause_cell(findings, peer):
    pause = findings.value(peer.name, "pause_max_us")
    if pause is None and "none" in peer.value("pauses", ""):
        cell = Cell("none")
        cell.value = 0
        return cell
    return number(pause and pause / 1000, "{:.2f}")


def memory_table(findings, peers, settings):
    """The article's first table: what was claimed beside what was measured."""
    table = Table(
        "connections", "Table 1: a million connections",
        "User memory of an idle keep-alive connection that has been served once: the slope over "
        f"{', '.join(f'{count:,}' for count in settings.connection_counts)} of them (and {settings.many:,} of "
        "zerog's on io_uring, whose few bytes show over many only), and what that comes to for a million, with the "
        "base. zerog and nginx reserve their connections at the start: their slope is "
        "that of what is reserved. Both ends of each connection lie in this machine's kernel, at the same cost for "
        "all but those that need a thread for each. The article's column is what it claims. Calls are those to malloc "
        "and its relatives in native programs, and the runtime's own count in Go; V8 has none.",
        ["peer", "claimed, MB", "a million, MB", "a connection, bytes", "± fit, bytes", "base memory",
         "kernel, both ends", "longest pause of a collector, ms", "allocations: /", "allocations: /json",
         "allocations: a new connection", "deallocations: /json"],
        {"a million, MB": LESS, "a connection, bytes": LESS, "base memory": LESS, "allocations: /": LESS,
         "longest pause of a collector, ms": LESS, "allocations: /json": LESS,
         "allocations: a new connection": LESS, "deallocations: /json": LESS})
    for peer in peers:
        each = memory_each(findings, peer, settings)
        million = memory_million(findings, peer, settings)
        add_row(table, peer, [
            peer.title, number(peer.value("claimed_memory_mb")),
            number(None if million is None else million / 1e6),
            number(each and each[0]), number(each and each[1]),
            size(findings.value(peer.name, "base_memory")),
            size(findings.value(peer.name, "kernel_memory_each_both_ends")),
            pause_cell(findings, peer),
            *(number(findings.value(peer.name, name), "{:.1f}") for name in (
                "allocations_hello", "allocations_json", "allocations_connection", "deallocations_json")),
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
        ["runtime", "behind", "mean, µs", "P99, µs", "max, µs", "intrinsic max, µs", "timer P99, µs",
         "failures", "page faults", "collections"],
        {name: LESS for name in ("mean, µs", "P99, µs", "max, µs", "intrinsic max, µs")})
    table.rows.append(["the article's claim", "Hyperlane", "0.12", "0.45", "2.34", *["–"] * 2, "0 %",
                       *["–"] * 2])
    for runtime in RUNTIMES:
        def value(metric, runtime=runtime):
            return findings.value(runtime.name, f"{case}_{metric}")

        if value("mean_ns") is None:
            continue
        add_row(table, runtime, [
            runtime.title, runtime.behind, *(number(value(metric) / 1000, "{:,.3f}") for metric in
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
            add_row(table, runtime, [runtime.title, note["limit"], note["end"]])
    return table


def throughput_table(findings, peers):
    table = Table(
        "throughput", "As fast as it goes", "360 connections, closed loop (wrk), /. CPU is the "
        "server's alone, a request. Errors are requests that failed in any of the three.",
        ["peer", "keep-alive, 1/s", "keep-alive CPU, µs", "16 deep, 1/s", "16 deep CPU, µs",
         "new connections, 1/s", "new connections CPU, µs", "system calls a request", "errors"],
        {"keep-alive, 1/s": MORE, "keep-alive CPU, µs": LESS, "16 deep, 1/s": MORE, "16 deep CPU, µs": LESS,
         "new connections, 1/s": MORE, "new connections CPU, µs": LESS, "system calls a request": LESS})
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


LATENCY_COLUMNS = ["p50, µs", "p90, µs", "p99, µs", "p99.9, µs", "p99.99, µs", "stall of a tenth of a second, µs",
                   "longest stall, µs"]


LATENCY_METRICS = ("p50_us", "p90_us", "p99_us", "p999_us", "p9999_us", "stall_us", "max_us")


def latency_table(findings, peers, connections, rate):
    table = Table(
        f"latency-{connections}", f"Latency of /json: {connections:,} connections, {rate:,} requests a second",
        "Open loop: a reply's latency counts from when its request was due, so that a stall is charged for "
        "everyone who waited. A document of 4 KB is built for each. The longest wait in each tenth of a second, at "
        "the median, is what a server does all the time; the longest of all is what it does at its worst, or the "
        "machine to it: the last row tells how late the machine lets the load generator be when nobody is asked.",
        ["peer", *LATENCY_COLUMNS, "errors"], {name: LESS for name in LATENCY_COLUMNS})
    for peer in peers:
        add_row(table, peer, [peer.title, *(
            number(findings.value(peer.name, f"open_{connections}_{name}"))
            for name in (*LATENCY_METRICS, "errors"))])
    if table.rows:
        # Text: a row that competes with nobody has no best.
        table.rows.append([NOBODY.title, *(str(number(findings.value(NOBODY.name, f"open_{connections}_{name}")))
                                           for name in LATENCY_METRICS), "–"])
    return table


def troubles_table(findings, peers):
    table = Table(
        "troubles", "The three troubles",
        "Leak: growth of memory over the second half of a steady load. Pause: the longest a collector took "
        "under the load above. Fragmentation: what stays occupied when a churn of bodies of 60 B to 60 KB is "
        "over and everybody has gone, over what was occupied before.",
        ["peer", "leak: growth", "leak: of", "collections", "pauses in all, ms", "fragmentation: kept",
         "fragmentation: ratio"], {"fragmentation: kept": LESS, "fragmentation: ratio": LESS})
    for peer in peers:
        add_row(table, peer, [
            peer.title, size(findings.value(peer.name, "soak_growth")),
            size(findings.value(peer.name, "soak_memory")),
            number(findings.value(peer.name, "collections")),
            number(findings.value(peer.name, "pause_total_ms"), "{:.1f}"),
            size(findings.value(peer.name, "churn_kept")),
            number(findings.value(peer.name, "churn_ratio"), "{:.2f}")])
    return table


def all_tables(findings, peers, settings):
    tables = [memory_table(findings, peers, settings),
              allocation_table(findings, "fixed", "1 KB"),
              allocation_table(findings, "mixed", "16 B to 8 KB"), ends_table(findings)]
    tables += [latency_table(findings, peers, connections, rate)
               for connections, rate in settings.open_loads]
    tables += [throughput_table(findings, peers), troubles_table(findings, peers)]
    return [table for table in tables if table.rows]

"""Places: where zerog comes in what it wants to be first in, and who is before it."""

from allocation import RUNTIMES
from findings import ranks
from pressure import NOBODY
from tables import Table, memory_each, number

OURS = "zerog"  # its two backends, and its two pools, are one competitor: the better of them
# (title, metric or None for the memory of a connection, is less better, tolerance, form)
AIMS = [
    ("user memory a connection", None, True, 0.05, "{:,.0f} B"),
    ("allocations a request for /json", "allocations_json", True, 0.0, "{:,.1f}"),
    ("stall of a tenth of a second, /json, 1,000 connections", "open_1000_stall_us", True, 0.25, "{:,.0f} µs"),
    ("stall of a tenth of a second, /json, 10,000 connections", "open_10000_stall_us", True, 0.25, "{:,.0f} µs"),
    ("longest stall of all, /json, 1,000 connections", "open_1000_max_us", True, 0.25, "{:,.0f} µs"),
    ("longest stall of all, /json, 10,000 connections", "open_10000_max_us", True, 0.25, "{:,.0f} µs"),
    ("CPU of a new connection", "new_connection_cpu_us", True, 0.05, "{:,.1f} µs"),
    ("pipelined throughput", "pipelined_per_second", False, 0.05, "{:,.0f}/s"),
    ("keep-alive throughput", "keep_alive_per_second", False, 0.10, "{:,.0f}/s"),
]
ALLOCATION_AIMS = [
    ("allocation: mean", "mean_ns", 0.05),
    ("allocation: P99", "take_p99_ns", 0.5),
    ("allocation: intrinsic max", "intrinsic_take_max_ns", 0.10),
]
CASE_TITLES = {"fixed": "1 KB", "mixed": "16 B to 8 KB"}


def ordinal(place):
    """1st, 2nd, 3rd, 4th, ... 11th, ... 21st."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def competitors(subjects, value_of, is_less_better):
    """{title: value} of those that have one; ours count once, with the better."""
    found = {}
    for subject in subjects:
        value = value_of(subject)
        if value is None:
            continue
        title = OURS if subject.is_ours else subject.title
        better = min if is_less_better else max
        found[title] = better(found[title], value) if title in found else value
    return found


def names_text(names):
    """A, B and C."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def placing(title, values, is_less_better, tolerance, form, slack=0.0):
    """A row: what, our place of how many, our value, the first's, who is first, and the whole order."""
    found = ranks(values, is_less_better, tolerance, slack)
    by_rank = {}
    for name, rank in sorted(found.items(), key=lambda item: (item[1], item[0].lower())):
        by_rank.setdefault(rank, []).append(name)
    first = (min if is_less_better else max)(values.values())
    return [title, number(found.get(OURS)), number(len(values)), number(values.get(OURS), form),
            number(first, form), names_text(by_rank[1]),
            "; ".join(f"{rank}. {', '.join(names)}" for rank, names in by_rank.items())]


def places_table(findings, peers, settings):
    """Where zerog comes, and who is before it."""
    table = Table(
        "places", "Who is first",
        "Those that lie within the run's tolerance of each other share a place; of the longest stalls, those that "
        "differ by less than the machine's own. zerog counts once, as the better of its two backends and of its two "
        "pools.",
        ["what", "zerog's place", "of", "zerog", "the best", "first", "order"])
    for title, metric, is_less_better, tolerance, form in AIMS:
        def value_of(peer, metric=metric):
            if metric is not None:
                return findings.value(peer.name, metric)
            each = memory_each(findings, peer, settings)
            return each and each[0]

        values = competitors(peers, value_of, is_less_better)
        if values:
            # A difference that the machine makes when nobody is asked is none between peers.
            slack = findings.value(NOBODY.name, metric) if "_max_" in (metric or "") else None
            table.rows.append(placing(title, values, is_less_better, tolerance, form, slack or 0.0))
    for case, shown in CASE_TITLES.items():
        for title, metric, tolerance in ALLOCATION_AIMS:
            values = competitors(RUNTIMES, lambda runtime, name=f"{case}_{metric}": findings.value(
                runtime.name, name), True)
            if values:
                table.rows.append(placing(f"{title}, {shown}", values, True, tolerance, "{:,.0f} ns"))
    return table


def plain_words(table):
    """Where zerog is not first, in a sentence each."""
    sentences = [f"zerog is not first in {what}: it comes {ordinal(place.value)} of {count}, {ours}, behind {first} "
                 f"({best})." for what, place, count, ours, best, first, _ in table.rows
                 if place.value not in (None, 1)]
    return sentences or ["zerog is first, or shares the first place, in everything that is listed."]

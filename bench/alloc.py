#!/usr/bin/python3
"""Allocation: pools and arenas beside general allocators, in one run.

8,192 objects are live; each step gives one of them, picked at random, back and takes another.
Every subject has a process of its own, pinned to a CPU, and rounds are interleaved. Averages
come from loops without a timer in them. Single operations include the timer, whose own row
stands beside them. The intrinsic figures are the least that each operation took over all
rounds: what the allocator does, without what the machine does.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import allocators  # noqa: E402
import machine  # noqa: E402
import plot  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

# Name: bytes of an object; 0 is the mixture.
WORKLOADS = {"fixed64": 64, "fixed1024": 1024, "mixed": 0}
TITLES = {"fixed64": "64 B", "fixed1024": "1 KB", "mixed": "16 B to 8 KB"}
ROUNDS = 9
OPS, OPS_QUICK = 1000000, 200000  # whole batches of 64, as the harness wants them
REMOTE_OPS, REMOTE_OPS_QUICK = 2000000, 400000
POINTS_A_DECADE = 8  # of the harness's curves
# Loops whose average is judged, and what they do.
AVERAGES = {"turns_ns": "one taken and given", "pairs_ns": "64 taken, 64 given",
            "mean_ns": "random replace"}
# The article's columns.
CLAIMED = {"mean_ns": 120, "take_p99_ns": 450, "take_max_ns": 2340, "failure_rate": 0}
CLAIMED_NAME = "claimed"
# The one of ours that is held against the targets: a program's own types, taken inline.
JUDGED = "typed-pool"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench alloc", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the operations")
    parser.add_argument("--rounds", type=int, default=ROUNDS,
                        help="replays of each trace (default: %(default)s)")
    parser.add_argument("--subjects", default="",
                        help="comma-separated; the timer is always there (default: all)")
    parser.add_argument("--workloads", default=",".join(WORKLOADS),
                        help="comma-separated (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--plot", metavar="FILE", help="SVG (default: beside the JSON)")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds is at least 1.")
    unknown = set(arguments.workloads.split(",")) - set(WORKLOADS)
    if unknown:
        parser.error(f"there is no workload {', '.join(sorted(unknown))}.")
    if arguments.json and not arguments.plot:
        arguments.plot = str(Path(arguments.json).with_suffix(".svg"))
    return arguments


def choose(arguments):
    """The subjects, the timer first."""
    everyone = allocators.everyone()
    for name in allocators.missing():
        print(f"{name} is not installed and is left out.", file=sys.stderr)
    wanted = set(filter(None, arguments.subjects.split(",")))
    unknown = wanted - {subject.name for subject in everyone}
    if unknown:
        raise RuntimeError(f"there is no subject {', '.join(sorted(unknown))} here.")
    return [subject for subject in everyone
            if not wanted or subject.name in wanted or subject.name == allocators.TIMER]


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def measure(report, curves, subject, workload, ops, folder):
    """One replay of one trace by one subject."""
    cpu = max(os.sched_getaffinity(0))
    found = subject.measure(WORKLOADS[workload], "--ops", ops, "--cpu", cpu,
                            "--minima", Path(folder) / f"{subject.name}-{workload}")
    add = lambda metric, value, unit: report.add(subject.name, f"{workload}_{metric}", value, unit)
    for metric in ("mean_ns", "mean_touched_ns", "turns_ns", "pairs_ns"):
        add(metric, found[metric], "ns")
    for side in ("take", "give"):
        for point in ("p50", "p99", "p999", "p9999", "max"):
            add(f"{side}_{point}_ns", found[side][point], "ns")
    add("failure_rate", found["failures"] / found["takes"], "of takes")
    add("minor_faults", found["minor_faults"], "faults")
    add("involuntary_switches", found["involuntary_switches"], "switches")
    if subject.name == allocators.TIMER:
        report.add(subject.name, "step_ns", found["step_ns"], "ns")
    # These are over all rounds so far: the last one's are what counts.
    curves[subject.name, workload] = {side: found[f"intrinsic_{side}"] for side in ("take", "give")}


def measure_remote(report, subject, ops):
    cpus = sorted(os.sched_getaffinity(0))[-2:]
    found = subject.measure(64, "--remote", "--ops", ops, "--cpu", cpus[0],
                            "--cpu-other", cpus[1])
    report.add(subject.name, "remote_ns", found["remote_ns"], "ns")
    report.add(subject.name, "remote_refused", found["failures"], "takes")


def measure_all(report, chosen, arguments, folder):
    """Rounds: every workload, every subject in it, another one first each time."""
    ops, remote_ops = ((OPS_QUICK, REMOTE_OPS_QUICK) if arguments.quick else (OPS, REMOTE_OPS))
    workloads = arguments.workloads.split(",")
    sharers = [subject for subject in chosen if subject.is_shared]
    if len(os.sched_getaffinity(0)) < 2:
        print("There is one CPU only: nothing is freed remotely.", file=sys.stderr)
        sharers = []
    curves = {}
    done, count = 0, arguments.rounds * (len(workloads) * len(chosen) + len(sharers))
    progress = Progress(count * (0.4 if arguments.quick else 0.9))
    for number in range(arguments.rounds):
        label = f"round {number + 1} of {arguments.rounds}"
        for workload in workloads:
            for subject in rotated(chosen, number):
                progress.say(f"{label}, objects of {TITLES[workload]}: {subject.name}")
                measure(report, curves, subject, workload, ops, folder)
                done += 1
                progress.expect(done / count)
        for subject in rotated(sharers, number) if sharers else []:
            progress.say(f"{label}, two threads: {subject.name}")
            measure_remote(report, subject, remote_ops)
            done += 1
            progress.expect(done / count)
    progress.end()
    for (name, workload), sides in curves.items():
        for side, figures in sides.items():
            for point in ("p99", "p9999", "max"):
                report.add(name, f"{workload}_intrinsic_{side}_{point}_ns", figures[point], "ns")
    return curves


def add_derived(report, chosen, workloads):
    """What the harness's own loop costs taken off, and ratios to each other subject."""
    for metric, value in CLAIMED.items():
        report.add(CLAIMED_NAME, f"mixed_{metric}", value,
                   "of takes" if metric == "failure_rate" else "ns")
    for subject in chosen:
        for workload in workloads:
            for metric in AVERAGES:
                raw = report.samples[subject.name, f"{workload}_{metric}"]
                empty = report.value(allocators.TIMER, f"{workload}_{metric}")
                for value in raw:
                    report.add(subject.name, f"{workload}_net_{metric}",
                               max(0.0, value - empty), "ns")
    for ours in (subject for subject in chosen if subject.is_ours):
        for other in (subject for subject in chosen if subject.is_general):
            for workload in workloads:
                for metric in [*AVERAGES, *(f"net_{metric}" for metric in AVERAGES)]:
                    report.add_ratio(ours.name, f"{workload}_{metric}", other.name, other.name)
            report.add_ratio(ours.name, "remote_ns", other.name, other.name)


def print_tables(report, chosen, workloads):
    names = [subject.name for subject in chosen]
    for workload in workloads:
        report.table(f"Objects of {TITLES[workload]}: averages of loops, ns (median, spread)", names, [
            ("replace", f"{workload}_mean_ns", ".1f", True),
            ("net of the loop", f"{workload}_net_mean_ns", ".1f", False),
            ("and written to", f"{workload}_mean_touched_ns", ".1f", True),
            ("64 taken, 64 given", f"{workload}_pairs_ns", ".1f", True),
            ("net", f"{workload}_net_pairs_ns", ".1f", False),
            ("one taken, given", f"{workload}_turns_ns", ".1f", True),
            ("net", f"{workload}_net_turns_ns", ".1f", False),
        ])
        tail_names = names + ([CLAIMED_NAME] if workload == "mixed" else [])
        report.table(f"Objects of {TITLES[workload]}: one take, the timer included, ns",
                     tail_names, [
            ("give + take, no timer: mean", f"{workload}_mean_ns", ".1f", False),
            ("p50", f"{workload}_take_p50_ns", ",.0f", False),
            ("p99", f"{workload}_take_p99_ns", ",.0f", False),
            ("p99.99", f"{workload}_take_p9999_ns", ",.0f", False),
            ("max", f"{workload}_take_max_ns", ",.0f", False),
            ("intrinsic p99.99", f"{workload}_intrinsic_take_p9999_ns", ",.0f", False),
            ("intrinsic max", f"{workload}_intrinsic_take_max_ns", ",.0f", False),
            ("of give", f"{workload}_intrinsic_give_max_ns", ",.0f", False),
            ("failure rate", f"{workload}_failure_rate", ".2g", False),
            ("faults", f"{workload}_minor_faults", ",.0f", False),
            ("switches", f"{workload}_involuntary_switches", ",.0f", False),
        ])
    report.table("Two threads, one takes and one gives, ns an object (median, spread)", names, [
        ("64 B", "remote_ns", ".1f", True),
        ("refused, tried again", "remote_refused", ",.0f", False),
    ])


def best(report, chosen, metrics):
    """The general allocator whose worst of these metrics is least: (its value, its name)."""
    found = []
    for subject in chosen:
        values = [report.value(subject.name, metric) for metric in metrics]
        if subject.is_general and None not in values:
            found.append((max(values), subject.name))
    return min(found, default=(None, None))


def judge_means(report, chosen, workload):
    """The pool's averages, and the best general allocator's over them."""
    for metric, what in AVERAGES.items():
        ours = report.value(JUDGED, f"{workload}_net_{metric}")
        other, name = best(report, chosen, [f"{workload}_net_{metric}"])
        ratio = other / ours if ours and other else None
        yield verdict(f"{TITLES[workload]}, {what}, net of the loop: best general allocator "
                      f"({name}) over {JUDGED}", ratio, ">= 3", bool(ratio) and ratio >= 3)


def steps_above_timer(report, workload):
    """How far the pool's p99 is above the timer's, in steps of the timer; the worse of two."""
    step = report.value(allocators.TIMER, "step_ns")
    above = []
    for side in ("take", "give"):
        ours = report.value(JUDGED, f"{workload}_{side}_p99_ns")
        timer = report.value(allocators.TIMER, f"{workload}_{side}_p99_ns")
        above.append(None if ours is None else (ours - timer) / step)
    return None if None in above else max(above)


def judge_tails(report, chosen, workload):
    """The pool's tails: against the timer, absolutely, and against the best general allocator."""
    above = steps_above_timer(report, workload)
    yield verdict(f"{TITLES[workload]}: {JUDGED}'s p99 of take and give above the timer's, steps of it",
                  above, "<= 1", above is not None and above <= 1.01)
    metrics = [f"{workload}_intrinsic_{side}_max_ns" for side in ("take", "give")]
    values = [report.value(JUDGED, metric) for metric in metrics]
    worst = None if None in values else max(values)
    yield verdict(f"{TITLES[workload]}: {JUDGED}'s intrinsic max, take and give, ns", worst, "<= 100",
                  worst is not None and worst <= 100, ".0f")
    other, name = best(report, chosen, metrics)
    ratio = other / worst if worst and other else None
    yield verdict(f"{TITLES[workload]}: intrinsic max of the best general allocator ({name}) "
                  f"over {JUDGED}'s", ratio, ">= 100", bool(ratio) and ratio >= 100, ".0f")


def judge(report, chosen, workloads):
    """Compare with the targets that the project set itself."""
    print("\nTargets")
    verdicts = []
    for metric in ("turns_ns", "pairs_ns") if "fixed64" in workloads else ():
        value = report.value(JUDGED, f"fixed64_net_{metric}")
        verdicts.append(verdict(f"{JUDGED}: a take and a give, {AVERAGES[metric]}, net of the "
                                "loop, ns", value,
                                "<= 3", value is not None and value <= 3))
    for workload in workloads:
        verdicts += judge_means(report, chosen, workload)
        verdicts += judge_tails(report, chosen, workload)
    ratio = report.ratios.get(("shared-pool", "remote_ns"), {}).get("mimalloc")
    verdicts.append(verdict("two threads: shared pool's time over mimalloc's", ratio, "<= 1",
                            ratio is not None and ratio <= 1))
    return verdicts


def draw(curves, chosen, workloads, path):
    """Take above, give below; a column a workload."""
    panels = []
    for side in ("take", "give"):
        for workload in workloads:
            named = {}
            for subject in chosen:
                figures = curves[subject.name, workload][side]["curve"]
                named[subject.name] = [(10 ** ((index + 1) / POINTS_A_DECADE), value)
                                       for index, value in enumerate(figures)]
            marks = ([(100, CLAIMED["take_p99_ns"]), (1e6, CLAIMED["take_max_ns"])]
                     if side == "take" and workload == "mixed" else [])
            panels.append((f"{side}: {TITLES[workload]}", named, marks))
    plot.curves(path, "The least that each operation took over all replays, timer included", panels,
                len(workloads))


def main():
    arguments = parse_arguments()
    chosen = choose(arguments)
    workloads = arguments.workloads.split(",")
    report = Report("alloc")
    print(machine.facts_line())
    machine.beware_of_load()
    with tempfile.TemporaryDirectory(prefix="zerog-bench-") as folder:
        curves = measure_all(report, chosen, arguments, folder)
    add_derived(report, chosen, workloads)
    print_tables(report, chosen, workloads)
    verdicts = judge(report, chosen, workloads)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    if arguments.plot and plot.is_available():
        draw(curves, chosen, workloads, arguments.plot)
        print(f"\nThe curves are in {arguments.plot}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench alloc: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

#!/usr/bin/python3
"""Layout: what false sharing costs, and what cold fields among hot ones cost.

Two threads count, each a counter of its own, which lie on one cache line or on two. One
thread looks at 16 bytes of each of many objects, which lie together or each beside
112 bytes that nobody looks at. All variants take turns, so that a slow drift of the
machine falls on all of them; ratios are taken round by round.
"""

import argparse
import subprocess
import sys
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import machine  # noqa: E402
import subjects  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

PROGRAM = subjects.BUILD / "layout"
ROUND_SECONDS = 10
TOGETHER_MIN = 0.8  # below, the two threads mostly took turns, and shared nothing
RUN_SECONDS_MAX = 120
# subject: bytes between two counters
SHARING = {"one-line": 8, "own-lines": 64, "own-line-pairs": 128}
SUBJECTS = ["one-line", "own-lines", "own-line-pairs", "mixed", "split"]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench layout", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--counts", type=int, default=50000000, help="of each thread, a round")
    parser.add_argument("--objects", type=int, default=262144,
                        help="walked over: 4 MiB of hot fields, 32 MiB with the cold ones")
    parser.add_argument("--quick", action="store_true", help="2 rounds")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 2
    if arguments.rounds < 1 or arguments.counts < 1 or arguments.objects < 2:
        parser.error("--rounds and --counts are at least 1, --objects is at least 2.")
    return arguments


def run(*words):
    """One measurement: its numbers."""
    result = subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True,
                            timeout=RUN_SECONDS_MAX, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return [float(word) for word in result.stdout.split()]


def measure(report, arguments):
    progress = Progress(arguments.rounds * ROUND_SECONDS)
    for number in range(arguments.rounds):
        progress.say(f"round {number + 1} of {arguments.rounds}")
        for subject, distance in SHARING.items():
            spent, together = run("sharing", distance, arguments.counts)
            report.add(subject, "count_ns", spent, "ns")
            report.add(subject, "together", together, "share")
        for order in ("ordered", "random"):
            for subject in ("mixed", "split"):
                report.add(subject, f"walk_{order}_ns",
                           run("walk", subject, order, arguments.objects)[0], "ns")
    progress.end()


def compare(report):
    for subject in ("one-line", "own-line-pairs"):
        report.add_ratio(subject, "count_ns", "own-lines", "own-lines")
    for order in ("ordered", "random"):
        report.add_ratio("mixed", f"walk_{order}_ns", "split", "split")


def print_tables(report, arguments):
    report.table("Two threads, each with its own counter: one count", list(SHARING), [
        ("ns", "count_ns", ".2f", True), ("together", "together", ".0%", False)])
    report.table(f"16 hot bytes of each of {arguments.objects} objects of 128: one object",
                 ["mixed", "split"], [
                     ("in order, ns", "walk_ordered_ns", ".2f", True),
                     ("at random, ns", "walk_random_ns", ".2f", True)])


def judge(report):
    """Keeping things apart must be worth its bytes, or the convention is idle talk."""
    print("\nWhat the wrong place costs")
    ratios = report.ratios
    found = []
    for name, subject, metric, other in (
            ("two counters on one line over lines of their own", "one-line", "count_ns",
             "own-lines"),
            ("cold fields among the hot over hot alone, in order", "mixed", "walk_ordered_ns",
             "split"),
            ("cold fields among the hot over hot alone, at random", "mixed", "walk_random_ns",
             "split")):
        ratio = ratios.get((subject, metric), {}).get(other)
        if metric == "count_ns" and report.value(subject, "together") < TOGETHER_MIN:
            print("Beware: the machine is busy, and the two threads seldom ran at once.",
                  file=sys.stderr)
            ratio = None
        found.append(verdict(name, ratio, "> 1", ratio is not None and ratio > 1))
    return found


def main():
    arguments = parse_arguments()
    report = Report("layout")
    print(machine.facts_line())
    machine.beware_of_load()
    if machine.facts()["cpus"] < 2:
        print("Beware: one cpu only; two threads take turns, and share nothing at a time.",
              file=sys.stderr)
    measure(report, arguments)
    compare(report)
    print_tables(report, arguments)
    verdicts = judge(report)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench layout: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

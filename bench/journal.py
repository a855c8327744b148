#!/usr/bin/python3
"""Journal: durable records a second beside the disk's own limit, and how long a start takes.

The floor writes the same records, as many to a flush, to a file that was allocated and filled
before, by pwrite and fdatasync, and does nothing else. Both take turns on the same disk; a ratio is
taken round by round. Then a journal of many small records is replayed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import machine  # noqa: E402
import subjects  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

GROUPS = (1, 16, 64)
PROGRAMS = {"floor": ["floor_commit"], "journal": ["journal", "commit"]}
RATIO_MIN = 0.8
RECOVERY_SECONDS_MAX = 1.0
RUN_SECONDS_MAX = 300
RUN_SECONDS = 2


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench journal", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--commits", type=int, default=1000, help="of one measurement")
    parser.add_argument("--size", type=int, default=256, help="bytes of a record")
    parser.add_argument("--records", type=int, default=1000000, help="of the journal to replay")
    parser.add_argument("--record-size", type=int, default=64, help="bytes of one of those")
    parser.add_argument("--directory", default=str(subjects.BUILD),
                        help="on the disk to be measured")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 200 commits")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.commits = 2, 200
    if min(arguments.rounds, arguments.commits, arguments.records) < 1:
        parser.error("rounds, commits and records are at least 1.")
    if not 1 <= min(arguments.size, arguments.record_size) \
            or max(arguments.size, arguments.record_size) > 65536:
        parser.error("a record has 1 to 65536 bytes.")
    return arguments


def run(*words):
    """One measurement: its numbers."""
    program, *rest = map(str, words)
    result = subprocess.run([str(subjects.BUILD / program), *rest], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return [float(word) for word in result.stdout.split()]


def measure_commits(report, arguments):
    progress = Progress(arguments.rounds * len(GROUPS) * len(PROGRAMS) * RUN_SECONDS)
    for number in range(arguments.rounds):
        names = list(PROGRAMS)[::-1 if number % 2 else 1]
        for group in GROUPS:
            for name in names:
                progress.say(f"round {number + 1} of {arguments.rounds}: {name}, {group} a flush")
                program, *words = PROGRAMS[name]
                with tempfile.TemporaryDirectory(prefix="journal-",
                                                 dir=arguments.directory) as folder:
                    seconds = run(program, *words, folder, group, arguments.size,
                                  arguments.commits)[0]
                report.add(f"{name}-{group}", "records_per_second",
                           group * arguments.commits / seconds, "1/s")
                report.add(f"{name}-{group}", "commit_us", seconds / arguments.commits * 1e6, "us")
    progress.end()


def measure_recovery(report, arguments):
    with tempfile.TemporaryDirectory(prefix="journal-", dir=arguments.directory) as folder:
        words = (folder, arguments.record_size, arguments.records)
        run("journal", "fill", *words)
        for _ in range(arguments.rounds):
            opened, replayed = run("journal", "recover", *words)
            report.add("recovery", "open_seconds", opened, "s")
            report.add("recovery", "replay_seconds", replayed, "s")


def judge(report, arguments):
    print("\nTargets")
    found = []
    for group in GROUPS:
        ratio = report.ratios.get((f"journal-{group}", "records_per_second"), {}).get("floor")
        found.append(verdict(f"records/s over the floor, {group} a flush", ratio,
                             f">= {RATIO_MIN}", ratio is not None and ratio >= RATIO_MIN))
    seconds = report.value("recovery", "open_seconds")
    found.append(verdict(f"seconds to open and replay {arguments.records:,} records", seconds,
                         f"< {RECOVERY_SECONDS_MAX:.0f}",
                         seconds is not None and seconds < RECOVERY_SECONDS_MAX, ".3f"))
    return found


def main():
    arguments = parse_arguments()
    report = Report("journal")
    print(machine.facts_line())
    machine.beware_of_load()
    measure_commits(report, arguments)
    measure_recovery(report, arguments)
    for group in GROUPS:
        for metric in ("records_per_second", "commit_us"):
            report.add_ratio(f"journal-{group}", metric, "floor", f"floor-{group}")
    report.table(f"Durable records of {arguments.size} bytes (median, spread)",
                 [f"{name}-{group}" for group in GROUPS for name in PROGRAMS], [
                     ("records/s", "records_per_second", ",.0f", True),
                     ("us a commit", "commit_us", ",.0f", True)])
    report.table(f"{arguments.records:,} records of {arguments.record_size} bytes", ["recovery"], [
        ("to open, s", "open_seconds", ".3f", True),
        ("of that the replay, s", "replay_seconds", ".3f", True)])
    verdicts = judge(report, arguments)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench journal: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

#!/usr/bin/python3
"""Errors: which mistakes with memory an allocator tells of.

Each mistake is made in a process of its own, with a time limit, and the program then goes on for
a thousand allocations. It is caught when the call fails, when the allocator writes a message, or
when it stops the process itself (abort, trap). Not caught is a program that goes on (unnoticed),
that has two owners for one block or finds its contents changed (corrupted), that touches what is
not there (crashed: good luck, and no word of what was wrong), or that never ends (hung).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import allocators  # noqa: E402
import machine  # noqa: E402
import subjects  # noqa: E402
from report import Report, verdict  # noqa: E402

KINDS = {"double_free": "Double frees", "invalid_free": "Invalid frees",
         "write_after_free": "Writes after free"}
OUTCOMES = ("caught", "crashed", "corrupted", "hung", "unnoticed")
# What they would otherwise keep to themselves, or tell the terminal.
TALKATIVE = {"MIMALLOC_SHOW_ERRORS": "1", "LIBC_FATAL_STDERR_": "1"}
POISONED = subjects.ROOT / "build-asan" / "errors_zerog"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench errors", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verbose", action="store_true", help="each mistake, and what was said")
    parser.add_argument("--quick", action="store_true", help="the same: it takes a second")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def commands():
    """Command line and environment by subject: ours by handle and by pointer, then malloc's."""
    ours = allocators.program("errors_zerog")
    found = {"zerog": ([ours], ""), "zerog-pointers": ([ours, "--pointers"], "")}
    if POISONED.exists():
        found["zerog-pointers-asan"] = ([str(POISONED), "--pointers"], "")
    else:
        print("There is no build-asan (\"./dev test unit\" makes it): what poison catches is left "
              "out.", file=sys.stderr)
    general = allocators.program("errors_general")
    for name, preload in allocators.libraries().items():
        found[name] = ([general], preload)
    return found


def make_mistakes(name, command, preload):
    """Every case of one subject, as the program tells it."""
    environment = {**allocators.environment(preload), **TALKATIVE}
    outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=300, env=environment, check=False)
    if outcome.returncode != 0 or outcome.stderr:
        raise RuntimeError(f"{name} failed ({outcome.returncode}): {outcome.stderr.strip()[-400:]}")
    cases = json.loads(outcome.stdout)
    unable = [case["name"] for case in cases if case["outcome"] == "unable"]
    if unable:
        raise RuntimeError(f"{name} could not make these mistakes: {', '.join(unable)}")
    return cases


def add(report, name, cases):
    for kind in KINDS:
        outcomes = [case["outcome"] for case in cases if case["kind"] == kind]
        report.add(name, f"{kind}_cases", len(outcomes), "cases")
        for outcome in OUTCOMES:
            report.add(name, f"{kind}_{outcome}", outcomes.count(outcome), "cases")


def print_cases(found):
    for number, case in enumerate(next(iter(found.values()))):
        print(f"\n{case['kind'].replace('_', ' ')}: {case['name']}")
        for name, cases in found.items():
            print(f"  {name.ljust(20)} {cases[number]['outcome'].ljust(10)} {cases[number]['how']}")


def judge(report):
    print("\nTargets")
    verdicts = []
    for kind, title in KINDS.items():
        count = report.value("zerog", f"{kind}_cases")
        caught = report.value("zerog", f"{kind}_caught")
        verdicts.append(verdict(f"zerog, by handle: {title.lower()} caught", caught,
                                f"= {count:.0f}", caught == count, ".0f"))
    return verdicts


def main():
    arguments = parse_arguments()
    report = Report("errors")
    print(machine.facts_line())
    found = {}
    for name, (command, preload) in commands().items():
        found[name] = make_mistakes(name, command, preload)
        add(report, name, found[name])
    if arguments.verbose:
        print_cases(found)
    for kind, title in KINDS.items():
        report.table(f"{title}: what became of them", list(found),
                     [("cases", f"{kind}_cases", ".0f", False)]
                     + [(outcome, f"{kind}_{outcome}", ".0f", False) for outcome in OUTCOMES])
    verdicts = judge(report)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts, cases=found)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench errors: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

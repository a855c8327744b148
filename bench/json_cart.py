#!/usr/bin/python3
"""JSON: a cart's document into its struct, and back, beside libraries that build a tree.

Every subject is a process of its own that does the same work: all limits are checked, and nothing
of the document is kept but what lies in the struct. Rounds are interleaved, each started with
another subject; a ratio is taken round by round.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE / "support")

# pylint: disable=wrong-import-position
import allocators  # noqa: E402
import machine  # noqa: E402
import subjects  # noqa: E402
from report import Report, verdict  # noqa: E402

# Name: what the linker calls its library. Debian's packages are lib..-dev.
PEERS = {"jansson": "jansson", "cjson": "cjson"}
LINES = {"small": 2, "usual": 8, "full": 20}
METRICS = {"bind_ns": "ns", "write_ns": "ns", "bind_allocations": "allocations",
           "write_allocations": "allocations", "document_size": "bytes"}
RATIO_TARGET = 0.5


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench json_cart", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="samples of each (11)")
    parser.add_argument("--quick", action="store_true", help="three rounds")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def build_peer(name):
    """The path of a peer's program, compiled as ours is; None where its library is missing."""
    output = subjects.BUILD / f"json_{name}"
    result = subprocess.run(["gcc", "-std=gnu17", "-O3", "-g", "-Wall", "-Wextra", "-fPIE", "-pie",
                             "-D_GNU_SOURCE", "-D_FORTIFY_SOURCE=3", "-fstack-clash-protection",
                             "-fcf-protection", "-o", output, HERE / "json_cart" / "harness.c",
                             HERE / "json_cart" / f"{name}.c", f"-l{PEERS[name]}"],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return str(output)
    if "No such file" in result.stderr:
        print(f"{name} is not installed: it is left out.", file=sys.stderr)
        return None
    raise RuntimeError(f"{name} does not compile: {result.stderr.strip()[-400:]}")


def commands():
    found = {"zerog": allocators.program("json_zerog")}
    for name in PEERS:
        path = build_peer(name)
        if path:
            found[name] = path
    return found


def sample(command, lines):
    outcome = subprocess.run([command, str(lines)], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=60, check=False)
    if outcome.returncode != 0:
        raise RuntimeError(outcome.stderr.strip()[-400:])
    return json.loads(outcome.stdout)


def measure(report, found, rounds):
    names = list(found)
    for number in range(rounds):
        for size, lines in LINES.items():
            for index in range(len(names)):
                name = names[(number + index) % len(names)]
                for metric, value in sample(found[name], lines).items():
                    report.add(name, f"{size}_{metric}", value, METRICS[metric])


def judge(report, peers):
    print("\nTargets")
    verdicts = [verdict("allocations a document, either way",
                        max(report.value("zerog", f"{size}_{way}_allocations")
                            for size in LINES for way in ("bind", "write")), "= 0",
                        all(report.value("zerog", f"{size}_{way}_allocations") == 0
                            for size in LINES for way in ("bind", "write")), ".0f")]
    for way in ("bind", "write"):
        for peer in peers:
            ratio = max((report.add_ratio("zerog", f"{size}_{way}_ns", peer, peer)
                         for size in LINES), default=None)
            verdicts.append(verdict(f"{way}: time beside {peer}, the worst size", ratio,
                                    f"<= {RATIO_TARGET}", ratio <= RATIO_TARGET))
    return verdicts


def main():
    arguments = parse_arguments()
    report = Report("json_cart")
    print(machine.facts_line())
    machine.beware_of_load()
    found = commands()
    measure(report, found, 3 if arguments.quick else arguments.rounds)
    for size, lines in LINES.items():
        bytes_each = report.value("zerog", f"{size}_document_size")
        report.table(f"A cart of {lines} lines, {bytes_each:.0f} bytes", list(found),
                     [("bind ns", f"{size}_bind_ns", ".0f", True),
                      ("mallocs", f"{size}_bind_allocations", ".0f", False),
                      ("write ns", f"{size}_write_ns", ".0f", True),
                      ("mallocs", f"{size}_write_allocations", ".0f", False)])
    verdicts = judge(report, [name for name in found if name != "zerog"])
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench json_cart: {error}", file=sys.stderr)
        sys.exit(1)

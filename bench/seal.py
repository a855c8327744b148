#!/usr/bin/python3
"""Seal: hello under full load, its memory sealed by the kernel, and by counting alone.

The kernel's seal is a filter that every system call passes. What it costs is the ratio of
throughputs, round by round; what a ratio is worth is told by a control: the same service as the
first, measured once more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import load  # noqa: E402
import machine  # noqa: E402
import processes  # noqa: E402
import subjects  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

WARM_UP_S = 1
START_S = 0.4
# What follows the backend in a subject's name: the mode it is sealed in.
MODES = {"count": "count", "control": "count", "kernel": "kernel"}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench seal", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of one measured round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2 s")
    parser.add_argument("--connections", type=int, default=360)
    parser.add_argument("--io", choices=("uring", "epoll", "both"), default="both")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.rounds = 2, 3
    if min(arguments.seconds, arguments.rounds, arguments.connections) < 1:
        parser.error("seconds, rounds and connections are at least 1.")
    return arguments


def command(io, mode, port):
    return [str(subjects.BUILD / "hello"), "--listen", f"127.0.0.1:{port}", "--io", io,
            "--shards", str(len(os.sched_getaffinity(0))), "--seal", mode]


def has_kernel_seal():
    """Does hello know this mode, and does this kernel let it have it?"""
    probe = subprocess.run([*command("epoll", "kernel", processes.free_port()), "--plan"],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return probe.returncode == 0


def measure(report, name, arguments, folder):
    _, io, role = name.split("-")
    port = processes.free_port()
    pressure = load.Load(arguments.connections)
    with processes.Server(command(io, MODES[role], port), port, f"{folder}/{name}.log") as server:
        errors = load.run(pressure, port, WARM_UP_S, folder)["errors"]
        before = processes.cpu_time(server.pid)
        result = load.run(pressure, port, arguments.seconds, folder)
        spent = processes.cpu_time(server.pid) - before
        # A failed request is one thing; that the service has gone would be another.
        processes.receive_reply(port)
    report.add(name, "requests_per_second", result["requests"] / result["duration_us"] * 1e6,
               "1/s")
    report.add(name, "cpu_us_per_request", spent.total / result["requests"] * 1e6, "us")
    report.add(name, "latency_p99_us", result["p99_us"], "us")
    report.add(name, "errors", errors + result["errors"], "requests")


def measure_all(report, names, arguments, folder):
    steps = [(number, names[(index + number) % len(names)])
             for number in range(arguments.rounds) for index in range(len(names))]
    progress = Progress(len(steps) * (WARM_UP_S + arguments.seconds + START_S))
    for number, name in steps:
        progress.say(f"round {number + 1} of {arguments.rounds}: {name}")
        measure(report, name, arguments, folder)
    progress.end()


def judge_ratio(report, io, metric, what, is_more_better):
    """The kernel's seal is as good as the control in its worst round, or better."""
    base, control, sealed = (f"zerog-{io}-{role}" for role in MODES)
    for name in (control, sealed):
        report.add_ratio(name, metric, "count", base)
    known = [ours / theirs for ours, theirs in zip(report.samples[control, metric],
                                                   report.samples[base, metric])]
    bound = min(known) if is_more_better else max(known)
    ratio = report.ratios.get((sealed, metric), {}).get("count")
    is_met = ratio is not None and (ratio >= bound if is_more_better else ratio <= bound)
    sign = ">=" if is_more_better else "<="
    return verdict(f"{io}: {what}, sealed by the kernel over sealed by counting", ratio,
                   f"{sign} {bound:.3f}, the control's worst", is_met, ".3f")


def judge(report, io):
    sealed = f"zerog-{io}-kernel"
    errors = report.samples.get((sealed, "errors"))
    errors = None if errors is None else sum(errors)
    return [judge_ratio(report, io, "requests_per_second", "requests/s", True),
            judge_ratio(report, io, "cpu_us_per_request", "CPU a request", False),
            verdict(f"{io}: requests that failed, sealed by the kernel", errors, "= 0",
                    errors == 0, ".0f")]


def main():
    arguments = parse_arguments()
    backends = [io for io in ("uring", "epoll") if arguments.io in (io, "both")]
    roles = list(MODES)
    if not has_kernel_seal():
        print("hello has no --seal kernel here; it is left out.", file=sys.stderr)
        roles.remove("kernel")
    names = [f"zerog-{io}-{role}" for io in backends for role in roles]
    report = Report("seal")
    print(machine.facts_line())
    machine.beware_of_load()
    with tempfile.TemporaryDirectory(prefix="zerog-bench-") as folder:
        measure_all(report, names, arguments, folder)
    report.table(f"Keep-alive, {arguments.connections} connections (median, spread)", names, [
        ("requests/s", "requests_per_second", ",.0f", True),
        ("CPU us", "cpu_us_per_request", ".2f", True),
        ("p99 us", "latency_p99_us", ",.0f", False),
        ("failed", "errors", ",.0f", False),
    ])
    print("\nTargets")
    verdicts = [line for io in backends for line in judge(report, io)]
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench seal: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

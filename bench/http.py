#!/usr/bin/python3
"""Requests: floor, hello, nginx and h2o under wrk, in turn, as ratios to the floor.

The floor answers without looking, so its cost is the kernel's. Rounds are interleaved
because a small machine drifts: only what was measured in the same run is compared.
"""

import argparse
import os
import shutil
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


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench http", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of one measured round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="2 rounds of 3 s")
    parser.add_argument("--connections", type=int, default=360)
    parser.add_argument("--pipeline", type=int, default=16, metavar="DEPTH",
                        help="requests sent in one go in the pipelined rounds; 0 for none")
    parser.add_argument("--shards", type=int, default=len(os.sched_getaffinity(0)),
                        help="serving threads or workers of every subject")
    parser.add_argument("--subjects", default=",".join(subjects.ALL),
                        help="comma-separated; all: %(default)s")
    parser.add_argument("--no-close", action="store_true",
                        help="leave out the new-connection rounds")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.rounds = 3, 2
    if min(arguments.seconds, arguments.rounds, arguments.connections, arguments.shards) < 1:
        parser.error("seconds, rounds, connections and shards are at least 1.")
    unknown = set(arguments.subjects.split(",")) - set(subjects.ALL)
    if unknown:
        parser.error(f"there is no subject {', '.join(sorted(unknown))}.")
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; \"./dev bench http\" does that.")
    return arguments


def measure_keep_alive(report, name, server, arguments, folder):
    pressure = load.Load(arguments.connections)
    load.run(pressure, server.port, WARM_UP_S, folder)
    before = processes.cpu_time(server.pid)
    result = load.run(pressure, server.port, arguments.seconds, folder)
    spent = processes.cpu_time(server.pid) - before
    requests = result["requests"]
    report.add(name, "requests_per_second", requests / result["duration_us"] * 1e6, "1/s")
    report.add(name, "cpu_us_per_request", spent.total / requests * 1e6, "us")
    report.add(name, "user_us_per_request", spent.user / requests * 1e6, "us")
    report.add(name, "system_us_per_request", spent.system / requests * 1e6, "us")
    for percentile in ("p50", "p99", "p999", "max"):
        report.add(name, f"latency_{percentile}_us", result[f"{percentile}_us"], "us")
    report.add(name, "errors", result["errors"], "requests")


def measure_pipelined(report, name, server, arguments, folder):
    pressure = load.Load(arguments.connections, depth=arguments.pipeline)
    load.run(pressure, server.port, WARM_UP_S, folder)
    before = processes.cpu_time(server.pid)
    result = load.run(pressure, server.port, arguments.seconds, folder)
    spent = processes.cpu_time(server.pid) - before
    report.add(name, "pipelined_requests_per_second",
               result["requests"] / result["duration_us"] * 1e6, "1/s")
    report.add(name, "pipelined_cpu_us_per_request", spent.total / result["requests"] * 1e6, "us")
    report.add(name, "errors", result["errors"], "requests")


def measure_new_connections(report, name, server, arguments, folder):
    pressure = load.Load(arguments.connections, is_close=True)
    load.run(pressure, server.port, WARM_UP_S, folder)
    before = processes.cpu_time(server.pid)
    result = load.run(pressure, server.port, arguments.seconds, folder)
    spent = processes.cpu_time(server.pid) - before
    report.add(name, "new_connections_per_second",
               result["requests"] / result["duration_us"] * 1e6, "1/s")
    report.add(name, "cpu_us_per_new_connection", spent.total / result["requests"] * 1e6, "us")


def rotated(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def plan_of(names, arguments):
    """Every measurement in order: (what it is called, function, subject)."""
    # The floor neither counts requests nor closes: it has no part in these rounds.
    real = [name for name in names if not name.startswith("floor")]
    steps = []
    for number in range(arguments.rounds):
        label = f"round {number + 1} of {arguments.rounds}"
        steps += [(f"{label}, keep-alive", measure_keep_alive, name)
                  for name in rotated(names, number)]
        if arguments.pipeline > 1 and real:
            steps += [(f"{label}, pipelined", measure_pipelined, name)
                      for name in rotated(real, number)]
        if not arguments.no_close and real:
            steps += [(f"{label}, new connections", measure_new_connections, name)
                      for name in rotated(real, number)]
    return steps


def measure_all(report, names, arguments, folder):
    steps = plan_of(names, arguments)
    step_s = WARM_UP_S + arguments.seconds + START_S
    progress = Progress(len(steps) * step_s + len(names) * 3)
    for label, measure, name in steps:
        progress.say(f"{label}: {name}")
        with subjects.start(name, arguments.shards, folder) as server:
            measure(report, name, server, arguments, folder)
    for name in names:
        progress.say(f"system calls: {name}")
        with subjects.start(name, arguments.shards, folder) as server:
            calls = load.count_system_calls(load.Load(arguments.connections), server, 2, folder)
        if calls is not None:
            report.add(name, "syscalls_per_request", calls, "calls")
    progress.end()


def compare(report, names):
    for name in names:
        floor = subjects.FLOOR_OF.get(name)
        for metric in ("requests_per_second", "cpu_us_per_request", "user_us_per_request",
                       "system_us_per_request", "latency_p99_us", "syscalls_per_request"):
            if floor is not None:
                report.add_ratio(name, metric, "floor", floor)
        if name.startswith("zerog"):
            for peer in ("nginx", "h2o"):
                for metric in ("requests_per_second", "cpu_us_per_request",
                               "pipelined_requests_per_second", "new_connections_per_second"):
                    report.add_ratio(name, metric, peer, peer)


def print_tables(report, names, arguments):
    report.table(f"Keep-alive, {arguments.connections} connections (median, spread)", names, [
        ("requests/s", "requests_per_second", ",.0f", True),
        ("p50 us", "latency_p50_us", ",.0f", False),
        ("p99 us", "latency_p99_us", ",.0f", False),
        ("p99.9 us", "latency_p999_us", ",.0f", False),
        ("max us", "latency_max_us", ",.0f", False),
        ("errors", "errors", ".0f", False),
    ])
    report.table("Server's cost of one request", names, [
        ("CPU us", "cpu_us_per_request", ".2f", True),
        ("user us", "user_us_per_request", ".2f", True),
        ("system us", "system_us_per_request", ".2f", True),
        ("system calls", "syscalls_per_request", ".2f", False),
    ])
    real = [name for name in names if not name.startswith("floor")]
    report.table(f"Pipelined {arguments.pipeline} deep; one request a connection", real, [
        ("pipelined/s", "pipelined_requests_per_second", ",.0f", True),
        ("CPU us", "pipelined_cpu_us_per_request", ".2f", False),
        ("connections/s", "new_connections_per_second", ",.0f", True),
        ("CPU us", "cpu_us_per_new_connection", ".2f", False),
    ])
    print("\nCPU a request, as a ratio to the floor of the same backend (peers: epoll's)")
    for name in names:
        ratio = report.ratios.get((name, "cpu_us_per_request"), {}).get("floor")
        if ratio is not None:
            print(f"  {name.ljust(12)} {ratio:.3f}")


def judge(report, names):
    """Compare with the targets that the project set itself."""
    verdicts = []
    ours = [name for name in names if name.startswith("zerog")]
    if ours:
        print("\nTargets")
    for name in ours:
        ratios = report.ratios.get((name, "cpu_us_per_request"), {})
        ratio = ratios.get("floor")
        verdicts.append(verdict(f"{name}: CPU a request over the floor's", ratio, "<= 1.10",
                                ratio is not None and ratio <= 1.10, ".3f"))
        user = report.value(name, "user_us_per_request")
        verdicts.append(verdict(f"{name}: user time a request, us", user, "<= 0.5",
                                user is not None and user <= 0.5))
        for peer in ("nginx", "h2o"):
            ratio = report.ratios.get((name, "requests_per_second"), {}).get(peer)
            verdicts.append(verdict(f"{name}: requests/s over {peer}'s", ratio, ">= 1",
                                    ratio is not None and ratio >= 1))
        ratio = report.ratios.get((name, "pipelined_requests_per_second"), {}).get("nginx")
        verdicts.append(verdict(f"{name}: pipelined requests/s over nginx's", ratio, ">= 3",
                                ratio is not None and ratio >= 3))
    return verdicts


def check_reply_sizes(names, arguments, folder):
    """The floor must send exactly as many bytes as hello, or the ratio means nothing."""
    sizes = {}
    for name in names:
        with subjects.start(name, arguments.shards, folder) as server:
            head, body = processes.receive_reply(server.port)
            if body.strip() != b"Hello":
                raise RuntimeError(f"{name} answered {body[:40]!r} instead of Hello")
            sizes[name] = len(head) + 4 + len(body)
    ours = {size for name, size in sizes.items() if name.startswith(("floor", "zerog"))}
    if len(ours) > 1:
        print(f"Beware: floor and hello answer with different sizes: {sizes}.", file=sys.stderr)
    return sizes


def main():
    arguments = parse_arguments()
    wanted = arguments.subjects.split(",")
    names = [name for name in subjects.ALL if name in wanted and subjects.is_available(name)]
    for name in wanted:
        if name not in names:
            print(f"{name} is not installed and is left out.", file=sys.stderr)
    report = Report("http")
    print(machine.facts_line())
    machine.beware_of_load()
    with tempfile.TemporaryDirectory(prefix="zerog-bench-") as folder:
        # nginx's workers give up root and must still reach their files.
        os.chmod(folder, 0o755)
        sizes = check_reply_sizes(names, arguments, folder)
        for name, size in sizes.items():
            report.add(name, "reply_size", size, "bytes")
        measure_all(report, names, arguments, folder)
    compare(report, names)
    print_tables(report, names, arguments)
    verdicts = judge(report, names)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench http: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

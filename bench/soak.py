#!/usr/bin/python3
"""Soak: ten million requests of mixed sizes, after which memory is what it was.

Small requests, bodies of up to the limit, with a length and chunked, replies of up to 1 MiB,
pipelined requests and new connections, from wrk to one service, on each backend. Resident memory
after the first hundredth of the requests and at the end must not differ by one page, no page may
have been faulted in since the service began to serve, and every pool must be full again.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import load  # noqa: E402
import machine  # noqa: E402
import mix  # noqa: E402
import processes  # noqa: E402
import subjects  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

REQUESTS, REQUESTS_QUICK = 10_000_000, 500_000
CONNECTIONS = 128
SEED = 20260101
MIX_COUNT = 2000  # different requests of each mixture
PIPELINE_DEPTH = 8
RATE_EXPECTED = 40000  # requests a second, until we know better
KEPT_S, PIPELINED_S = 10, 1  # a stretch of each in turn: about as many requests
SETTLE_S_MAX = 10
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Reading:
    """What the service and the kernel say of it at one moment."""

    requests: int
    connections: int  # accepted so far
    pages: int  # resident
    minor_faults: int
    major_faults: int


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"{REQUESTS_QUICK:,} requests")
    parser.add_argument("--io", choices=("uring", "epoll", "both"), default="both")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.requests = REQUESTS_QUICK
    if arguments.requests < 1000:
        parser.error("--requests is at least 1000.")
    return arguments


def command(io, port):
    program = subjects.BUILD / "test_service"
    if not program.exists():
        raise FileNotFoundError(f"{program} is not built; \"./dev build\" makes it.")
    # Each connection may be in the middle of a body at once.
    return [str(program), "--listen", f"127.0.0.1:{port}", "--io", io, "--seal", "count",
            "--arena-chunks", str(4 * CONNECTIONS)]


def read(server):
    """The service is asked first: what its answer costs belongs to the reading."""
    _, page = processes.receive_reply(server.port, "/metrics")
    requests, connections = (
        int(re.search(rb"^zerog_%s_total (\d+)$" % name, page, re.MULTILINE).group(1))
        for name in (b"requests", b"connections_accepted"))
    minor, major = processes.faults(server.pid)
    pages = processes.resident(server.pid) // PAGE_SIZE
    return Reading(requests, connections, pages, minor, major)


def settled(server):
    """The memory page once all but the connection that asks has gone, or as it is in the end."""
    deadline = time.monotonic() + SETTLE_S_MAX
    while True:
        _, body = processes.receive_reply(server.port, "/memory")
        page = json.loads(body)
        lost = sum(pool["total"] - 1 - pool["free"] for pool in page["pools"].values())
        if (lost == 0 and page["connections"]["open"] == 1) or time.monotonic() > deadline:
            return page, lost
        time.sleep(0.1)


def write_scripts(folder):
    """Scripts for wrk: kept connections, and pipelined ones."""
    kept, pipelined = Path(folder) / "kept.lua", Path(folder) / "pipelined.lua"
    kept.write_text(mix.script(mix.draw(mix.KEPT, MIX_COUNT, SEED), 1) + load.SCRIPT_END)
    pipelined.write_text(mix.script(mix.draw(mix.PIPELINED, MIX_COUNT, SEED + 1,
                                             mix.PIPELINED_BODY_SIZE_MAX), PIPELINE_DEPTH)
                         + load.SCRIPT_END)
    return [(kept, KEPT_S), (pipelined, PIPELINED_S)]


def press(server, scripts, count, progress):
    """Until so many requests were served: (reading after the first hundredth, errors)."""
    first, errors, turn = None, 0, 0
    while True:
        now = read(server)
        if first is None and now.requests >= count // 100:
            first = now
        if now.requests >= count:
            return first, errors
        progress(now.requests, now.pages)
        script, seconds = scripts[turn % len(scripts)]
        # Short ones at first, so that the first hundredth is not passed by far.
        seconds = seconds if first is not None and count > REQUESTS_QUICK else 1
        errors += load.run_script(script, CONNECTIONS, server.port, seconds)["errors"]
        turn += 1


def soak(report, name, count, scripts, folder, progress):
    io = name.split("-")[1]
    port = processes.free_port()
    with processes.Server(command(io, port), port, f"{folder}/{name}.log") as server:
        start = read(server)
        begun = time.monotonic()
        first, errors = press(server, scripts, count, progress)
        seconds = time.monotonic() - begun
        memory, lost = settled(server)
        last = read(server)
    add = lambda metric, value, unit: report.add(name, metric, value, unit)
    add("requests", last.requests, "requests")
    add("seconds", seconds, "s")
    add("requests_per_second", last.requests / seconds, "1/s")
    add("connections", last.connections, "connections")
    add("errors", errors, "requests")
    add("requests_first", first.requests, "requests")
    add("resident_pages_start", start.pages, "pages")
    add("resident_pages_first", first.pages, "pages")
    add("resident_pages_last", last.pages, "pages")
    add("resident_pages_difference", last.pages - first.pages, "pages")
    add("minor_faults_since_seal", last.minor_faults - start.minor_faults, "faults")
    add("major_faults_since_seal", last.major_faults - start.major_faults, "faults")
    add("mallocs_since_seal", memory["mallocs_since_seal"], "calls")
    add("objects_lost", lost, "objects")


def judge(report, names, count):
    print("\nTargets")
    verdicts = []
    for name in names:
        for metric, what in (("resident_pages_difference",
                              f"pages more or less after {count:,} requests than after the first 1 %"),
                             ("minor_faults_since_seal", "pages faulted in since the seal"),
                             ("mallocs_since_seal", "mallocs since the seal"),
                             ("objects_lost", "objects not given back"),
                             ("errors", "requests that failed")):
            value = report.value(name, metric)
            verdicts.append(verdict(f"{name}: {what}", value, "= 0", value == 0, ".0f"))
    return verdicts


def main():
    arguments = parse_arguments()
    names = [f"zerog-{io}" for io in ("uring", "epoll") if arguments.io in (io, "both")]
    report = Report("soak")
    print(machine.facts_line())
    total = arguments.requests * len(names)
    meter = Progress(total / RATE_EXPECTED)
    with tempfile.TemporaryDirectory(prefix="zerog-bench-") as folder:
        scripts = write_scripts(folder)
        for number, name in enumerate(names):
            def progress(requests, pages, name=name, done=number * arguments.requests):
                if requests >= arguments.requests // 100:
                    meter.expect((done + requests) / total)
                meter.say(f"{name}: {requests:,} of {arguments.requests:,} requests, "
                          f"{pages:,} pages resident")
            soak(report, name, arguments.requests, scripts, folder, progress)
    meter.end()
    report.table("Mixed requests", names, [
        ("requests", "requests", ",.0f", False),
        ("requests/s", "requests_per_second", ",.0f", False),
        ("connections", "connections", ",.0f", False),
        ("failed", "errors", ",.0f", False),
        ("pages after 1 %", "resident_pages_first", ",.0f", False),
        ("at the end", "resident_pages_last", ",.0f", False),
        ("faults", "minor_faults_since_seal", ",.0f", False),
        ("mallocs", "mallocs_since_seal", ",.0f", False),
        ("not given back", "objects_lost", ",.0f", False),
    ])
    verdicts = judge(report, names, arguments.requests)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"bench soak: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

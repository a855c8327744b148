#!/usr/bin/python3
"""Connections: a great many held in one hello process, measured before, at the top and after.

Every connection has been served a request; then some, chosen at random, are asked
again; then all are let go, and every pool must be full again.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
sys.path[0] = str(Path(__file__).resolve().parent / "support")

# pylint: disable=wrong-import-position
import machine  # noqa: E402
import processes  # noqa: E402
import subjects  # noqa: E402
from hold import Hold  # noqa: E402
from report import Report, verdict  # noqa: E402

MIB = 1 << 20
PAGE_SIZE = 4096
# Both ends of a loopback connection in the kernel: two sockets, their files and polls.
KERNEL_BYTES_EXPECTED = 10 * 1024


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench connections", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000000)
    parser.add_argument("--io", choices=("uring", "epoll"), default="uring")
    parser.add_argument("--again", type=int, default=10000,
                        help="connections asked again at the top")
    parser.add_argument("--rate", type=int, default=0,
                        help="connections opened a second at most; 0 is as fast as it goes")
    parser.add_argument("--exchanges", type=int, help="passed on to hello")
    parser.add_argument("--shards", type=int, help="passed on to hello")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.again < 0 or arguments.rate < 0:
        parser.error("--count is at least 1; --again and --rate are at least 0.")
    arguments.again = min(arguments.again, arguments.count)
    return arguments


def check_memory(count):
    """Refuse before anything is started, rather than be killed at the top."""
    needed = count * (KERNEL_BYTES_EXPECTED + 128) + 256 * MIB
    available = machine.memory_available()
    if needed > available:
        raise RuntimeError(
            f"{count} connections need about {needed // MIB} MiB, kernel memory of both ends "
            f"included, and {available // MIB} MiB are available; lower --count to about "
            f"{max(0, (available - 256 * MIB) // (KERNEL_BYTES_EXPECTED + 128))}.")


def wait_until_quiet(timeout_s=60):
    """Until what ran before us has left the kernel, or its memory would be counted as ours."""
    deadline = time.monotonic() + timeout_s
    available = machine.memory_available()
    while True:
        time.sleep(1)
        now = machine.memory_available()
        if machine.sockstat().get("inuse", 0) < 1000 and abs(now - available) < 16 * MIB:
            return
        if time.monotonic() > deadline:
            print("Beware: this machine is not quiet; the kernel's memory a connection is "
                  "not to be trusted.", file=sys.stderr)
            return
        available = now


def hello_command(arguments, port):
    command = [str(subjects.BUILD / "hello"), "--listen", f"127.0.0.1:{port}",
               "--connections", str(arguments.count + 64), "--io", arguments.io,
               "--idle-timeout-ms", "3600000", "--seal", "count"]
    if arguments.exchanges:
        command += ["--exchanges", str(arguments.exchanges)]
    if arguments.shards:
        command += ["--shards", str(arguments.shards)]
    return command


def metrics(port):
    """hello's /metrics, summed over labels, by name."""
    _, body = processes.receive_reply(port, "/metrics", 30)
    found = {}
    for line in body.decode().splitlines():
        match = re.match(r"([a-zA-Z_:]\w*)(?:\{[^}]*\})? (\S+)$", line)
        if match:
            found[match[1]] = found.get(match[1], 0.0) + float(match[2])
    return found


def memory_page(port):
    """hello's /memory as JSON: the plan, what is resident, the mallocs since the seal."""
    _, body = processes.receive_reply(port, "/memory", 30)
    return json.loads(body)


def snapshot(server, hold):
    """Everything that is measured at one moment, in bytes."""
    known = machine.meminfo()
    user_hold = processes.resident_tree(hold.process.pid) if hold else 0
    return {
        "unused": known["MemFree"] + known["Buffers"] + known["Cached"],
        "kernel": machine.kernel_memory(known),
        "slab": known["Slab"],
        "resident": processes.resident(server.pid),
        "resident_hold": user_hold,
        "socket_pages": machine.sockstat().get("mem", 0) * PAGE_SIZE,
        "sockets": machine.sockstat().get("inuse", 0),
    }


def wait_until_released(port, before, timeout_s=120):
    """Until hello has seen every close and its pools are as before, or too long has passed.

    The connection and the exchange that ask are themselves counted, before as after.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        seen = metrics(port)
        is_released = (seen.get("zerog_connections_open", 0) <= 1 and
                       all(seen.get(name) == before[name] for name in pool_names(before)))
        if is_released or time.monotonic() > deadline:
            return seen
        time.sleep(0.25)


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(arguments, server, folder):
    """The whole course; what was seen, as a dictionary."""
    seen = {"before": snapshot(server, None), "metrics_before": metrics(server.port)}
    say(f"hello listens; opening {arguments.count} connections")
    started = time.monotonic()
    with Hold(server.port, arguments.count, folder, arguments.rate) as hold:
        seen["holding"] = int(hold.expect(r"holding (\d+)").group(1))
        seen["open_seconds"] = time.monotonic() - started
        # Let what the kernel frees late be freed, so that it is not counted.
        time.sleep(2)
        seen["top"] = snapshot(server, hold)
        seen["memory_top"] = memory_page(server.port)
        seen["metrics_top"] = metrics(server.port)
        say(f"holding {seen['holding']}; asking {arguments.again} again")
        if arguments.again:
            seen["answered"] = hold.again(arguments.again)
        say("releasing")
        seen["hold"] = hold.release()
    seen["metrics_after"] = wait_until_released(server.port, seen["metrics_before"])
    time.sleep(1)
    seen["after"] = snapshot(server, None)
    seen["memory_after"] = memory_page(server.port)
    seen["seconds"] = time.monotonic() - started
    return seen


def kernel_bytes_each(seen):
    """Growth of the kernel's own memory and of socket buffers, for each connection."""
    before, top = seen["before"], seen["top"]
    grown = top["kernel"] - before["kernel"] + top["socket_pages"] - before["socket_pages"]
    return grown / max(1, seen["holding"])


def unused_bytes_each(seen):
    """Fall of memory free or caching files, less what both sides hold: the cross-check."""
    before, top = seen["before"], seen["top"]
    user = top["resident_hold"] + top["resident"] - before["resident"]
    return (before["unused"] - top["unused"] - user) / max(1, seen["holding"])


def pool_names(samples):
    """Gauges that say how many of a pool are free."""
    return sorted(name for name in samples if re.fullmatch(r"zerog_\w+_free", name))


def fill(report, subject, seen):
    top, after = seen["top"], seen["after"]
    page = seen["memory_top"]
    rows = [
        ("connections_held", seen["holding"], "connections"),
        ("connections_lost", seen["hold"]["lost"], "connections"),
        ("connections_failed", seen["hold"]["failed"], "connections"),
        ("open_seconds", seen["open_seconds"], "s"),
        ("open_rate", seen["holding"] / seen["open_seconds"], "1/s"),
        ("total_seconds", seen["seconds"], "s"),
        ("asked_again", seen["hold"]["again_asked"], "requests"),
        ("answered_again", seen["hold"]["again_answered"], "requests"),
        ("resident_before", seen["before"]["resident"], "bytes"),
        ("resident_top", top["resident"], "bytes"),
        ("resident_after", after["resident"], "bytes"),
        ("resident_each", top["resident"] / max(1, seen["holding"]), "bytes"),
        ("plan_total", page["plan"]["size_total"], "bytes"),
        ("mallocs_since_seal", seen["memory_after"]["mallocs_since_seal"], "calls"),
        ("kernel_each_both_ends", kernel_bytes_each(seen), "bytes"),
        ("unused_fall_each", unused_bytes_each(seen), "bytes"),
        ("slab_each_both_ends",
         (top["slab"] - seen["before"]["slab"]) / max(1, seen["holding"]), "bytes"),
        ("socket_buffers_top", top["socket_pages"], "bytes"),
        ("client_resident", top["resident_hold"], "bytes"),
        ("connections_open_after", seen["metrics_after"].get("zerog_connections_open"),
         "connections"),
    ]
    for metric, value, unit in rows:
        if value is not None:
            report.add(subject, metric, value, unit)


def print_figures(report, subject):
    print("\nMeasured")
    for metric in (metric for name, metric in report.samples if name == subject):
        value, unit = report.value(subject, metric), report.units[metric]
        if unit == "bytes" and value >= MIB:
            text = f"{value / MIB:,.2f} MiB"
        else:
            text = f"{value:,.2f}".rstrip("0").rstrip(".") + f" {unit}"
        print(f"  {metric.ljust(24)} {text}")


def judge(arguments, report, subject, seen):
    """The targets of the million, said plainly; those of memory only at their own count."""
    def value(metric):
        return report.value(subject, metric)

    count, again = arguments.count, arguments.again
    deviation = abs(value("plan_total") / value("resident_top") - 1) * 100
    change = value("resident_after") - value("resident_before")
    checks = [
        ("connections held, each served a request", value("connections_held"), f"= {count}",
         value("connections_held") == count, ",.0f"),
        ("lost while held", value("connections_lost"), "= 0", value("connections_lost") == 0,
         ".0f"),
        ("answered again", value("answered_again"), f"= {again}",
         value("answered_again") == again, ",.0f"),
        ("plan's total off the resident memory, %", deviation, "<= 2", deviation <= 2, ".2f"),
        ("resident memory, after less before, KiB", change / 1024, "= 0", change == 0, ".0f"),
        ("mallocs since the seal", value("mallocs_since_seal"), "= 0",
         value("mallocs_since_seal") == 0, ".0f"),
        ("connections open afterwards, besides ours", max(0, value("connections_open_after") - 1)
         if value("connections_open_after") is not None else None, "= 0",
         (value("connections_open_after") or 0) <= 1, ".0f"),
        ("seconds in all", value("total_seconds"), "<= 300", value("total_seconds") <= 300, ".0f"),
    ]
    if count == 1000000:
        resident = value("resident_top") / MIB
        checks.insert(3, ("resident memory at the top, MiB", resident, "<= 64", resident <= 64,
                          ".2f"))
        checks.insert(4, ("resident memory at the top, MiB: the aim", resident, "<= 48",
                          resident <= 48, ".2f"))
    print("\nTargets")
    verdicts = [verdict(*check) for check in checks]
    for name in pool_names(seen["metrics_before"]):
        before, after = seen["metrics_before"][name], seen["metrics_after"].get(name)
        verdicts.append(verdict(f"{name} as before", after, f"= {before:.0f}", after == before,
                                ",.0f"))
    if not pool_names(seen["metrics_before"]):
        verdicts.append(verdict("pools full again", None, "all", False))
    return verdicts


def main():
    arguments = parse_arguments()
    wait_until_quiet()
    check_memory(arguments.count)
    for program in ("hello", "zerog"):
        if not (subjects.BUILD / program).exists():
            raise RuntimeError(f"{subjects.BUILD / program} is not built; \"./dev build\" "
                               "makes it.")
    report = Report("connections")
    subject = f"zerog-{arguments.io}"
    print(machine.facts_line())
    machine.beware_of_load()
    port = processes.free_port()
    with tempfile.TemporaryDirectory(prefix="zerog-bench-") as folder:
        with processes.Server(hello_command(arguments, port), port,
                              f"{folder}/hello.log") as server:
            seen = measure(arguments, server, folder)
    fill(report, subject, seen)
    print(f"\n{arguments.count} connections on {arguments.io}")
    print_figures(report, subject)
    verdicts = judge(arguments, report, subject, seen)
    if arguments.json:
        report.write_json(arguments.json, targets=verdicts, seen=seen)
    return 0 if all(item["met"] is not False for item in verdicts
                    if "the aim" not in item["name"]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, KeyError) as error:
        print(f"bench connections: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

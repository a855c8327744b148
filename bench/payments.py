#!/usr/bin/python3
"""Payments: durable payments a second, beside the disk's limit, SQLite and PostgreSQL.

64 clients pay over HTTP on connections that are kept, each waiting for its answer, which the
storefront gives when the payment's intent and then its outcome are durable. The floor writes as
many bytes in as many flushes and does nothing else. SQLite and PostgreSQL record the same two steps
without HTTP. All take turns on the same disk; a ratio is taken round by round.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# This folder holds a file called http.py, which must not stand in for the standard one.
HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE / "support")

# pylint: disable=wrong-import-position
import machine  # noqa: E402
import postgres  # noqa: E402
import subjects  # noqa: E402
from processes import Server, free_port, receive_reply  # noqa: E402
from report import Progress, Report, verdict  # noqa: E402

RECORD_HEADER_SIZE = 24  # bytes, the journal's
FLOOR_RATIO_MIN = 0.8
PEER_RATIO_MIN = 3
RECOVERY_SECONDS_MAX = 1.0
PRODUCTS = "sku,name,category,price,currency,stock\nP-1,A thing,Things,12.99,EUR,1000\n"
# Peers, with what their program is told; the last word of some has intent and outcome in one step.
PEERS = {
    "sqlite-clients": ("sqlite", "clients"),
    "sqlite-group": ("sqlite", "group"),
    "sqlite-group-one": ("sqlite", "group", "one"),
    "postgresql": ("postgres",),
    "postgresql-one": ("postgres", "one"),
}
LIBRARIES = {"sqlite": ("-lsqlite3", "-lpthread"), "postgres": ("-I/usr/include/postgresql", "-lpq")}
ORDER = ["floor-binary", "zerog-binary", "floor-json", "zerog-json", *PEERS]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench payments", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of one measurement")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--io", choices=("uring", "epoll"), help="the storefront's backend")
    parser.add_argument("--records", type=int, default=1000000, help="of the shop to recover")
    parser.add_argument("--directory", default=str(subjects.BUILD),
                        help="on the disk to be measured")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 seconds")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 2, 2.0
    if arguments.rounds < 1 or arguments.seconds <= 0 or arguments.records < 2:
        parser.error("rounds and seconds are more than 0, and there are 2 records at least.")
    if not 2 <= arguments.clients <= 128:
        parser.error("there are 2 to 128 clients.")
    return arguments


def run(*words, seconds_max=600):
    """A program's output."""
    result = subprocess.run(list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=seconds_max, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip()[-400:])
    return result.stdout


def build_peer(name):
    """The path of a peer's program, compiled as ours is; None where its library is missing."""
    output = subjects.BUILD / f"payments-{name}"
    result = subprocess.run(["gcc", "-std=gnu17", "-O3", "-g", "-Wall", "-Wextra", "-D_GNU_SOURCE",
                             "-o", output, HERE / "payments" / f"{name}.c", *LIBRARIES[name]],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return str(output)
    if "No such file" in result.stderr:
        print(f"{name} is not installed: it is left out.", file=sys.stderr)
        return None
    raise RuntimeError(f"{name} does not compile: {result.stderr.strip()[-400:]}")


class Bench:
    """One course of measurements."""

    def __init__(self, arguments, cluster):
        self.arguments = arguments
        self.cluster = cluster
        self.report = Report("payments")
        programs = {name: build_peer(name) for name in LIBRARIES}
        if cluster is None:
            programs["postgres"] = None
        self.peers = {name: (programs[words[0]], *words[1:]) for name, words in PEERS.items()
                      if programs[words[0]]}

    def add(self, subject, told):
        report = self.report
        report.add(subject, "payments_per_second", told["payments"] / told["seconds"], "1/s")
        if "p50_us" in told:
            report.add(subject, "p50_us", told["p50_us"], "us")
            report.add(subject, "p99_us", told["p99_us"], "us")
        if told.get("refused"):
            raise RuntimeError(f"{subject}: {told['refused']} payments were refused")

    def measure_zerog(self, form):
        """The storefront, and then the floor with what it wrote."""
        arguments = self.arguments
        with tempfile.TemporaryDirectory(prefix="payments-", dir=arguments.directory) as folder:
            port = free_port()
            Path(folder, "products.csv").write_text(PRODUCTS, encoding="utf-8")
            command = [str(subjects.BUILD / "storefront"), "--listen", f"127.0.0.1:{port}",
                       "--store", f"journal:{folder}/data",
                       "--products", f"{folder}/products.csv", "--acquirer-delay-ms", "0"]
            if arguments.io:
                command += ["--io", arguments.io]
            with Server(command, port, f"{folder}/log"):
                before = json.loads(receive_reply(port, "/admin/audit")[1])["journal"]
                told = json.loads(run(subjects.BUILD / "payments-load", port, form,
                                      arguments.clients, arguments.seconds))
                after = json.loads(receive_reply(port, "/admin/audit", 60.0)[1])["journal"]
        subject = f"zerog-{form}"
        wrote = {name: after[name] - before[name] for name in ("records", "record_bytes",
                                                               "commits")}
        self.add(subject, told)
        self.report.add(subject, "records_per_flush", wrote["records"] / wrote["commits"],
                        "records")
        self.measure_floor(f"floor-{form}", wrote)

    def measure_floor(self, subject, wrote):
        """Two records a payment, as many a flush, each as long as they were on average."""
        group = max(1, round(wrote["records"] / wrote["commits"]))
        size = round(wrote["record_bytes"] / wrote["records"]) + RECORD_HEADER_SIZE
        with tempfile.TemporaryDirectory(prefix="payments-",
                                         dir=self.arguments.directory) as folder:
            seconds = float(run(subjects.BUILD / "floor_commit", folder, group, size,
                                wrote["commits"]))
        self.add(subject, {"payments": group * wrote["commits"] / 2, "seconds": seconds})

    def measure_peer(self, name):
        program, *words = self.peers[name]
        arguments = self.arguments
        more = words[-1:] if words[-1:] == ["one"] else []
        if name.startswith("postgresql"):
            told = run(program, self.cluster.folder, "postgres", arguments.clients,
                       arguments.seconds, *more)
        else:
            with tempfile.TemporaryDirectory(prefix="payments-",
                                             dir=arguments.directory) as folder:
                told = run(program, folder, words[0], arguments.clients, arguments.seconds, *more)
        self.add(name, json.loads(told))

    def measure(self):
        arguments = self.arguments
        names = ["binary", "json", *self.peers]
        progress = Progress(arguments.rounds * (len(names) + 2) * (arguments.seconds + 1.5))
        for number in range(arguments.rounds):
            for name in names[::-1 if number % 2 else 1]:
                progress.say(f"round {number + 1} of {arguments.rounds}: {name}")
                if name in self.peers:
                    self.measure_peer(name)
                else:
                    self.measure_zerog(name)
        progress.end()

    def measure_recovery(self):
        program = subjects.BUILD / "payments-recover"
        with tempfile.TemporaryDirectory(prefix="payments-",
                                         dir=self.arguments.directory) as folder:
            run(program, "fill", folder, self.arguments.records)
            for _ in range(self.arguments.rounds):
                seconds = [float(word) for word in
                           run(program, "recover", folder, self.arguments.records).split()]
                for metric, value in zip(("open_seconds", "replay_seconds", "open_cpu_seconds"),
                                         seconds):
                    self.report.add("recovery", metric, value, "s")

    def compare(self):
        for form in ("binary", "json"):
            self.report.add_ratio(f"zerog-{form}", "payments_per_second", "floor",
                                  f"floor-{form}")
            for name in self.peers:
                self.report.add_ratio(f"zerog-{form}", "payments_per_second", name, name)

    def print_tables(self):
        report = self.report
        report.table("Durable payments (median, spread)",
                     [name for name in ORDER if report.value(name, "payments_per_second")], [
                         ("payments/s", "payments_per_second", ",.0f", True),
                         ("p50 us", "p50_us", ",.0f", False),
                         ("p99 us", "p99_us", ",.0f", False),
                         ("records a flush", "records_per_flush", ".1f", False)])
        print("\nzerog's payments/s over")
        for form in ("binary", "json"):
            ratios = report.ratios.get((f"zerog-{form}", "payments_per_second"), {})
            print(f"  {form.ljust(6)}  " + ", ".join(f"{name} {ratio:.2f}"
                                                     for name, ratio in ratios.items()))
        report.table(f"A shop of {self.arguments.records:,} records", ["recovery"], [
            ("to open, s", "open_seconds", ".3f", True),
            ("of that the replay, s", "replay_seconds", ".3f", True),
            ("CPU time, s", "open_cpu_seconds", ".3f", True)])

    def judge(self):
        print("\nTargets")
        ratios = self.report.ratios.get(("zerog-binary", "payments_per_second"), {})
        found = []
        for name, least in (("floor", FLOOR_RATIO_MIN), ("postgresql", PEER_RATIO_MIN),
                            ("sqlite-clients", PEER_RATIO_MIN), ("sqlite-group", PEER_RATIO_MIN)):
            ratio = ratios.get(name)
            found.append(verdict(f"payments/s over {name}", ratio, f">= {least}",
                                 ratio is not None and ratio >= least))
        seconds = self.report.value("recovery", "open_seconds")
        found.append(verdict(f"seconds to open a shop of {self.arguments.records:,} records",
                             seconds, f"< {RECOVERY_SECONDS_MAX:.0f}",
                             seconds < RECOVERY_SECONDS_MAX, ".3f"))
        return found


def measure_all(arguments, cluster):
    bench = Bench(arguments, cluster)
    bench.measure()
    bench.measure_recovery()
    bench.compare()
    bench.print_tables()
    verdicts = bench.judge()
    if arguments.json:
        bench.report.write_json(arguments.json, targets=verdicts)


def main():
    arguments = parse_arguments()
    print(machine.facts_line())
    machine.beware_of_load()
    if postgres.find() is None:
        print("PostgreSQL is not installed: it is left out.", file=sys.stderr)
        measure_all(arguments, None)
    else:
        with postgres.Cluster(arguments.directory) as cluster:
            measure_all(arguments, cluster)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench payments: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

"""Latency at a fixed rate, throughput, new connections, and what a request costs."""

import json
import subprocess
from dataclasses import dataclass

import load
import processes
from connections import runtime_counts
from course import Step, rotated
from peers import BUILD, digest

CONNECTIONS = 360
PIPELINE_DEPTH = 16
WARM_UP_SECONDS = 1
QUANTILES = ("p50", "p90", "p99", "p999", "p9999", "max")


def press(server, pressure, seconds, folder):
    """wrk's result and the CPU that the server spent meanwhile."""
    load.run(pressure, server.port, WARM_UP_SECONDS, folder)
    before = processes.cpu_time(server.pid)
    result = load.run(pressure, server.port, seconds, folder)
    spent = processes.cpu_time(server.pid) - before
    return result, spent.total / max(1, result["requests"]) * 1e6


def measure_closed(peer, seconds, scratch):
    """Keep-alive, pipelined, and one request a connection; each as fast as it goes."""
    samples = []
    with scratch() as folder, peer.start(folder) as server:
        for name, pressure in (
                ("keep_alive", load.Load(CONNECTIONS)),
                ("pipelined", load.Load(CONNECTIONS, depth=PIPELINE_DEPTH)),
                ("new_connection", load.Load(CONNECTIONS, is_close=True))):
            result, cpu_us = press(server, pressure, seconds, folder)
            samples += [
                [f"{name}_per_second", result["requests"] / result["duration_us"] * 1e6, "1/s"],
                [f"{name}_cpu_us", cpu_us, "us"],
                [f"{name}_errors", result["errors"], "requests"],
            ]
    return {"samples": samples}


def measure_calls(peer, scratch):
    with scratch() as folder, peer.start(folder) as server:
        calls = load.count_system_calls(load.Load(CONNECTIONS), server, 1, folder)
    return {"samples": [] if calls is None else [["system_calls", calls, "calls"]]}


@dataclass
class Nobody:
    """The row beside the peers' latencies: what this machine does to them when nobody is asked."""

    name: str = "nobody"
    title: str = "nobody: the machine itself"
    is_ours: bool = False

    def made_of(self):
        return digest([BUILD / "lab-load"])


NOBODY = Nobody()


def press_open(words, seconds, folder):
    """What lab-load saw at a fixed rate."""
    path = f"{folder}/load.json"
    subprocess.run([str(BUILD / "lab-load"), *words, "--seconds", str(seconds), "--json", path],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, timeout=seconds + 60)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def open_samples(connections, seen):
    return [*([f"open_{connections}_{name}_us", seen["latency_us"][name], "us"] for name in QUANTILES),
            [f"open_{connections}_stall_us", seen["stall_us"]["p50"], "us"]]


def measure_alone(connections, rate, seconds, scratch):
    """How late the machine lets the load generator be when it has nobody to ask."""
    with scratch() as folder:
        seen = press_open(["--connections", "0", "--rate", str(rate)], seconds, folder)
    return {"samples": open_samples(connections, seen), "timeline": seen["timeline"]}


def measure_open(peer, connections, rate, seconds, scratch):
    """/json at a fixed rate: each reply's latency counts from when its request was due."""
    # The 64 are for those who look at the peer meanwhile; fewer than usual are never declared.
    with scratch() as folder, peer.start(folder, max(10000, connections + 64)) as server:
        seen = press_open(["--connect", f"127.0.0.1:{server.port}", "--path", "/json",
                           "--connections", str(connections), "--rate", str(rate),
                           "--warmup", str(WARM_UP_SECONDS)], seconds, folder)
        samples = open_samples(connections, seen)
        samples += [
            [f"open_{connections}_rate", seen["rate_achieved"], "1/s"],
            [f"open_{connections}_errors", seen["errors"] + seen["unanswered"], "requests"],
            [f"open_{connections}_lateness_p99_us", seen["lateness_us"]["p99"], "us"],
        ]
        if peer.value("pauses") == "stats":
            counts = runtime_counts(server.port)
            samples += [["collections", counts["collections"], "collections"],
                        ["pause_max_us", counts["pause_ns_max"] / 1000, "us"],
                        ["pause_total_ms", counts["pause_ns_total"] / 1e6, "ms"]]
    return {"samples": samples, "timeline": seen["timeline"]}


def steps(peers, settings, scratch):
    for number in range(settings.rounds):
        order = rotated(peers, number * 5)
        for peer in order:
            yield Step(f"pressure/round {number + 1}/{peer.name}", peer.name,
                       3 * (settings.press_seconds + WARM_UP_SECONDS) + 1,
                       lambda peer=peer: measure_closed(peer, settings.press_seconds, scratch))
        for connections, rate in settings.open_loads:
            yield Step(f"latency/{connections} connections/round {number + 1}/{NOBODY.name}", NOBODY.name,
                       settings.open_seconds,
                       lambda connections=connections, rate=rate: measure_alone(
                           connections, rate, settings.open_seconds, scratch))
            for peer in order:
                yield Step(
                    f"latency/{connections} connections/round {number + 1}/{peer.name}", peer.name,
                    settings.open_seconds + WARM_UP_SECONDS + 1,
                    lambda peer=peer, connections=connections, rate=rate: measure_open(
                        peer, connections, rate, settings.open_seconds, scratch))
    for peer in peers:
        yield Step(f"pressure/system calls/{peer.name}", peer.name, 3,
                   lambda peer=peer: measure_calls(peer, scratch))

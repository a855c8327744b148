"""The three troubles: does memory leak, does the service pause, does its memory fragment?"""

import http.client
import random
import subprocess
import time

import processes
from course import Step
from peers import BUILD

SEED = 20
BODY_SIZE_MAX = 60000
CONNECTIONS = 64
SAMPLE_SECONDS = 1.0


def soak_load(server, path, seconds, folder, rate=4000):
    return subprocess.Popen(
        [str(BUILD / "lab-load"), "--connect", f"127.0.0.1:{server.port}", "--path", path,
         "--connections", str(CONNECTIONS), "--rate", str(rate), "--seconds", str(seconds),
         "--warmup", "0", "--json", f"{folder}/soak.json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def measure_leak(peer, seconds, scratch):
    """Resident memory over time under a steady load; the growth of its second half."""
    timeline = []
    with scratch() as folder, peer.start(folder) as server:
        started = time.monotonic()
        loader = soak_load(server, "/json", seconds, folder)
        try:
            while loader.poll() is None:
                timeline.append([round(time.monotonic() - started, 1),
                                 processes.resident_tree(server.pid)])
                time.sleep(min(SAMPLE_SECONDS, seconds / 10))
        finally:
            if loader.poll() is None:
                loader.terminate()
            loader.wait()
    half = timeline[len(timeline) // 2][1]
    return {"samples": [["soak_growth", timeline[-1][1] - half, "bytes"],
                        ["soak_memory", timeline[-1][1], "bytes"]],
            "memory_timeline": timeline}


def churn(port, count):
    """Bodies of sizes that vary a thousandfold, over many connections at once, then small ones."""
    chance = random.Random(SEED)
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                   for _ in range(CONNECTIONS)]
    for number in range(count):
        connection = connections[number % CONNECTIONS]
        size = int(60 * 1000 ** chance.random())
        body = bytes(min(size, BODY_SIZE_MAX))
        connection.request("POST", "/echo", body, {"Content-Type": "application/x-lab"})
        if len(connection.getresponse().read()) != len(body):
            raise RuntimeError("/echo sent another body")
    for connection in connections:
        connection.close()


def measure_fragmentation(peer, requests, scratch):
    """What stays occupied when a churn of sizes is over and everybody has gone."""
    with scratch() as folder, peer.start(folder) as server:
        before = processes.resident_tree(server.pid)
        churn(server.port, requests)
        time.sleep(1)
        after = processes.resident_tree(server.pid)
    return {"samples": [["churn_kept", after - before, "bytes"],
                        ["churn_ratio", after / before, ""]]}


def steps(peers, settings, scratch):
    for peer in peers:
        yield Step(f"troubles/leak/{peer.name}", peer.name, settings.soak_seconds + 2,
                   lambda peer=peer: measure_leak(peer, settings.soak_seconds, scratch))
    for peer in peers:
        yield Step(f"troubles/fragmentation/{peer.name}", peer.name,
                   2 + settings.churn_requests / 3000,
                   lambda peer=peer: measure_fragmentation(peer, settings.churn_requests, scratch))

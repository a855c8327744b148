"""Table 1: what a connection costs each peer, idle and once served."""

import contextlib
import http.client
import json
import struct
import time
from pathlib import Path

import machine
import processes
from course import Step
from hold import Hold
from peers import BUILD

COUNT_REQUESTS = 1000
PAGE_SIZE = 4096


def user_memory(server):
    """Bytes of a peer and its children, shared pages once."""
    return processes.resident_tree(server.pid)


def measure_idle(peer, count, scratch):
    """User and kernel memory with so many connections, and without them."""
    with scratch() as folder, peer.start(folder, connections=count + 64) as server:
        base = user_memory(server)
        kernel_base = machine.kernel_memory()
        pages_base = machine.sockstat().get("mem", 0)
        with Hold(server.port, count, folder, is_quiet=True) as hold:
            holding = int(hold.expect(r"holding (\d+)").group(1))
            time.sleep(0.5)
            top = user_memory(server)
            kernel = machine.kernel_memory() - kernel_base
            pages = machine.sockstat().get("mem", 0) - pages_base
            hold.release()
    if holding < count:
        raise RuntimeError(f"held {holding} of {count} connections")
    return {"samples": [
        [f"idle_user_memory_{count}", top, "bytes"],
        ["base_memory", base, "bytes"],
        ["kernel_memory_each_both_ends", (kernel + pages * PAGE_SIZE) / count, "bytes"],
    ]}


@contextlib.contextmanager
def counted(peer, folder):
    """A peer with its mallocs counted: (server, a function that reads both counts)."""
    path = Path(folder) / "mallocs"
    path.write_bytes(bytes(16))
    path.chmod(0o666)
    environment = {"LD_PRELOAD": str(BUILD / "lab-counter.so"), "LAB_COUNTER": str(path)}
    with peer.start(folder, environment=environment) as server:
        yield server, lambda: struct.unpack("QQ", path.read_bytes())


def ask_many(connection, path, count):
    for _ in range(count):
        connection.request("GET", path)
        connection.getresponse().read()


def runtime_counts(port):
    """What a runtime counts itself, from /lab/stats, over a connection of its own."""
    _, body = processes.receive_reply(port, "/lab/stats")
    return json.loads(body)


def count_calls(connection, read):
    """Allocations and deallocations a request, for each of the two pages."""
    samples = []
    for path, name in (("/", "hello"), ("/json", "json")):
        ask_many(connection, path, 50)
        before = read()
        ask_many(connection, path, COUNT_REQUESTS)
        after = read()
        samples.append([f"allocations_{name}", (after[0] - before[0]) / COUNT_REQUESTS, "calls"])
        samples.append([f"deallocations_{name}", (after[1] - before[1]) / COUNT_REQUESTS, "calls"])
    return samples


def count_new_connections(port, read):
    """Allocations of a connection that comes, is served once and goes."""
    count = 100
    before = read()
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        ask_many(connection, "/", 1)
        connection.close()
    time.sleep(0.1)
    return [["allocations_connection", (read()[0] - before[0]) / count, "calls"]]


def measure_counts(peer, scratch):
    """How often memory is allocated for a request; by preload, or by the runtime's own counters."""
    kind = peer.value("counts")
    if kind.startswith("none"):
        return {"samples": [], "note": kind.partition(":")[2].strip()}
    with scratch() as folder, contextlib.ExitStack() as stack:
        if kind == "preload":
            server, read = stack.enter_context(counted(peer, folder))
        else:
            server = stack.enter_context(peer.start(folder))

            def read():
                counts = runtime_counts(server.port)
                return counts["mallocs"], counts["frees"]

        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        samples = count_calls(connection, read) + count_new_connections(server.port, read)
        connection.close()
    return {"samples": samples}


def steps(peers, settings, scratch):
    for count in settings.connection_counts:
        for peer in peers:
            yield Step(f"connections/{count} idle/{peer.name}", peer.name, 1 + count / 8000,
                       lambda peer=peer, count=count: measure_idle(peer, count, scratch))
    for peer in peers:
        yield Step(f"connections/allocations/{peer.name}", peer.name, 2,
                   lambda peer=peer: measure_counts(peer, scratch))
    for peer in peers:
        for count in (settings.many, settings.million):
            if peer.name == "zerog" and count > 0:
                yield Step(f"connections/{count} idle/{peer.name}", peer.name, 2 + count / 14000,
                           lambda peer=peer, count=count: measure_idle(peer, count, scratch))

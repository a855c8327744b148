#!/usr/bin/python3
"""Memory stays as it was at the seal: no malloc, no page more, whatever was served."""

import resource
import select
import signal
import subprocess
import tempfile
import time
import unittest

from malloc_witness import Unavailable, Witness
from support import IO, IS_LONG, Client, Service, check_clean, has_sanitizer, program

REQUEST_COUNT = 1_000_000 if IS_LONG else 50_000
CONNECTION_COUNT = 100_000 if IS_LONG else 5_000
PIPELINE_DEPTH = 50
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def serve_keep_alive(service, request_count):
    """Requests over a few connections that are kept: half one by one, half pipelined."""
    clients = [service.client() for _ in range(8)]
    clients[0].get("/")
    size = len(clients[0].receive())  # every reply has the same length
    left = request_count - 1
    depth = 1
    while left > 0:
        if left <= request_count * 7 // 8:
            depth = PIPELINE_DEPTH
        for client in clients:
            count = min(depth, left)
            left -= count
            client.asked = count
            client.send(REQUEST * count)
        for client in clients:
            missing = client.asked * size
            while missing > 0:
                data = client.socket.recv(min(missing, 1 << 20))
                if not data:
                    raise EOFError("a kept connection has ended")
                missing -= len(data)
    for client in clients:
        client.close()


def serve_new_connections(service, connection_count):
    """A connection a request. Ended by reset, so that no port is left waiting."""
    for _ in range(connection_count):
        client = Client(service.address)
        client.send(REQUEST)
        data = client.socket.recv(4096)
        if not data.endswith(b"Hello"):
            raise AssertionError(f"not a whole reply: {data!r}")
        client.reset()


def serve_everything(service):
    """One of each: large bodies, chunked ones, faults, pages."""
    with service.client() as client:
        for target in ("/json", "/nowhere", "/memory", "/metrics", "/memory?format=json"):
            client.ask(target)
        client.post("/echo", b"x" * 60_000).reply()
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + b"1f40\r\n" + b"x" * 8000 + b"\r\n1f40\r\n" + b"x" * 8000
                    + b"\r\n0\r\n\r\n").reply()
        client.get("/", *(f"A{index}: b" for index in range(60))).reply()
        client.send(b"nonsense\r\n\r\n").reply()


class MallocCount(unittest.TestCase):
    def test_no_malloc_in_the_process_counted_by_itself(self):
        with Service("hello") as service:
            serve_everything(service)
            serve_keep_alive(service, REQUEST_COUNT)
            serve_new_connections(service, CONNECTION_COUNT)
            self.assertGreater(service.metric("zerog_requests_total"),
                               REQUEST_COUNT + CONNECTION_COUNT)
            check_clean(self, service)

    def witness(self, service):
        if has_sanitizer():
            self.skipTest("a sanitizer brings an allocator of its own")
        try:
            witness = Witness(service.pid)
        except (Unavailable, OSError) as reason:
            self.skipTest(str(reason))
        self.addCleanup(witness.close)
        return witness

    def test_no_malloc_in_the_process_counted_by_the_kernel(self):
        with Service("hello") as service:
            witness = self.witness(service)
            serve_everything(service)
            serve_keep_alive(service, REQUEST_COUNT)
            serve_new_connections(service, CONNECTION_COUNT)
            self.assertEqual(witness.count(), 0)
            check_clean(self, service)

    def test_kernel_and_process_count_the_same_where_there_is_something_to_count(self):
        with Service("test_service") as service:
            witness = self.witness(service)
            for _ in range(7):
                service.ask("/malloc")
            self.assertEqual(witness.count(), 7)
            self.assertEqual(service.memory()["mallocs_since_seal"], 7)
            check_clean(self, service, malloc_count=7)


class Resident(unittest.TestCase):
    @unittest.skipIf(has_sanitizer(), "a sanitizer's memory grows")
    def test_resident_memory_is_what_it_was_at_the_seal(self):
        with Service("hello") as service:
            serve_everything(service)
            serve_keep_alive(service, 100_000)
            serve_new_connections(service, 5_000)
            memory = service.memory()
            self.assertLessEqual(abs(memory["resident"] - memory["resident_at_seal"]), 64 * 1024)
            planned = memory["plan"]["size_total"]
            self.assertLess(abs(planned / memory["resident"] - 1), 0.02)
            check_clean(self, service)

    @unittest.skipIf(has_sanitizer(), "a sanitizer's memory grows")
    def test_no_page_is_faulted_in_by_serving(self):
        def fault_count(service):
            with open(f"/proc/{service.pid}/stat", encoding="utf-8") as file:
                return int(file.read().rpartition(")")[2].split()[7])

        with Service("hello") as service:
            serve_everything(service)
            before = fault_count(service)
            serve_everything(service)
            serve_keep_alive(service, 10_000)
            serve_new_connections(service, 1_000)
            # A handful, of the kernel's own making, are no page a request.
            self.assertLess(fault_count(service) - before, 20)
            check_clean(self, service)


class Held(unittest.TestCase):
    """`zerog hold` opens connections from as many processes as their descriptors take."""

    COUNT = 100_000 if IS_LONG else 2_000 if has_sanitizer() else 15_000
    if IO == "epoll":  # which needs a descriptor a connection
        COUNT = min(COUNT, resource.getrlimit(resource.RLIMIT_NOFILE)[1] * 3 // 4)

    def hold(self, service, count, *flags):
        log = tempfile.TemporaryFile()
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [program("zerog"), "hold", "--connect", f"127.0.0.1:{service.port}",
             "--count", str(count), *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)

        def end():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)

        self.addCleanup(end)
        readable = select.select([process.stdout], [], [], 120)[0]
        self.assertTrue(readable, "hold does not say that it holds")
        self.assertEqual(process.stdout.readline(), f"holding {count}\n", log)
        return process

    def release(self, process):
        process.stdin.write("release\n")
        process.stdin.close()
        output = process.stdout.read()
        self.assertEqual(process.wait(60), 0, output)
        self.assertRegex(output, r"lost 0\n")
        self.assertRegex(output, r"(?m)^complete$")

    def wait_for_open(self, service, count):
        deadline = time.monotonic() + 60
        while service.memory()["connections"]["open"] != count + 1:
            self.assertLess(time.monotonic(), deadline, service.memory()["connections"])
            time.sleep(0.05)

    def test_connections_that_send_nothing_hold_up_nobody(self):
        with Service("hello", "--connections", self.COUNT + 100) as service:
            process = self.hold(service, self.COUNT, "--silent")
            self.wait_for_open(service, self.COUNT)
            with service.client() as client:
                for _ in range(1000):
                    self.assertEqual(client.ask("/").body, b"Hello")
            serve_new_connections(service, 1000)
            self.release(process)
            self.wait_for_open(service, 0)
            self.assertEqual(service.metric("zerog_connections_refused_total"), 0)
            self.assertEqual(service.metric("zerog_connections_evicted_total"), 0)
            check_clean(self, service)

    def test_connections_that_are_held_answer_again(self):
        count = self.COUNT // 3
        with Service("hello", "--connections", count + 100) as service:
            process = self.hold(service, count)
            asked = count // 2
            process.stdin.write(f"again {asked}\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), f"again {asked} answered {asked}\n")
            self.release(process)
            check_clean(self, service)

    def test_end_of_all_at_once(self):
        count = self.COUNT // 3
        with Service("hello", "--connections", count + 100) as service:
            process = self.hold(service, count)
            process.kill()
            process.wait()
            self.wait_for_open(service, 0)
            check_clean(self, service)


if __name__ == "__main__":
    unittest.main()

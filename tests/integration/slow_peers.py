#!/usr/bin/python3
"""Peers that are slow, silent, or gone: cut in time, and nobody else waits for them."""

import threading
import time
import unittest

from support import REPLY_SECONDS_MAX, ServiceCase

TIMEOUT_S = 0.6
LATE_S = 1.6  # how much later than its time a peer may be cut: a round of the sweep, and a busy CPU


class Neighbour(threading.Thread):
    """A client that is served all the while, and remembers the longest it had to wait."""

    def __init__(self, service):
        super().__init__()
        self.client = service.client()
        self.is_over = threading.Event()
        self.longest = 0.0
        self.failure = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()
        self.client.close()

    def run(self):
        try:
            while not self.is_over.wait(0.01):
                started = time.monotonic()
                if self.client.ask("/dump").status != 200:
                    raise AssertionError("a neighbour was not served")
                self.longest = max(self.longest, time.monotonic() - started)
        except (OSError, EOFError, AssertionError) as error:
            self.failure = error


class SlowCase(ServiceCase):
    PROGRAM = "test_service"

    def setUp(self):
        self.neighbour = Neighbour(self.service)
        self.neighbour.__enter__()

    def tearDown(self):
        self.neighbour.__exit__()
        self.assertIsNone(self.neighbour.failure)
        self.assertLess(self.neighbour.longest, 0.5)

    def trickle(self, client, data, pause=0.1):
        """Sends byte by byte until the service says something; returns the seconds it took."""
        started = time.monotonic()
        client.socket.settimeout(pause)
        for byte in data:
            client.send(bytes([byte]))
            try:
                client.receive()
                break
            except TimeoutError:
                continue
        client.socket.settimeout(10)
        return time.monotonic() - started

    def check_408(self, client, elapsed):
        reply = client.reply()
        self.assertEqual((reply.status, reply.field("Connection")), (408, "close"))
        self.assertEqual(client.rest(), b"")
        self.assertGreaterEqual(elapsed, TIMEOUT_S)
        self.assertLess(elapsed, TIMEOUT_S + LATE_S)


class SlowSenders(SlowCase):
    FLAGS = ("--header-timeout-ms", 600, "--body-timeout-ms", 600)

    def test_head_byte_by_byte_is_408(self):
        client = self.client()
        self.check_408(client, self.trickle(client, b"GET / HTTP/1.1\r\nHost: " + b"t" * 100))

    def test_second_head_byte_by_byte_is_408(self):
        client = self.client()
        self.assertEqual(client.ask("/dump").status, 200)
        self.check_408(client, self.trickle(client, b"GET / HTTP/1.1\r\nHost: " + b"t" * 100))

    def test_head_that_stops_is_408(self):
        client = self.client()
        started = time.monotonic()
        client.send(b"GET / HT")
        client.receive()
        self.check_408(client, time.monotonic() - started)

    def test_body_byte_by_byte_is_408(self):
        for size in (100, 30_000):  # within the read buffer, and beyond it
            with self.subTest(size=size):
                client = self.client()
                client.send(b"POST /dump HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n"
                            % size)
                self.check_408(client, self.trickle(client, b"b" * 100))

    def test_chunked_body_byte_by_byte_is_408(self):
        client = self.client()
        client.send(b"POST /dump HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.check_408(client, self.trickle(client, b"1\r\nb\r\n" * 50))

    def test_request_that_is_slow_but_in_time_is_served(self):
        client = self.client()
        client.send(b"POST /dump HTTP/1.1\r\n")
        time.sleep(0.3)
        client.send(b"Host: test\r\nContent-Length: 4\r\n\r\nbo")
        time.sleep(0.3)
        client.send(b"dy")
        self.assertEqual(client.reply().json()["body"], "body")

    def test_hundred_slow_senders_hold_up_nobody(self):
        clients = [self.client().send(b"GET /slow HTTP/1.1\r\nHost:") for _ in range(100)]
        started = time.monotonic()
        for client in clients:
            self.assertEqual(client.reply().status, 408)
        self.assertLess(time.monotonic() - started, TIMEOUT_S + LATE_S)


class Idle(ServiceCase):
    FLAGS = ("--idle-timeout-ms", 600)

    def check_ends(self, client, quiet_at_first_s):
        started = time.monotonic()
        self.assertEqual(client.rest(), b"")
        elapsed = time.monotonic() - started
        self.assertGreaterEqual(elapsed, quiet_at_first_s)
        self.assertLess(elapsed, TIMEOUT_S + LATE_S)

    def test_connection_that_never_asked_is_closed(self):
        self.check_ends(self.client(), TIMEOUT_S - 0.1)

    def test_connection_that_asks_no_more_is_closed(self):
        client = self.client()
        client.ask("/")
        self.check_ends(client, TIMEOUT_S - 0.1)

    def test_each_request_gives_new_time(self):
        client = self.client()
        for _ in range(5):
            time.sleep(0.4)
            self.assertEqual(client.ask("/").status, 200)


def fill(client):
    """Pipelines small requests, reading nothing, until no more are taken; their number."""
    request = b"GET /value/a?a=0123456789 HTTP/1.1\r\nHost: test\r\n\r\n"
    data = request * 1000
    sent = 0
    client.socket.settimeout(0.2)
    try:
        while True:
            sent += client.socket.send(data[sent % len(data):])
    except TimeoutError:
        pass
    client.socket.settimeout(REPLY_SECONDS_MAX)
    # The last one is made whole, while the replies are read.
    return sent // len(request), data[sent % len(request):len(request)]


class LateReaders(SlowCase):
    def test_reader_of_small_replies_that_reads_late_gets_all(self):
        client = self.client(receive_buffer_size=4096)
        count, tail = fill(client)
        self.assertGreater(count, 1000)
        for _ in range(count):
            self.assertEqual(client.reply().body, b"0123456789")
        if tail:
            client.send(tail)
            self.assertEqual(client.reply().body, b"0123456789")
        self.assertEqual(client.buffered, b"")
        self.assertEqual(client.ask("/value/a?a=b").body, b"b")


class SlowReaders(SlowCase):
    FLAGS = ("--write-timeout-ms", 600)

    def read_on(self, client):
        """Reads what is left; the number of bytes until the end or the reset."""
        count = 0
        try:
            while data := client.socket.recv(1 << 20):
                count += len(data)
        except ConnectionResetError:
            pass
        return count

    def wait_for_cut(self, count):
        deadline = time.monotonic() + 10
        while self.service.metric("zerog_timeouts_write_total") < count:
            self.assertLess(time.monotonic(), deadline, "the slow reader was not cut")
            time.sleep(0.05)

    def test_reader_that_reads_nothing_is_cut(self):
        cuts = self.service.metric("zerog_timeouts_write_total")
        clients = [self.client(receive_buffer_size=4096).get("/large") for _ in range(5)]
        self.wait_for_cut(cuts + len(clients))
        for client in clients:
            self.assertLess(self.read_on(client), 8 << 20)

    def test_reader_of_a_kilobyte_now_and_then_is_cut(self):
        cuts = self.service.metric("zerog_timeouts_write_total")
        client = self.client(receive_buffer_size=4096).get("/large")
        deadline = time.monotonic() + 10
        while self.service.metric("zerog_timeouts_write_total") == cuts:
            self.assertLess(time.monotonic(), deadline, "the slow reader was not cut")
            client.socket.recv(1024)
            time.sleep(0.1)

    def test_pipelined_requests_of_a_reader_that_reads_nothing_are_bounded(self):
        cuts = self.service.metric("zerog_timeouts_write_total")
        client = self.client(receive_buffer_size=4096)
        client.socket.settimeout(0.5)
        with self.assertRaises((TimeoutError, ConnectionResetError, BrokenPipeError)):
            while True:
                client.get("/large?size=100000")
        self.wait_for_cut(cuts + 1)

    def test_reader_of_small_replies_that_reads_nothing_is_cut(self):
        cuts = self.service.metric("zerog_timeouts_write_total")
        fill(self.client(receive_buffer_size=4096))
        self.wait_for_cut(cuts + 1)

    def test_reader_that_is_slow_but_steady_gets_all(self):
        client = self.client(receive_buffer_size=65536).get("/large?size=4000000")
        count = 0
        while count < 4_000_000:
            data = client.socket.recv(200_000)
            self.assertTrue(data, f"ended after {count} bytes")
            count += len(data)
            time.sleep(0.01)


class Resets(SlowCase):
    def reset_all(self, *parts, pause=0.0):
        """Ten connections that send this and are reset; the class's end looks for leaks."""
        for part in parts:
            clients = [self.client() for _ in range(10)]
            for client in clients:
                client.send(part)
            time.sleep(pause)
            for client in clients:
                client.reset()

    def test_before_a_request(self):
        self.reset_all(b"")
        self.reset_all(b"", pause=0.5)  # parked

    def test_within_a_head(self):
        self.reset_all(b"G", b"GET / HTTP/1.1\r\nHost: t", pause=0.02)

    def test_within_a_body(self):
        head = b"POST /dump HTTP/1.1\r\nHost: test\r\n"
        self.reset_all(head + b"Content-Length: 10\r\n\r\n12345",
                       head + b"Content-Length: 50000\r\n\r\n12345",
                       head + b"Transfer-Encoding: chunked\r\n\r\nff\r\n12345", pause=0.02)

    def test_within_a_large_response(self):
        self.reset_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n", pause=0.02)
        self.reset_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n")

    def test_after_many_pipelined_requests(self):
        self.reset_all(b"GET /dump HTTP/1.1\r\nHost: test\r\n\r\n" * 200)

    def test_after_a_refusal(self):
        self.reset_all(b"nonsense\r\n\r\n" + b"x" * 1000)


if __name__ == "__main__":
    unittest.main()

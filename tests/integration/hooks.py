#!/usr/bin/python3
"""What hooks are told of connections and requests."""

import time
import unittest

from support import ServiceCase


class Hooks(ServiceCase):
    PROGRAM = "routes_service"
    FLAGS = ("--handler-timeout-ms", 300, "--header-timeout-ms", 300, "--idle-timeout-ms", 700,
             "--body-size-max", 1000, "--shards", 2)

    def counts(self):
        return self.service.ask("/counts").json()

    def setUp(self):
        self.before = self.counts()

    def grown(self, name, number, seconds_max=5):
        """So much has a count grown by, or does soon."""
        deadline = time.monotonic() + seconds_max
        while True:
            value = self.counts().get(name, 0) - self.before.get(name, 0)
            if value == number:
                return
            if value > number or time.monotonic() > deadline:
                self.fail(f"{name} has grown by {value}, not {number}")
            time.sleep(0.02)

    def test_requests_are_told(self):
        client = self.client()
        requests = b"GET /api HTTP/1.1\r\nHost: test\r\n\r\n" * 5
        client.send(requests)
        replies = [client.reply() for _ in range(5)]
        client.ask("/nowhere")
        after = self.counts()
        # What asks for the counts is counted when it has been answered, the one before in these.
        self.assertEqual(after["started"] - self.before["started"], 7)
        self.assertEqual(after["ended"] - self.before["ended"], 7)
        self.assertEqual(after["status 404"] - self.before.get("status 404", 0), 1)
        self.assertEqual(after["status 200"] - self.before.get("status 200", 0), 6)
        self.assertGreaterEqual(after["bytes_in"] - self.before["bytes_in"], len(requests))
        self.assertGreaterEqual(after["bytes_out"] - self.before["bytes_out"],
                                sum(len(reply.body) for reply in replies) + 5 * 50)

    def test_bytes_are_those_of_the_wire(self):
        counts = []
        with self.service.client() as client:
            for target in ("/counts", "/api/echo", "/counts"):
                if target == "/counts":
                    counts.append(client.ask(target, "Connection: keep-alive"))
                else:
                    client.send(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                                b"\r\n0123456789")
                    echo = client.reply()
        self.assertEqual(echo.body, b"0123456789")
        head = len(b"GET /counts HTTP/1.1\r\nHost: test\r\nConnection: keep-alive\r\n\r\n")
        sent = len(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789")
        first, second = (reply.json() for reply in counts)
        self.assertEqual(second["bytes_in"] - first["bytes_in"], head + sent)

        def size(reply):
            fields = "".join(f"{name}: {value}\r\n" for name, value in reply.fields)
            return len(f"HTTP/1.1 200 OK\r\n{fields}\r\n") + len(reply.body)

        self.assertEqual(second["bytes_out"] - first["bytes_out"], size(counts[0]) + size(echo))

    def test_handlers_that_wait_are_slow(self):
        self.client().ask("/later")
        self.grown("slow", 1)

    def test_ends_of_connections_are_told(self):
        self.client().ask("/", "Connection: close")
        self.grown("FAULTY", 0)
        faulty = self.client().send(b"nonsense\r\n\r\n")
        self.assertEqual(faulty.reply().status, 400)
        faulty.close()
        self.grown("FAULTY", 1)
        late = self.client().send(b"GET / HT")
        self.assertEqual(late.reply().status, 408)
        late.close()
        self.grown("LATE", 1)
        self.grown("failed TIMEOUT", 1)
        peer = self.client()
        peer.ask("/")
        peer.close()
        self.grown("PEER", 1)
        self.client().ask("/")
        self.grown("IDLE", 1)

    def test_every_connection_is_told_twice(self):
        clients = [self.client() for _ in range(50)]
        for client in clients:
            client.get("/")
        for client in clients:
            client.reply()
            client.close()
        deadline = time.monotonic() + 5
        while True:
            counts = self.counts()
            ends = sum(counts[why] for why in ("PEER", "ERROR", "REPLIED", "FAULTY", "IDLE", "LATE",
                                               "UNREAD", "EVICTED", "REFUSED", "DRAINED"))
            # The one that asks is there still.
            if counts["connected"] == ends + 1:
                break
            self.assertLess(time.monotonic(), deadline, counts)
            time.sleep(0.02)
        self.assertGreaterEqual(counts["connected"] - self.before["connected"], 51)

    def test_reply_that_nobody_takes_is_aborted(self):
        client = self.client(receive_buffer_size=4096)
        client.get("/large")
        time.sleep(0.1)
        client.close()
        self.grown("aborted", 1)

    def test_failures_are_told(self):
        self.client().ask("/fail")
        self.grown("failed HANDLER", 1)
        self.client().post("/api/echo", b"x" * 2000).reply()
        self.grown("failed REQUEST", 1)


class Refusals(ServiceCase):
    PROGRAM = "routes_service"
    FLAGS = ("--exchanges", 1, "--shards", 1, "--exchange-wait-ms-max", 100,
             "--handler-timeout-ms", 600)

    def test_refused_without_an_exchange(self):
        holder = self.client().get("/never")
        time.sleep(0.1)
        self.assertEqual(self.client().ask("/").status, 503)
        self.assertEqual(holder.reply().status, 503)
        counts = self.service.ask("/counts").json()
        self.assertEqual(counts["failed REFUSED"], 1)
        self.assertEqual(counts["failed TIMEOUT"], 1)


if __name__ == "__main__":
    unittest.main()

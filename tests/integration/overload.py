#!/usr/bin/python3
"""More than was planned for: those who wait are served in turn or refused, never forgotten."""

import select
import time
import unittest

from support import ServiceCase


class OneExchange(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--shards", 1, "--exchanges", 1, "--exchange-wait-ms-max", 500)

    def hold_the_exchange(self, seconds):
        client = self.client().get(f"/slow?ms={int(seconds * 1000)}")
        time.sleep(0.05)
        return client

    def test_who_waits_too_long_is_503(self):
        holder = self.hold_the_exchange(1.5)
        client = self.client()
        started = time.monotonic()
        reply = client.ask("/dump")
        elapsed = time.monotonic() - started
        self.assertEqual((reply.status, reply.field("Connection")), (503, "close"))
        self.assertIsNotNone(reply.field("Retry-After"))
        self.assertEqual(client.rest(), b"")
        self.assertGreaterEqual(elapsed, 0.5)
        self.assertLess(elapsed, 1.2)
        self.assertEqual(holder.reply().status, 200)

    def test_503_is_read_whole_by_a_client_that_sent_much(self):
        holder = self.hold_the_exchange(1.2)
        clients = [self.client().post("/dump", b"x" * 50_000) for _ in range(5)]
        for client in clients:
            self.assertEqual(client.reply().status, 503)
            self.assertEqual(client.rest(), b"")
        self.assertEqual(holder.reply().status, 200)

    def test_who_waits_is_served_when_the_exchange_is_free(self):
        holder = self.hold_the_exchange(0.2)
        client = self.client()
        self.assertEqual(client.ask("/dump").status, 200)
        self.assertEqual(holder.reply().status, 200)

    def test_who_gives_up_waiting_leaves_no_trace(self):
        holder = self.hold_the_exchange(0.3)
        for _ in range(20):
            self.client().get("/dump").reset()
        client = self.client()
        self.assertEqual(client.ask("/dump").status, 200)
        self.assertEqual(holder.reply().status, 200)

    def test_connections_that_were_idle_wait_too(self):
        clients = [self.client() for _ in range(10)]
        for client in clients:
            self.assertEqual(client.ask("/dump").status, 200)
        holder = self.hold_the_exchange(0.2)
        for client in clients:
            client.get("/dump")
        for client in clients:
            self.assertEqual(client.reply().status, 200)
        self.assertEqual(holder.reply().status, 200)

    def test_refusals_are_counted(self):
        refused = self.service.metric("zerog_connections_refused_total")
        holder = self.hold_the_exchange(1.2)
        clients = [self.client().get("/dump") for _ in range(3)]
        for client in clients:
            self.assertEqual(client.reply().status, 503)
        holder.reply()
        self.assertEqual(self.service.metric("zerog_connections_refused_total"), refused + 3)


class Queue(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--shards", 1, "--exchanges", 1, "--exchange-wait-ms-max", 10_000)

    def test_the_longest_waiting_is_served_first(self):
        clients = []
        for index in range(20):
            clients.append(self.client().get(f"/slow?ms=20&n={index}"))
            time.sleep(0.005)
        waiting = {client.socket: index for index, client in enumerate(clients)}
        order = []
        while waiting:
            for readable in select.select(list(waiting), [], [], 10)[0]:
                order.append(waiting.pop(readable))
        self.assertEqual(order, list(range(20)))
        for index, client in enumerate(clients):
            self.assertEqual(client.reply().body.decode(), f"ms=20&n={index}")

    def test_stream_of_pipelined_requests_does_not_shut_others_out(self):
        flood = self.client()
        flood.socket.setblocking(False)
        data = b"GET /dump HTTP/1.1\r\nHost: test\r\n\r\n" * 100
        other = self.client()
        other.get("/dump")
        deadline = time.monotonic() + 3
        served = False
        while not served and time.monotonic() < deadline:
            try:
                flood.socket.send(data)
            except BlockingIOError:
                pass
            try:
                flood.socket.recv(1 << 20)
            except BlockingIOError:
                pass
            served = bool(select.select([other.socket], [], [], 0)[0])
        self.assertTrue(served, "one client keeps the only exchange for itself")
        self.assertEqual(other.reply().status, 200)


class ConnectionLimit(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--shards", 1, "--connections", 50, "--exchanges", 64)

    def crowd(self, count):
        clients = [self.client() for _ in range(count)]
        for client in clients:
            self.assertEqual(client.ask("/dump").status, 200)
        return clients

    def tearDown(self):
        # Each case begins with a table that is empty. While the ends of fifty connections are
        # being found out, a newcomer may still be one too many.
        self.doCleanups()
        deadline = time.monotonic() + 5
        while True:
            reply = self.service.ask("/memory?format=json")
            if reply.status == 200 and reply.json()["connections"]["open"] == 1:
                break
            self.assertLess(time.monotonic(), deadline, reply)
            time.sleep(0.02)

    def test_as_many_as_planned_are_held(self):
        clients = self.crowd(50)
        time.sleep(0.5)
        for client in clients:
            self.assertEqual(client.ask("/dump").status, 200)

    def test_the_oldest_idle_make_room_for_the_newest(self):
        old = self.crowd(10)
        time.sleep(0.7)
        young = self.crowd(40)
        time.sleep(0.7)
        newest = self.crowd(10)
        for client in old:
            self.assertTrue(client.has_ended(2), "an old connection was kept")
        for client in young + newest:
            self.assertEqual(client.ask("/dump").status, 200)

    def test_connections_that_asked_a_moment_ago_make_room_too(self):
        self.crowd(50)
        self.assertEqual(self.client().ask("/dump").status, 200)

    def test_connections_that_never_asked_make_room_too(self):
        silent = [self.client() for _ in range(50)]
        time.sleep(0.12)
        self.crowd(20)
        self.assertGreaterEqual(sum(client.has_ended(0.05) for client in silent), 20)

    def test_when_all_are_busy_the_newest_is_503(self):
        busy = [self.client().get("/slow?ms=1500") for _ in range(50)]
        time.sleep(0.3)
        for _ in range(5):
            client = self.client()
            # It is refused before it asks; what it sends must not cost it the answer.
            client.get("/dump")
            reply = client.reply()
            self.assertEqual((reply.status, reply.field("Connection")), (503, "close"))
            self.assertEqual(client.rest(), b"")
        for client in busy:
            self.assertEqual(client.reply().status, 200)

    def test_many_times_as_many_as_planned(self):
        for _ in range(20):
            clients = self.crowd(25)
            time.sleep(0.12)  # deadlines are counted in tenths of a second
        for client in clients:
            self.assertEqual(client.ask("/dump").status, 200)


if __name__ == "__main__":
    unittest.main()

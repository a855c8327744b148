#!/usr/bin/python3
"""Server-sent events over all shards: told, resumed, kept awake, dropped, and let go of."""

import os
import shutil
import tempfile
import time
import unittest

from support import Service, check_clean


class Subscriber:
    """A client of /news that takes events apart."""

    def __init__(self, service, *fields, **options):
        self.client = service.client(**options)
        self.client.get("/news", *fields)
        while b"\r\n\r\n" not in self.client.buffered:
            if not self.client.receive():
                raise EOFError("no head")
        self.head, self.client.buffered = self.client.buffered.split(b"\r\n\r\n", 1)

    def block(self):
        """The next block of lines: an event, a comment or a field."""
        while b"\n\n" not in self.client.buffered:
            if not self.client.receive():
                raise EOFError("the stream ended")
        block, self.client.buffered = self.client.buffered.split(b"\n\n", 1)
        return block.decode()

    def event(self):
        """The next event: {"id": …, "data": …}."""
        while True:
            lines = [line.split(": ", 1) for line in self.block().split("\n")]
            if lines[0][0] == "id":
                return dict(lines)

    def close(self):
        self.client.close()


class EventsCase(unittest.TestCase):
    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="zerog-events-")
        os.makedirs(os.path.join(cls.folder, "public", "sub"))
        cls.service = Service("bodies_service", "--shards", 3, *cls.FLAGS, cwd=cls.folder)

    @classmethod
    def tearDownClass(cls):
        try:
            check_clean(unittest.TestCase(), cls.service)
        finally:
            cls.service.kill()
            shutil.rmtree(cls.folder)

    def subscribe(self, *fields, **options):
        subscriber = Subscriber(self.service, *fields, **options)
        self.addCleanup(subscriber.close)
        return subscriber

    def publish(self, data, event=""):
        with self.service.client() as client:
            reply = client.post(f"/news?event={event}", data.encode(), "Connection: close").reply()
        self.assertEqual(reply.status, 204)


class Events(EventsCase):
    FLAGS = ("--event-heartbeat-ms", 1000)

    def test_every_subscriber_on_every_shard_is_told(self):
        subscribers = [self.subscribe() for _ in range(40)]
        for index in range(5):
            self.publish(f"news {index}", event="headline")
            for subscriber in subscribers:
                event = subscriber.event()
                self.assertEqual(event["data"], f"news {index}")
                self.assertEqual(event["event"], "headline")

    def test_head(self):
        subscriber = self.subscribe()
        self.assertIn(b"200 OK", subscriber.head)
        self.assertIn(b"text/event-stream", subscriber.head)
        self.assertEqual(subscriber.block(), "retry: 500")

    def test_many_events_come_in_order(self):
        subscriber = self.subscribe()
        for index in range(50):
            self.publish(str(index))
        self.assertEqual([subscriber.event()["data"] for _ in range(50)],
                         [str(index) for index in range(50)])

    def test_one_that_comes_back_gets_what_it_missed(self):
        subscriber = self.subscribe()
        self.publish("seen")
        last_id = subscriber.event()["id"]
        subscriber.close()
        self.publish("missed 1")
        self.publish("missed 2")
        subscriber = self.subscribe(f"Last-Event-ID: {last_id}")
        self.assertEqual(subscriber.event()["data"], "missed 1")
        self.assertEqual(subscriber.event()["data"], "missed 2")

    def test_heartbeat(self):
        subscriber = self.subscribe()
        self.assertEqual(subscriber.block(), "retry: 500")
        started = time.monotonic()
        self.assertEqual(subscriber.block(), ":")
        self.assertGreater(time.monotonic() - started, 0.5)

    def test_quiet_subscribers_hold_no_exchange(self):
        free = self.service.memory()["pools"]["exchanges"]["free"]
        subscribers = [self.subscribe() for _ in range(30)]
        time.sleep(0.5)
        self.assertEqual(self.service.memory()["pools"]["exchanges"]["free"], free)
        for subscriber in subscribers:
            subscriber.close()

    def test_clients_that_go_are_noticed(self):
        deadline = time.monotonic() + 5
        for way in ("close", "reset"):
            subscribers = [self.subscribe() for _ in range(20)]
            for subscriber in subscribers:
                getattr(subscriber.client, way)()
        while self.service.memory()["connections"]["open"] > 5:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_too_large_an_event(self):
        with self.service.client() as client:
            self.assertEqual(client.post("/news", b"x" * 2000).reply().status, 400)


class EventsLimited(EventsCase):
    FLAGS = ("--subscribers", 6, "--topic-events", 4, "--write-timeout-ms", 500,
             "--event-size-max", 60_000)

    def test_too_many(self):
        subscribers = []
        for _ in range(40):
            client = self.service.client()
            self.addCleanup(client.close)
            client.get("/news")
            while b"\r\n\r\n" not in client.buffered:
                client.receive()
            subscribers.append(client.buffered)
        # Two a shard, whichever the kernel has dealt them to.
        self.assertLessEqual(sum(b"200 OK" in head for head in subscribers), 6)
        self.assertIn(b"Retry-After: 1", next(head for head in subscribers if b" 503 " in head))

    def test_who_takes_nothing_is_dropped_and_the_others_are_told(self):
        deadline = time.monotonic() + 20
        dropped = self.service.metric("zerog_subscribers_dropped_total")
        slow = self.subscribe(receive_buffer_size=2048)
        while self.service.metric("zerog_subscribers_dropped_total") == dropped:
            self.publish("x" * 50_000)
            self.assertLess(time.monotonic(), deadline)
        slow.close()


class EventsSkipped(EventsCase):
    FLAGS = ("--topic-events", 4, "--event-size-max", 60_000)

    def test_a_slow_one_is_told_that_it_missed_some(self):
        slow = self.subscribe(receive_buffer_size=2048)
        for _ in range(200):
            self.publish("x" * 50_000)
        self.publish("last")
        blocks = []
        while not blocks or "data: last" not in blocks[-1]:
            blocks.append(slow.block())
        skipped = sum(int(block.split()[-1]) for block in blocks if block.startswith(": skipped"))
        told = sum("data: " in block for block in blocks)
        self.assertGreater(skipped, 0)
        self.assertEqual(skipped + told, 201)
        self.assertEqual(self.service.metric("zerog_events_skipped_total"), skipped)


class EventsDrained(unittest.TestCase):
    def test_a_drain_ends_the_streams(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "public", "sub"))
            with Service("bodies_service", cwd=folder) as service:
                subscriber = Subscriber(service)
                started = time.monotonic()
                self.assertEqual(service.stop(), 0, service.log())
                self.assertLess(time.monotonic() - started, 5)
                subscriber.client.rest()
                subscriber.close()


if __name__ == "__main__":
    unittest.main()

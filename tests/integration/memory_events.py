#!/usr/bin/python3
"""/memory/events: what is in use, once a second, to whoever is subscribed and to nobody else."""

import json
import os
import shutil
import tempfile
import threading
import time
import unittest

from support import ServiceCase, Service, has_sanitizer


class Watcher:
    """A client of /memory/events."""

    def __init__(self, service, *fields):
        self.client = service.client()
        self.client.get("/memory/events", *fields)
        while b"\r\n\r\n" not in self.client.buffered:
            if not self.client.receive():
                raise EOFError("no head")
        self.head, self.client.buffered = self.client.buffered.split(b"\r\n\r\n", 1)

    def second(self):
        """The next second, as an object."""
        while True:
            while b"\n\n" not in self.client.buffered:
                if not self.client.receive():
                    raise EOFError("the stream ended")
            block, self.client.buffered = self.client.buffered.split(b"\n\n", 1)
            for line in block.decode().split("\n"):
                if line.startswith("data: "):
                    return json.loads(line[len("data: "):])


class MemoryEvents(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--shards", 2)

    def watch(self):
        watcher = Watcher(self.service)
        self.addCleanup(watcher.client.close)
        return watcher

    def test_head(self):
        watcher = self.watch()
        self.assertIn(b"200 OK", watcher.head)
        self.assertIn(b"text/event-stream", watcher.head)
        self.assertIn(b"no-cache", watcher.head)

    def test_a_second_says_what_the_pages_say(self):
        second = self.watch().second()
        memory = self.service.memory()
        self.assertEqual(second["exchanges"], memory["pools"]["exchanges"]["total"])
        self.assertEqual(second["exchanges_taken"], 0)
        self.assertEqual(second["mallocs"], 0)
        self.assertGreaterEqual(second["connections"], 1)
        self.assertGreaterEqual(second["max_us"], second["p99_us"])
        self.assertGreaterEqual(second["p99_us"], second["p50_us"])
        pools = {pool["name"]: pool for pool in second["pools"]}
        self.assertEqual(pools["exchanges"]["count"], second["exchanges"])
        self.assertEqual(pools["subscribers"]["taken"], 1)
        self.assertEqual(second["pools_left_out"], 0)
        self.assertAlmostEqual(second["resident_bytes"], memory["resident"], delta=1 << 20)

    def test_one_a_second_to_each(self):
        watchers = [self.watch() for _ in range(4)]
        for watcher in watchers:
            watcher.second()
        began = time.monotonic()
        for _ in range(2):
            seconds = [watcher.second() for watcher in watchers]
            for second in seconds:
                self.assertEqual(second, seconds[0])
        self.assertGreater(time.monotonic() - began, 1)
        self.assertLess(time.monotonic() - began, 6)

    def test_requests_are_counted_by_the_second(self):
        watcher = self.watch()
        watcher.second()
        done = threading.Event()

        def load():
            with self.service.client() as client:
                while not done.is_set():
                    client.ask("/dump")

        thread = threading.Thread(target=load)
        thread.start()
        try:
            seconds = [watcher.second() for _ in range(3)]
        finally:
            done.set()
            thread.join()
        self.assertGreater(seconds[-1]["requests_per_s"], 20)
        self.assertGreater(seconds[-1]["p50_us"], 0)

    @unittest.skipIf(has_sanitizer(), "a sanitizer's memory is in no plan")
    def test_watching_takes_no_memory(self):
        watcher = self.watch()
        seconds = [watcher.second() for _ in range(4)]
        for second in seconds:
            self.assertEqual((second["mallocs"], second["page_faults"]), (0, 0))
            self.assertEqual(second["resident_bytes"], seconds[0]["resident_bytes"])

    def test_nothing_is_made_while_nobody_watches(self):
        watcher = self.watch()
        watcher.second()
        watcher.client.close()
        deadline = time.monotonic() + 5
        while self.service.memory()["connections"]["open"] > 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        time.sleep(1.1)
        watcher = self.watch()
        began = time.monotonic()
        watcher.second()
        # The first look has nothing to compare with: there was none before.
        self.assertGreater(time.monotonic() - began, 0.9)

    def test_head_request_subscribes_nobody(self):
        reply = self.service.ask("/memory/events", method="HEAD")
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.service.metric("zerog_subscribers_refused_total"), 0)


class MemoryEventsLimits(unittest.TestCase):
    def test_who_may_not_watch(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("ops " + "0123456789abcdef" * 4 + "\n")
            keys.flush()
            with Service("test_service", "--api-keys-file", keys.name,
                         listen="0.0.0.0:0") as service:
                service.address = ("127.0.0.1", service.port)
                reply = service.ask("/memory/events", "X-Forwarded-For: 192.0.2.1")
                self.assertEqual(reply.status, 401)

    def test_without_topics_of_its_own_a_service_plans_for_few(self):
        with Service("test_service", "--shards", 1) as service:
            lines = {line["name"]: line for line in service.memory()["plan"]["lines"]}
            self.assertLess(lines["subscribers"]["size_total"], 32 * 1024)
            clients = [service.client() for _ in range(17)]
            for client in clients:
                client.get("/memory/events")
            heads = []
            for client in clients:
                while b"\r\n\r\n" not in client.buffered:
                    client.receive()
                heads.append(client.buffered)
                client.close()
            self.assertEqual(sum(b" 503 " in head for head in heads), 1)

    def test_with_topics_of_its_own_it_plans_for_all(self):
        folder = tempfile.mkdtemp(prefix="zerog-events-")
        self.addCleanup(shutil.rmtree, folder)
        os.makedirs(os.path.join(folder, "public", "sub"))
        with Service("bodies_service", "--shards", 1, cwd=folder) as service:
            lines = {line["name"]: line for line in service.memory()["plan"]["lines"]}
            self.assertGreater(lines["subscribers"]["size_total"], 256 * 1024)

    def test_events_that_are_too_small_say_so(self):
        with Service("test_service", "--event-size-max", 128) as service:
            watcher = Watcher(service)
            self.assertEqual(watcher.second(), {"error": "raise --event-size-max"})
            watcher.client.close()


if __name__ == "__main__":
    unittest.main()

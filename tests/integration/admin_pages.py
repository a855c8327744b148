#!/usr/bin/python3
"""The pages for who runs the service: /healthz, /metrics and /memory."""

import re
import unittest

from support import IO, ServiceCase

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? (\d+)')


class AdminPages(ServiceCase):
    def samples(self):
        """name and labels -> value; every line of /metrics must be valid on the way."""
        reply = self.service.ask("/metrics")
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.field("Content-Type").startswith("text/plain; version=0.0.4"))
        helped, typed, samples = [], {}, {}
        text = reply.body.decode()
        self.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            if line.startswith("# HELP "):
                helped.append(line.split(" ", 3)[2])
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, typed, "a type is said once")
                self.assertIn(kind, ("counter", "gauge"))
                typed[name] = kind
            else:
                found = SAMPLE.fullmatch(line)
                self.assertIsNotNone(found, f"not a sample: {line!r}")
                self.assertIn(found.group(1), typed, "the type comes before the samples")
                self.assertNotIn((found.group(1), found.group(2)), samples)
                samples[found.group(1), found.group(2)] = int(found.group(4))
        self.assertEqual(len(helped), len(set(helped)), "help is given once")
        self.assertEqual(set(helped), set(typed))
        self.assertEqual({name for name, _ in samples}, set(typed))
        for name, kind in typed.items():
            self.assertEqual(name.endswith("_total") and kind == "gauge",
                             name.endswith("_total") and name.split("_")[-2] in ("chunks",
                                                                                 "exchanges"))
        return samples

    def test_health(self):
        reply = self.service.ask("/healthz")
        self.assertEqual((reply.status, reply.body), (200, b"ok\n"))

    def test_metrics_are_valid(self):
        self.assertGreater(len(self.samples()), 30)

    def test_metrics_count_what_happens(self):
        before = self.samples()
        with self.service.client() as client:
            for _ in range(10):
                client.ask("/")
            client.ask("/nowhere")
            client.send(b"GET / HTTP/1.1\r\n\r\n").reply()
        after = self.samples()

        def grown(name, labels=None):
            return after[name, labels] - before[name, labels]

        # One request more than ours: the page that was asked before counts in the later one.
        self.assertEqual(grown("zerog_requests_total"), 13)
        self.assertEqual(grown("zerog_responses_2xx_total"), 11)
        self.assertEqual(grown("zerog_responses_4xx_total"), 2)
        self.assertEqual(grown("zerog_connections_accepted_total"), 2)
        self.assertEqual(grown("zerog_faults_total", '{fault="BAD_HOST"}'), 1)
        self.assertEqual(grown("zerog_mallocs_since_seal_total"), 0)

    def test_counters_that_the_plan_names_are_there(self):
        names = {name for name, _ in self.samples()}
        for line in self.service.memory()["plan"]["lines"]:
            for counter in (line["counter"] or "").split(", "):
                self.assertIn(counter, names | {""}, line["name"])

    def test_memory_as_text(self):
        reply = self.service.ask("/memory")
        self.assertTrue(reply.field("Content-Type").startswith("text/plain"))
        text = reply.body.decode()
        for name in ("connection slots", "exchanges", "arena chunks", "total", "planned",
                     "resident at seal", "resident now", "mallocs since seal"):
            self.assertRegex(text, rf"(?m)^{name} ")
        self.assertRegex(text, r"(?m)^mallocs since seal +0$")

    def test_memory_as_json(self):
        for target, fields in (("/memory?format=json", ()),
                               ("/memory", ("Accept: application/json",))):
            with self.subTest(target=target):
                reply = self.service.ask(target, *fields)
                self.assertEqual(reply.field("Content-Type"), "application/json")
                memory = reply.json()
                self.assertEqual(memory["io"], IO)
                self.assertEqual(memory["mallocs_since_seal"], 0)
                self.assertEqual(memory["malloc_sites"], [])
                self.assertEqual(memory["pools"]["exchanges"]["total"], 512)

    def test_use_is_shown_while_it_lasts(self):
        with self.service.client() as client:
            client.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 50000\r\n\r\nx")
            client.socket.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                client.receive()
            pools = self.service.memory()["pools"]
            self.assertLessEqual(pools["arena_chunks"]["free"], pools["arena_chunks"]["total"] - 2)
            self.assertLessEqual(pools["exchanges"]["free"], pools["exchanges"]["total"] - 2)


class ManyShards(ServiceCase):
    FLAGS = ("--shards", 8, "--exchanges", 64)

    def test_pages_show_all_shards_together(self):
        memory = self.service.memory()
        self.assertEqual(memory["shards"], 8)
        self.assertEqual(memory["pools"]["exchanges"]["total"], 64)
        before = self.service.metric("zerog_requests_total")
        for _ in range(50):
            self.service.ask("/")
        self.assertEqual(self.service.metric("zerog_requests_total"), before + 51)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""The pages for who runs the service: /healthz, /metrics and /memory."""

import re
import time
import unittest

import prometheus
from support import IO, ServiceCase, has_sanitizer


class Pages:
    """What the pages say, for cases that share a service."""

    def families(self):
        reply = self.service.ask("/metrics")
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.field("Content-Type").startswith("text/plain; version=0.0.4"))
        return prometheus.parse(reply.body.decode())

    def samples(self):
        """name and labels -> value"""
        return {(name, tuple(sorted(labels.items()))): value
                for family in self.families().values() for name, labels, value in family.samples}

    def memory_json(self):
        reply = self.service.ask("/memory.json")
        self.assertEqual((reply.status, reply.field("Content-Type")), (200, "application/json"))
        return reply.json()


class AdminPages(Pages, ServiceCase):
    def test_health(self):
        reply = self.service.ask("/healthz")
        self.assertEqual((reply.status, reply.body), (200, b"ok\n"))

    def test_metrics_are_valid(self):
        families = self.families()
        self.assertGreater(len(families), 50)
        for name in families:
            self.assertTrue(name.startswith("zerog_"), name)

    def test_metrics_count_what_happens(self):
        before = self.samples()
        with self.service.client() as client:
            for _ in range(10):
                client.ask("/")
            client.ask("/nowhere")
            client.send(b"GET / HTTP/1.1\r\n\r\n").reply()
        after = self.samples()

        def grown(name, *labels):
            return after[name, labels] - before[name, labels]

        # One request more than ours: the page that was asked before counts in the later one.
        self.assertEqual(grown("zerog_requests_total"), 13)
        self.assertEqual(grown("zerog_responses_2xx_total"), 11)
        self.assertEqual(grown("zerog_responses_4xx_total"), 2)
        self.assertEqual(grown("zerog_connections_accepted_total"), 2)
        self.assertEqual(grown("zerog_faults_total", ("fault", "BAD_HOST")), 1)
        self.assertEqual(grown("zerog_mallocs_since_seal_total"), 0)

    def test_counters_that_the_plan_names_are_there(self):
        names = {name for name, _ in self.samples()}
        for line in self.service.memory()["plan"]["lines"]:
            for counter in (line["counter"] or "").split(", "):
                self.assertIn(counter, names | {""}, line["name"])

    def test_pools_tell_what_went_wrong(self):
        samples = self.samples()
        for pool in ("exchanges", "arena_chunks"):
            for what in ("refused", "misused", "retired"):
                self.assertEqual(samples[f"zerog_{pool}_{what}_total", ()], 0)

    def test_memory_as_text(self):
        reply = self.service.ask("/memory")
        self.assertTrue(reply.field("Content-Type").startswith("text/plain"))
        text = reply.body.decode()
        for name in ("connection slots", "exchanges", "arena chunks", "total", "planned",
                     "resident at seal", "resident now", "mallocs since seal", "scratch spills",
                     "arena", "shard"):
            self.assertRegex(text, rf"(?m)^{name} ")
        self.assertRegex(text, r"(?m)^page faults since the seal: \d+ minor, \d+ major$")
        self.assertRegex(text, r"(?m)^mallocs since seal +0$")

    def test_connections_and_accept_slots_are_the_plans_slots(self):
        text = self.service.ask("/memory").body.decode()
        served, accepted = re.search(
            r"(?m)^connections +(\d+) +\d+ +and (\d+) slots for those being accepted$",
            text).groups()
        lines = self.service.memory()["plan"]["lines"]
        slots = [line["count"] for line in lines if line["name"] == "connection slots"]
        self.assertEqual([int(served) + int(accepted)], slots)

    def test_memory_as_json(self):
        for target, fields in (("/memory?format=json", ()),
                               ("/memory", ("Accept: application/json",)),
                               ("/memory.json", ())):
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


    def test_plan_is_there_line_by_line(self):
        lines = {line["name"]: line["size_total"] for line in self.memory_json()["plan"]["lines"]}
        shown = {labels["line"]: value
                 for _, labels, value in self.families()["zerog_plan_line_bytes"].samples}
        self.assertEqual(shown, lines)

    def test_pools_are_told_as_one_over_all_shards(self):
        memory = self.memory_json()
        rows = {row["name"]: row for row in memory["usage"] if row["kind"] == "pool"}
        for name, key in (("exchanges", "exchanges"), ("arena chunks", "arena_chunks")):
            pool, row = memory["pools"][key], rows[name]
            self.assertEqual(row["holders"], memory["shards"])
            self.assertEqual(row["count_max"], pool["total"])
            self.assertEqual(row["live_count"], pool["total"] - pool["free"])
            self.assertLessEqual(row["live_size"], row["held_size"])
            self.assertLessEqual(row["held_size"], row["reserved_size"])

    def test_arenas_in_use_are_told(self):
        def arenas():
            return [row for row in self.memory_json()["usage"]
                    if (row["kind"], row["name"]) == ("arena", "exchanges")][0]

        reserved = arenas()["reserved_size"]
        self.assertGreater(reserved, 512 * 2048)
        with self.service.client() as client:
            client.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 50000\r\n\r\nx")
            deadline = time.monotonic() + 5
            while arenas()["live_size"] < 50000:
                self.assertLess(time.monotonic(), deadline, arenas())
                time.sleep(0.05)
            row = arenas()
            self.assertGreaterEqual(row["held_size"], row["live_size"])
            self.assertEqual(row["reserved_size"], reserved)
            held = {labels["name"]: value for _, labels, value
                    in self.families()["zerog_memory_held_bytes"].samples
                    if labels["kind"] == "arena"}
            self.assertGreaterEqual(held["exchanges"], 50000)


class Pauses(Pages, ServiceCase):
    """What the loops' turns and the kernel's counters say, under load."""

    PROGRAM = "test_service"
    FLAGS = ("--shards", 2)

    def load(self, request_count):
        clients = [self.client() for _ in range(16)]
        for number in range(request_count):
            self.assertEqual(clients[number % 16].ask("/dump").status, 200)
        for client in clients:
            client.close()

    @unittest.skipIf(has_sanitizer(), "a sanitizer's memory is in no plan")
    def test_no_page_is_missing_under_load(self):
        self.load(5000)
        time.sleep(0.25)  # The shards ask the kernel once a tick.
        pause = self.memory_json()["pause"]
        for name in ("faults_minor", "faults_major", "process_faults_minor",
                     "process_faults_major"):
            self.assertEqual(pause[name], 0, name)
        samples = self.samples()
        for kind in ("minor", "major"):
            self.assertEqual(samples["zerog_page_faults_total", (("kind", kind),)], 0)

    def test_turns_and_waits_are_counted(self):
        before = self.memory_json()["pause"]
        self.load(1000)
        time.sleep(0.25)
        after = self.memory_json()["pause"]
        self.assertGreater(after["turns"], before["turns"])
        self.assertGreater(after["turns_ns"], before["turns_ns"])
        self.assertGreater(after["switches_voluntary"], before["switches_voluntary"])
        self.assertEqual(len(after["shards"]), 2)
        for name in ("turns", "faults_minor", "switches_voluntary"):
            self.assertLessEqual(abs(after[name] - sum(each[name] for each in after["shards"])),
                                 10, name)
        self.assertGreaterEqual(sum(bound["turns"] for bound in after["distribution"]),
                                after["turns"])
        turns = self.families()["zerog_loop_turn_seconds"]
        self.assertEqual(turns.kind, "histogram")
        self.assertGreaterEqual(turns.samples[-1][2], after["turns"])

    def test_slow_handler_is_the_longest_pause(self):
        began = time.time()
        self.assertEqual(self.service.ask("/block?ms=150").status, 200)
        pause = self.memory_json()["pause"]
        self.assertGreaterEqual(pause["longest_ns"], 150_000_000)
        self.assertLess(pause["longest_ns"], 5_000_000_000)
        self.assertLess(abs(pause["longest_unix_ms"] / 1000 - began), 5)
        worst = pause["shards"][pause["longest_shard"]]
        self.assertEqual(worst["longest_ns"], pause["longest_ns"])
        slow = [bound["turns"] for bound in pause["distribution"]
                if bound["up_to_ns"] is None or bound["up_to_ns"] > 100_000_000]
        self.assertGreaterEqual(sum(slow), 1)
        seconds = self.samples()["zerog_loop_turn_longest_seconds", ()]
        self.assertAlmostEqual(seconds, pause["longest_ns"] / 1e9)
        longest = re.findall(r"(?m)^\d+ +\d+ +[\d.]+ +[\d.]+ +[\d.]+ +([\d.]+) ",
                             self.service.ask("/memory").body.decode())
        self.assertAlmostEqual(max(map(float, longest)), pause["longest_ns"] / 1000, delta=0.1)


class LargePages(Pages, ServiceCase):
    """More shards than the smallest page has room for, and no body at all."""

    FLAGS = ("--shards", 160, "--exchanges", 160, "--arena-chunks", 160, "--body-size-max", 0,
             "--connections", 200)

    def test_json_lists_as_many_shards_as_fit(self):
        memory = self.memory_json()
        self.assertEqual(memory["shards"], 160)
        self.assertGreater(len(memory["pause"]["shards"]), 20)
        self.assertLess(len(memory["pause"]["shards"]), 160)

    def test_text_says_how_many_it_leaves_out(self):
        text = self.service.ask("/memory").body.decode()
        shown = len(re.findall(r"(?m)^\d+ +\d+ ", text))
        left = re.findall(r"(?m)^and (\d+) shards for which this page has no room$", text)
        self.assertEqual(shown + sum(map(int, left)), 160)

    def test_metrics_are_valid(self):
        self.assertEqual(self.samples()["zerog_exchanges_capacity", ()], 160)


class Format(unittest.TestCase):
    """The reader of the metrics refuses what is wrong: else nothing above would mean anything."""

    GOOD = ('# HELP a_total Help.\n# TYPE a_total counter\na_total{x="1"} 1\na_total{x="2"} 2\n'
            '# HELP h Help.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n'
            'h_sum 0.5\nh_count 2\n')

    def test_good_is_read(self):
        families = prometheus.parse(self.GOOD)
        self.assertEqual(families["a_total"].samples[1], ("a_total", {"x": "2"}, 2))

    def test_bad_is_refused(self):
        for before, after in (
                ("a_total{x=\"2\"} 2\n", "a_total{x=\"1\"} 2\n"),  # one sample twice
                ("a_total{x=\"2\"}", "a_total{y=\"2\"}"),  # labels that differ
                ("a_total{x=\"2\"}", "a_total{x=\"2\"\"}"),  # a quote that is not escaped
                ("# TYPE h histogram\n", ""),  # no type
                ("# HELP h Help.\n", ""),  # no help
                ("# HELP h Help.\n", "# HELP a_total Help.\n"),  # help twice
                ("a_total", "a"),  # a counter that is not called so
                ("h_count 2", "h_count 3"),  # not all in +Inf
                ("h_bucket{le=\"1\"} 1", "h_bucket{le=\"1\"} 3"),  # not cumulative
                ("h_sum 0.5\n", ""),  # no sum
                ("h_count 2\n", "h_count 2\na_total{x=\"3\"} 3\n"),  # outside its family
                ("h_count 2\n", "h_count 2")):  # not ended
            with self.subTest(after=after):
                self.assertIn(before, self.GOOD)
                with self.assertRaises(prometheus.FormatError):
                    prometheus.parse(self.GOOD.replace(before, after))


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

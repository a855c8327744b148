#!/usr/bin/python3
"""The access log: every reply has its line, nothing waits for the file, and it may be moved away."""

import datetime
import json
import os
import tempfile
import time
import unittest

from support import Service, check_clean, has_kernel_seal, run

SECONDS_MAX = 10


class AccessLog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-test-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "access.log")

    def service(self, *flags):
        service = Service("test_service", "--access-log", self.path, *flags)
        self.addCleanup(service.kill)
        return service

    def lines(self, path=None):
        with open(path or self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def wait_for(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not come about")
            time.sleep(0.02)

    def test_every_reply_has_its_line(self):
        service = self.service("--shards", 2)
        for number in range(50):
            service.ask(f"/dump/{number}?card=4111111111111111")
        service.ask("/nowhere")
        with service.client() as client:
            client.send(b"nonsense\r\n\r\n").reply()
        # While it serves, not only at its end.
        self.wait_for(lambda: len(self.lines()) == 52)
        lines = self.lines()
        self.assertEqual(sorted(line["path"] for line in lines if line["status"] == 200),
                         sorted(f"/dump/{number}" for number in range(50)))
        self.assertIn(("/nowhere", 404), [(line.get("path"), line["status"]) for line in lines])
        self.assertIn((None, 400), [(line.get("path"), line["status"]) for line in lines])
        self.assertTrue(all(line["shard"] in (0, 1) and line["bytes"] > 50 for line in lines))
        when = datetime.datetime.fromisoformat(lines[0]["time"])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs((now - when).total_seconds()), 60)
        check_clean(self, service)

    def test_the_last_replies_are_written_at_the_end(self):
        service = self.service()
        with service.client() as client:
            for number in range(200):
                client.ask(f"/dump/{number}")
        self.assertEqual(service.stop(), 0)
        self.assertEqual([line["path"] for line in self.lines()],
                         [f"/dump/{number}" for number in range(200)])

    def test_a_file_that_is_moved_away_is_followed(self):
        service = self.service()
        service.ask("/dump/before")
        self.wait_for(self.lines)
        os.rename(self.path, self.path + ".1")
        self.wait_for(lambda: os.path.exists(self.path))
        service.ask("/dump/after")
        self.wait_for(self.lines)
        self.assertEqual([line["path"] for line in self.lines()], ["/dump/after"])
        self.assertEqual([line["path"] for line in self.lines(self.path + ".1")], ["/dump/before"])
        check_clean(self, service)

    def test_what_the_log_has_no_room_for_is_counted(self):
        service = self.service("--shards", 1, "--access-log-entries", 16)
        asked = 400
        with service.client() as client:
            client.send(b"GET /dump/x HTTP/1.1\r\nHost: test\r\n\r\n" * asked)
            for _ in range(asked):
                self.assertEqual(client.reply().status, 200)
        dropped = service.metric("zerog_access_log_dropped_total")
        self.assertEqual(service.stop(), 0)
        written = len([line for line in self.lines() if line["path"] == "/dump/x"])
        self.assertGreater(dropped, 0)
        self.assertEqual(written + dropped, asked)

    def test_the_plan_has_a_line_for_it(self):
        _, plan, _ = run("hello", "--plan", "--access-log", self.path)
        self.assertIn("access log entries", plan)
        _, plan, _ = run("hello", "--plan")
        self.assertNotIn("access log entries", plan)

    def test_a_file_that_cannot_be_opened_ends_the_boot(self):
        status, _, said = run("hello", "--access-log", self.path + "/x", "--listen", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assertIn(f"--access-log {self.path}/x cannot be opened: ", said)

    def test_under_the_kernel_seal(self):
        if not has_kernel_seal():
            self.skipTest("no system call filter can be set here")
        service = self.service("--seal", "kernel")
        service.ask("/dump/x")
        self.wait_for(self.lines)
        os.rename(self.path, self.path + ".1")
        self.wait_for(lambda: os.path.exists(self.path))
        check_clean(self, service)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""What a service says of objects that have not come back to their pools: nothing, when all have."""

import re
import signal
import subprocess
import time
import unittest

from support import Service, check_clean, has_sanitizer, program


def function_at(name, offset):
    """The function that addr2line finds at an offset a report has told."""
    result = subprocess.run(["addr2line", "-f", "-i", "-e", program(name), offset],
                            capture_output=True, text=True, timeout=60, check=True)
    return result.stdout.splitlines()[::2]


class Leaks(unittest.TestCase):
    def start(self, name, *flags):
        service = Service(name, *flags)
        self.addCleanup(service.kill)
        return service

    def leave_pending(self, *flags):
        """What a service says at the end of a drain that one request has outlived."""
        service = self.start("test_service", "--drain-timeout-ms", 300, *flags)
        with service.client() as client:
            client.get("/never")
            time.sleep(0.2)
            service.signal(signal.SIGTERM)
            self.assertEqual(service.wait(), 0)
        return service.log()

    def test_no_report_when_all_is_well(self):
        for name, target in (("hello", "/"), ("test_service", "/slow?ms=20"),
                             ("test_service", "/ticket")):
            with self.subTest(name=name, target=target):
                service = self.start(name, "--track", "on", "--shards", 1)
                clients = [service.client() for _ in range(20)]
                for client in clients:
                    self.assertEqual(client.ask(target).status, 200)
                for client in clients:
                    client.close()
                check_clean(self, service)

    def test_exchange_left_pending_is_told_with_its_handler(self):
        log = self.leave_pending("--track", "on")
        self.assertIn("test_service: 1 object is not given back:\n", log)
        found = re.search(r"^  exchanges: 1 from test_service\+(0x[0-9a-f]+), [0-9.]+ s old$", log,
                          re.MULTILINE)
        self.assertIsNotNone(found, log)
        self.assertEqual(function_at("test_service", found.group(1)), ["never"])

    @unittest.skipIf(has_sanitizer(), "this build tracks every pool")
    def test_without_tracking_there_is_a_count_and_a_remedy(self):
        self.assertIn("  exchanges: 1 from unknown site: set is_tracked in a pool of your own, "
                      "start a service with --track on for its own\n",
                      self.leave_pending())

    def test_stop_without_a_drain_reports_nothing(self):
        service = self.start("test_service", "--track", "on")
        with service.client() as client:
            client.get("/never")
            time.sleep(0.2)
            service.signal(signal.SIGINT)
            self.assertEqual(service.wait(), 0)
        self.assertNotIn("not given back", service.log())

    def test_objects_that_a_handler_forgot_are_told_with_the_line(self):
        service = self.start("test_service", "--shards", 1)
        for _ in range(3):
            self.assertEqual(service.ask("/ticket?forget=1").status, 200)
        pattern = r"^  tickets: 3 from test_service\+(0x[0-9a-f]+), [0-9.]+ s to [0-9.]+ s old$"
        on_demand = re.search(pattern, service.ask("/leaks").body.decode(), re.MULTILINE)
        self.assertEqual(service.stop(), 0)
        found = re.search(pattern, service.log(), re.MULTILINE)
        self.assertIsNotNone(found, service.log())
        self.assertIn("ticket", function_at("test_service", found.group(1)))
        self.assertEqual(on_demand.group(1), found.group(1))

    def test_double_give_is_told_with_who_had_it_and_who_gave_it(self):
        service = self.start("test_service", "--shards", 1, "--track", "on")
        self.assertEqual(service.ask("/ticket?twice=1").status, 200)
        place = r"test_service\+(0x[0-9a-f]+)"
        found = re.search(r"^pool tickets: give of a stale handle 74[0-9a-f]{14}, at " + place
                          + "; its block was last taken at " + place + ", last given at " + place
                          + "$", service.log(), re.MULTILINE)
        self.assertIsNotNone(found, service.log())
        functions = [function_at("test_service", found.group(number)) for number in (1, 2, 3)]
        self.assertIn("ticket_give_again", functions[0])
        self.assertIn("ticket", functions[1])
        self.assertIn("ticket", functions[2])
        check_clean(self, service)

    def test_without_tracking_a_double_give_is_answered_and_not_told(self):
        if has_sanitizer():
            self.skipTest("this build tracks every pool")
        service = self.start("test_service", "--shards", 1)
        self.assertEqual(service.ask("/ticket?twice=1").status, 200)
        self.assertNotIn("stale", service.log())
        check_clean(self, service)

    def test_page_shows_requests_in_flight(self):
        service = self.start("hello", "--track", "on")
        page = service.ask("/leaks").body.decode()
        # Its own.
        self.assertRegex(page, r"(?m)^2 objects are taken now:$")
        self.assertRegex(page, r"(?m)^  exchanges: 1 from hello\+0x[0-9a-f]+, 0\.\d s old$")
        self.assertRegex(page, r"(?m)^  arena chunks: 1 from hello\+0x[0-9a-f]+, 0\.\d s old$")
        check_clean(self, service)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""A library that allocates while the service serves: from the guest heap, to its end and back."""

import time
import unittest

from support import Service, check_clean, has_sanitizer, run

MIB = 1 << 20
ROUNDS = 15  # three threads, five each
HOARD_SECONDS_MAX = 60


@unittest.skipIf(has_sanitizer(), "a sanitizer's malloc stays in charge")
class GuestHeap(unittest.TestCase):
    def hoard(self, service):
        """Lets the library take all there is, again and again, and asks for pages meanwhile."""
        self.assertEqual(service.ask("/hoard").status, 200)
        deadline = time.monotonic() + HOARD_SECONDS_MAX
        full_count = 0
        while True:
            with service.client() as client:
                for _ in range(20):
                    self.assertEqual(client.ask("/").body, b"Hello")
                report = client.ask("/report").json()
            memory = service.memory()
            full_count += memory["guest_heap"]["live"] > memory["guest_heap"]["size"] // 2
            if report["rounds"] == ROUNDS:
                return report, memory["guest_heap"], full_count
            self.assertLess(time.monotonic(), deadline, report)

    def check(self, *flags):
        with Service("hoard_service", "--guest-heap-size", 16 * MIB, *flags) as service:
            report, heap, full_count = self.hoard(service)
            self.assertEqual(report["damaged"], 0)
            self.assertGreater(report["blocks"], 5_000)
            self.assertGreaterEqual(report["refusals"], ROUNDS * 100)
            # It was full, it said so, and all of it has come back.
            self.assertGreater(full_count, 0)
            self.assertGreater(heap["live_peak"], 10 * MIB)
            self.assertGreaterEqual(heap["failed"], report["refusals"])
            self.assertEqual(heap["live"], 0)
            self.assertEqual(heap["blocks"], 0)
            self.assertGreaterEqual(heap["mallocs_since_seal"],
                                    report["blocks"] + report["refusals"])
            self.assertRegex(service.ask("/memory").body.decode(), r"guest heap +16777216 bytes")
            self.assertEqual(service.metric("zerog_guest_heap_failed_total"), heap["failed"])
            # None of it was the service's own, and nothing has grown.
            check_clean(self, service, malloc_count=0)

    def test_a_library_allocates_under_count(self):
        self.check("--seal", "count")

    def test_a_library_allocates_under_trap(self):
        self.check("--seal", "trap")

    def test_a_library_allocates_under_the_kernel_seal(self):
        self.check("--seal", "kernel")

    def test_a_service_of_ones_own_malloc_is_still_counted_as_such(self):
        with Service("test_service", "--guest-heap-size", 4 * MIB) as service:
            self.assertEqual(service.ask("/malloc").body, b"allocated")
            memory = service.memory()
            self.assertEqual(memory["mallocs_since_seal"], 1)
            self.assertEqual(memory["guest_heap"]["mallocs_since_seal"], 0)
            check_clean(self, service, malloc_count=1)


class GuestHeapPlan(unittest.TestCase):
    def test_it_has_a_line_when_it_is_asked_for(self):
        status, plan, _ = run("hello", "--plan", "--guest-heap-size", 5 * MIB)
        self.assertEqual(status, 0)
        self.assertRegex(plan, r"guest heap +1 +\d+ +8\.\d MiB +--guest-heap-size")
        self.assertNotIn("guest heap", run("hello", "--plan")[1])

    def test_what_does_not_fit_names_the_option(self):
        status, _, errors = run("hello", "--guest-heap-size", 32 << 30, "--listen", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assertIn("lower --guest-heap-size", errors)


if __name__ == "__main__":
    unittest.main()

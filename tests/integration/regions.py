#!/usr/bin/python3
"""What a service obtains of what it asks for: huge pages, locked memory; and what it refuses."""

import ctypes
import resource
import subprocess
import unittest

from support import Service, check_clean, has_sanitizer, program

MIB = 1 << 20
PR_CAPBSET_DROP = 24
CAP_IPC_LOCK = 14


def may_lock(size):
    """For preexec_fn: a process that may lock so many bytes, whoever it belongs to."""
    libc = ctypes.CDLL(None)

    def limit():
        libc.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (size, hard))

    return limit


def refusal(*flags, **options):
    """What a service that must not start says."""
    result = subprocess.run([program("hello"), "--listen", "127.0.0.1:0", *flags],
                            capture_output=True, text=True, timeout=60, check=False, **options)
    return result.returncode, result.stderr


class Obtained(unittest.TestCase):
    def regions(self, service):
        return {region["name"]: region for region in service.memory()["regions"]}

    def check_plan(self, service):
        if has_sanitizer():
            return
        memory = service.memory()
        planned = memory["plan"]["size_total"]
        self.assertLess(abs(planned / memory["resident"] - 1), 0.02)

    def test_every_region_is_resident_in_full(self):
        with Service("hello", "--numa", "off") as service:
            regions = self.regions(service)
            self.assertEqual(set(regions), {"shards", "stacks"})
            for region in regions.values():
                self.assertEqual(region["resident"], region["size"])
                self.assertIsNone(region["node"])
            self.assertRegex(service.log(), r"not bound to NUMA nodes: not asked for\n")
            check_clean(self, service)

    def test_huge_pages_can_be_done_without(self):
        with Service("hello", "--numa", "off", "--huge-pages", "off") as service:
            self.assertEqual(self.regions(service)["shards"]["huge"], 0)
            self.assertIn("no huge pages;", service.log())
            self.check_plan(service)
            check_clean(self, service)

    def test_explicit_pages_or_what_takes_their_place_are_planned_for(self):
        with Service("hello", "--numa", "off", "--huge-pages", "explicit") as service:
            region = self.regions(service)["shards"]
            self.assertEqual(region["size"] % (2 * MIB), 0)
            self.assertEqual(region["resident"], region["size"])
            self.check_plan(service)
            check_clean(self, service)

    def test_memory_is_locked_as_far_as_the_limit_goes_and_it_is_said(self):
        with Service("hello", "--numa", "off", "--lock-memory", "try",
                     preexec_fn=may_lock(7 * MIB)) as service:
            locked = sum(region["locked"] for region in self.regions(service).values())
            self.assertGreater(locked, 0)
            self.assertLessEqual(locked, 7 * MIB)
            self.assertRegex(service.log(), r"MiB locked \(RLIMIT_MEMLOCK is 7.0 MiB: raise it")
            self.assertRegex(service.ask("/memory").body.decode(),
                             r"lock: asked: locked; obtained: [\d.]+ of [\d.]+ MiB; RLIMIT_MEM")
            self.check_plan(service)
            check_clean(self, service)


class Refused(unittest.TestCase):
    def test_memory_that_must_be_locked_and_may_not(self):
        status, error = refusal("--lock-memory", "must", preexec_fn=may_lock(MIB // 2))
        self.assertEqual(status, 1)
        self.assertRegex(error, "raise RLIMIT_MEMLOCK .*or use --lock-memory try\n")

    def test_explicit_pages_that_must_be_and_are_not_there(self):
        # More than any machine has set aside by chance, and little enough for the plan.
        with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
            if int(file.read()) > 64:
                self.skipTest("this machine has set huge pages aside")
        status, error = refusal("--huge-pages", "explicit-only", "--exchanges", "8192")
        self.assertEqual(status, 1)
        self.assertRegex(error, "raise vm.nr_hugepages, or use --huge-pages explicit\n")

    def test_words_that_are_none(self):
        for flag, words in (("--huge-pages", "off, transparent, explicit or explicit-only"),
                            ("--lock-memory", "off, try or must"), ("--numa", "off or auto")):
            status, error = refusal(flag, "yes")
            self.assertEqual(status, 2)
            self.assertIn(f"{flag} takes {words}", error)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Every probe of the documentation is in the programs, with its arguments, and none else."""

import os
import re
import struct
import sys
import unittest

from mistakes import ROOT, program, run

BUILDS = ("release",)
HEADER_MISSING = "built without <sys/sdt.h>"

os.environ["ZEROG_BUILD"] = os.path.join(ROOT, "build")
os.environ["ZEROG_IO"] = "epoll"
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import malloc_witness  # noqa: E402  pylint: disable=wrong-import-position
import support  # noqa: E402  pylint: disable=wrong-import-position


def documented():
    """Probe -> number of arguments, from the table of the guide."""
    with open(os.path.join(ROOT, "docs", "guide", "memory", "tools.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `zerog:(\w+)` \| ([^|]+) \|", file.read(), re.MULTILINE)
    return {name: len(arguments.split(",")) for name, arguments in rows}


def built(name):
    """Probe -> number of arguments, from the notes of a program."""
    status, output = run("readelf", "--notes", "--wide", program("build", name))
    if status != 0:
        raise AssertionError(output)
    found = re.findall(r"Provider: zerog\n\s*Name: (\w+)\n.*\n\s*Arguments: (.*)\n", output)
    return {name: len(arguments.split()) for name, arguments in found}


def locations(name, probe):
    """Where a probe is, as offsets in the file of a program: it may have been inlined."""
    _, output = run("readelf", "--notes", "--wide", program("build", name))
    addresses = re.findall(rf"Name: {probe}\n\s*Location: 0x(\w+),", output)
    with open(program("build", name), "rb") as file:
        data = file.read()
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, start + index * size)
                for index in range(count)]
    return [int(address, 16) - segment[3] + segment[2] for address in addresses
            for segment in segments
            if segment[0] == 1 and segment[3] <= int(address, 16) < segment[3] + segment[6]]


class Counter(malloc_witness.Witness):
    """The kernel counts how often a running program passes a probe."""

    def __init__(self, pid, name, probe):  # pylint: disable=super-init-not-called
        self.fds = []
        try:
            with open("/sys/bus/event_source/devices/uprobe/type", encoding="ascii") as file:
                kind = int(file.read())
        except OSError as error:
            raise malloc_witness.Unavailable(f"the kernel offers no uprobes: {error}") from error
        for thread in os.listdir(f"/proc/{pid}/task"):
            for offset in locations(name, probe):
                self.open(kind, program("build", name), offset, int(thread))


class Probes(unittest.TestCase):
    def setUp(self):
        self.probes = built("hello")
        if not self.probes:
            self.skipTest(HEADER_MISSING)

    def test_a_service_has_those_that_it_uses(self):
        for name in ("pool_take", "pool_give", "pool_exhaust", "pool_misuse", "arena_chunk"):
            self.assertIn(name, self.probes)

    def test_who_looks_on_sees_each_take_and_each_give(self):
        with support.Service("hello") as service:
            try:
                takes = Counter(service.pid, "hello", "pool_take")
                gives = Counter(service.pid, "hello", "pool_give")
            except malloc_witness.Unavailable as error:
                self.skipTest(str(error))
            with takes, gives:
                for _ in range(5):
                    self.assertEqual(service.ask("/").status, 200)
                service.stop()
                self.assertEqual(takes.count(), 5)
                self.assertEqual(gives.count(), 5)

    def test_all_that_are_documented_are_built_as_they_are_documented(self):
        everything = {}
        for name in ("hello", "test_service", "mistakes", "scratch_test"):
            everything.update(built(name))
        self.assertEqual(everything, documented())


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Valgrind finds mistakes with memory that came from a pool or an arena, and none in a service."""

import os
import sys
import tempfile
import unittest

from mistakes import MISTAKES, ROOT, program, run

os.environ["ZEROG_BUILD"] = os.path.join(ROOT, "build-valgrind")
os.environ["ZEROG_IO"] = "epoll"  # what the kernel writes for io_uring Valgrind does not see
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import support  # noqa: E402  pylint: disable=wrong-import-position

BUILDS = ("valgrind",)
ERROR_STATUS = 99
VALGRIND = ("valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite", f"--error-exitcode={ERROR_STATUS}")


class Valgrind(unittest.TestCase):
    def make(self, name):
        return run(*VALGRIND, program("build-valgrind", "mistakes"), name)

    def assert_finds(self, name, text):
        status, output = self.make(name)
        self.assertEqual(status, ERROR_STATUS, output)
        self.assertIn("ERROR SUMMARY: 1 errors", output)
        self.assertIn(text, output)
        self.assertRegex(output, rf"(at|by) 0x[0-9A-F]+: {name} ")
        return output

    def test_mistakes_are_reported_where_they_are_made(self):
        for name in MISTAKES:
            with self.subTest(name):
                self.assert_finds(name, "Invalid write of size 1")

    def test_the_take_and_the_give_of_a_block_are_named(self):
        output = self.assert_finds("pool_use_after_give", "inside a block of size 100 free'd")
        self.assertIn("zg_pool_give", output)
        self.assertIn("zg_pool_take", output)
        output = self.assert_finds("shared_use_after_give", "inside a block of size 100 free'd")
        self.assertIn("zg_shared_pool_give", output)
        self.assertIn("zg_shared_pool_take", output)

    def test_what_a_block_held_before_is_not_to_be_read(self):
        self.assert_finds("pool_read_of_nothing", "depends on uninitialised value")

    def test_a_clean_program_is_left_alone(self):
        status, output = self.make("clean")
        self.assertEqual(status, 0, output)
        self.assertIn("ERROR SUMMARY: 0 errors", output)


class ServiceUnderValgrind(support.Service):
    """A service that runs in Valgrind."""

    def __init__(self, name, *flags):
        self.report = tempfile.NamedTemporaryFile(prefix="zerog-valgrind-")
        self.name = name
        super().__init__(name, *flags)

    def wrapped(self, arguments):
        return [*VALGRIND, f"--log-file={self.report.name}", *arguments]

    def said(self):
        with open(self.report.name, encoding="utf-8", errors="replace") as file:
            return file.read()


class Services(unittest.TestCase):
    """Whole requests, and not one access that is wrong."""

    def test_requests_of_every_kind(self):
        with ServiceUnderValgrind("test_service", "--shards", 1, "--exchanges", 8) as service:
            for target in ("/dump/a/b?c=d", "/slow?ms=1", "/again", "/slow-fail", "/fail",
                           "/large?size=100000", "/metrics", "/memory?format=json", "/nothing"):
                self.assertIn(service.ask(target).status, (200, 404, 500), target)
            with service.client() as client:
                self.assertEqual(client.post("/dump", b"x" * 5000).reply().status, 200)
                for _ in range(3):
                    client.get("/dump")
                for _ in range(3):
                    self.assertEqual(client.reply().status, 200)
                # Its end does not fit the page that shows it; the body itself is in a chunk.
                self.assertIn(client.post("/dump", b"x" * 30000).reply().status, (200, 500))
            with service.client() as client:
                client.post("/dump", b"x" * 30000).reset()
            with service.client() as client:
                client.send(b"rubbish\r\n\r\n")
                self.assertEqual(client.reply().status, 400)
            self.assertEqual(service.stop(), 0, service.said())
            self.assertIn("ERROR SUMMARY: 0 errors", service.said())


if __name__ == "__main__":
    unittest.main()

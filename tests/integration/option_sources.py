#!/usr/bin/python3
"""Options from a file and from the environment, and which of them counts."""

import os
import tempfile
import unittest

from support import Service, check_clean, run


class Options(unittest.TestCase):
    def test_file_environment_and_flag_in_their_order(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write("# of the service\n[zerog]\nconnections = 111\nexchanges = 22\n"
                       "[others]\nwhatever\n")
            file.flush()
            environment = {**os.environ, "ZEROG_EXCHANGES": "33", "ZEROG_SHARDS": "1"}
            for options, expected in (
                    ({}, (111, 22)), ({"env": environment}, (111, 33))):
                with Service("hello", "--config", file.name, **options) as service:
                    self.assertIn(f"{expected[0]} connections, {expected[1]} exchanges",
                                  service.log())
                    check_clean(self, service)
            with Service("hello", "--config", file.name, "--exchanges", 44,
                         env=environment) as service:
                self.assertIn("1 shards, 111 connections, 44 exchanges", service.log())
                check_clean(self, service)

    def refused(self, *arguments, **options):
        status, stdout, stderr = run("hello", *arguments, **options)
        self.assertEqual((status, stdout), (2, ""))
        self.assertEqual(stderr.count("\n"), 1, stderr)
        return stderr

    def test_mistakes_are_told_with_their_place(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write("connections = 5\nexchangs = 7\n")
            file.flush()
            self.assertIn(f'{file.name}:2: "exchangs" is no option',
                          self.refused("--config", file.name))
        self.assertIn("ZEROG_EXCHANGES of the environment",
                      self.refused(env={**os.environ, "ZEROG_EXCHANGES": "many"}))
        self.assertIn("--config /nowhere cannot be read", self.refused("--config", "/nowhere"))


if __name__ == "__main__":
    unittest.main()

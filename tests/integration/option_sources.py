#!/usr/bin/python3
"""Options from a file and from the environment, as a service and `zerog plan` take them."""

import os
import tempfile
import unittest

from support import Service, run


def environment(**changes):
    known = {name: value for name, value in os.environ.items() if not name.startswith("ZEROG_")}
    return {**known, **changes}


class OptionSources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-test-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "service.ini")

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def connections(self, *flags, program="hello", command=("--plan",), **variables):
        status, plan, said = run(program, *command, *flags, env=environment(**variables))
        self.assertEqual((status, said), (0, ""))
        return next(line for line in plan.splitlines() if "connection slots" in line)

    def test_a_flag_beats_the_environment_and_that_the_file(self):
        self.write("[zerog]\nconnections = 1000\nshards = 1\n")
        config = ("--config", self.path)
        defaults = self.connections("--shards", 1)
        by_file = self.connections(*config)
        by_environment = self.connections(*config, ZEROG_CONNECTIONS="2000")
        by_flag = self.connections(*config, "--connections", 4000, ZEROG_CONNECTIONS="2000")
        self.assertEqual(len({defaults, by_file, by_environment, by_flag}), 4)
        self.assertEqual(by_file, self.connections("--shards", 1, "--connections", 1000))
        self.assertEqual(by_environment, self.connections("--shards", 1, "--connections", 2000))
        self.assertEqual(by_flag, self.connections("--shards", 1, "--connections", 4000))

    def test_the_plan_of_the_command_knows_them_too(self):
        self.write("connections = 1000\nshards = 1\n")
        self.assertEqual(self.connections("--config", self.path, program="zerog",
                                          command=("plan",)),
                         self.connections("--connections", 1000, "--shards", 1, program="zerog",
                                          command=("plan",)))

    def test_a_service_serves_by_its_file(self):
        self.write("body-size-max = 10\n; a comment\n[application]\nanything goes\n")
        with Service("test_service", "--config", self.path) as service:
            with service.client() as client:
                self.assertEqual(client.post("/echo", b"0123456789").reply().status, 200)
                self.assertEqual(client.post("/echo", b"0123456789a").reply().status, 413)

    def test_a_mistake_names_its_file_and_line(self):
        self.write("\nconnections = none\n")
        status, _, said = run("hello", "--config", self.path, env=environment())
        self.assertEqual(status, 2)
        self.assertIn(f"hello: {self.path}:2: --connections takes a whole number from 1 to", said)

    def test_a_mistake_names_its_variable(self):
        status, _, said = run("hello", env=environment(ZEROG_IDLE_TIMEOUT_MS="1"))
        self.assertEqual(status, 2)
        self.assertIn("ZEROG_IDLE_TIMEOUT_MS in the environment: --idle-timeout-ms takes", said)

    def test_help_tells_of_them(self):
        _, said, _ = run("hello", "--help", env=environment())
        self.assertIn("--config  (FILE", said)
        self.assertIn("ZEROG_FLAG in the environment", said)


if __name__ == "__main__":
    unittest.main()

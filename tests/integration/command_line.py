#!/usr/bin/python3
"""What people type, and what they are told when it cannot be done."""

import json
import os
import re
import resource
import socket
import tempfile
import unittest

from support import IO, Service, check_clean, has_sanitizer, run

LIMITS = ("connections", "exchanges", "shards", "read-buffer-size", "write-buffer-size",
          "fields-max", "body-size-max", "arena-chunks", "guest-live-size-max",
          "guest-block-size-max", "scratch-size-max", "header-timeout-ms",
          "body-timeout-ms", "idle-timeout-ms", "write-timeout-ms", "handler-timeout-ms",
          "exchange-wait-ms-max", "drain-timeout-ms", "backlog", "form-fields-max", "sessions",
          "session-idle-ms", "session-life-ms", "session-keep-ms", "access-log-records")


def lower_descriptor_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))


class Refusals(unittest.TestCase):
    def refused(self, status, *arguments, **options):
        """The sentence that says why; the exit status is this, and nothing is on stdout."""
        actual, stdout, stderr = run("hello", *arguments, **options)
        self.assertEqual(actual, status, stderr)
        self.assertEqual(stdout, "")
        self.assertRegex(stderr, r"^hello: .+\n$")
        self.assertEqual(stderr.count("\n"), 1, "one sentence is enough")
        return stderr

    def test_unknown_flag(self):
        self.assertIn("--frobnicate", self.refused(2, "--frobnicate"))
        self.assertIn("--frobnicate", self.refused(2, "--frobnicate", "1"))
        self.assertIn("--frobnicate", self.refused(2, "--frobnicate=1"))

    def test_word_that_is_no_flag(self):
        self.assertIn('"serve"', self.refused(2, "serve"))

    def test_flag_without_its_value(self):
        for flag in ("--connections", "--listen", "--io"):
            with self.subTest(flag=flag):
                self.assertIn(flag, self.refused(2, flag))

    def test_number_out_of_range_names_the_range(self):
        for flag in LIMITS:
            with self.subTest(flag=flag):
                error = self.refused(2, f"--{flag}", "99999999999")
                self.assertIn(f"--{flag}", error)
                self.assertRegex(error, r"from \d+ to \d+")

    def test_what_is_no_number(self):
        for value in ("", "many", "-1", "1k", "0x10", " 1", "1.5", "99999999999999999999999"):
            with self.subTest(value=value):
                self.assertIn("--exchanges", self.refused(2, "--exchanges", value))

    def test_unknown_backend_and_seal(self):
        self.assertIn("--io", self.refused(2, "--io", "kqueue"))
        self.assertIn("--seal", self.refused(2, "--seal", "wax"))

    def test_bad_address(self):
        for address in ("localhost:60000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                        "1.2.3.4.5:80", "::1:80", "[::1]", "[xyz]:80", "unix:", "60000"):
            with self.subTest(address=address):
                self.assertIn("address", self.refused(1, "--listen", address))

    def test_address_that_is_not_of_this_machine(self):
        error = self.refused(1, "--listen", "192.0.2.1:0")
        self.assertIn("192.0.2.1", error)
        self.assertIn("no interface", error)

    def test_port_in_use(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            error = self.refused(1, "--listen", f"127.0.0.1:{port}")
        self.assertIn(str(port), error)
        self.assertIn("another process listens there", error)

    def test_port_in_use_by_another_service_of_ours(self):
        with Service("hello") as service:
            error = self.refused(1, "--listen", f"127.0.0.1:{service.port}")
            self.assertIn("another process listens there", error)
            check_clean(self, service)

    def test_unix_path_that_is_no_socket_is_left_alone(self):
        with tempfile.NamedTemporaryFile() as file:
            self.assertIn("no socket", self.refused(1, "--listen", "unix:" + file.name))
            self.assertTrue(os.path.exists(file.name))

    def test_unix_path_in_use(self):
        with tempfile.TemporaryDirectory() as folder:
            path = "unix:" + os.path.join(folder, "socket")
            with Service("hello", listen=path) as service:
                self.assertIn("another process listens there", self.refused(1, "--listen", path))
                check_clean(self, service)

    def test_unix_path_in_no_folder(self):
        self.assertIn("directory does not exist",
                      self.refused(1, "--listen", "unix:/nowhere/at/all"))

    def test_more_connections_than_descriptors_on_epoll(self):
        error = self.refused(1, "--io", "epoll", "--connections", 2000,
                             preexec_fn=lower_descriptor_limit)
        self.assertIn("--connections", error)
        self.assertIn("RLIMIT_NOFILE", error)
        self.assertIn("--io uring", error)
        allowed = int(re.search(r"at most (\d+)", error).group(1))
        with Service("hello", "--io", "epoll", "--connections", allowed,
                     preexec_fn=lower_descriptor_limit) as service:
            # So many it said, so many it holds.
            clients = [service.client() for _ in range(allowed)]
            for client in clients:
                self.addCleanup(client.close)
            for _ in range(2):
                for client in clients:
                    self.assertEqual(client.ask("/").status, 200)
            for client in clients:
                client.close()
            self.assertEqual(service.metric("zerog_accept_errors_total"), 0)
            check_clean(self, service)

    @unittest.skipUnless(IO == "uring", "of rings only")
    def test_more_connections_than_descriptors_on_uring_takes_more_shards(self):
        with Service("hello", "--io", "uring", "--connections", 2000,
                     preexec_fn=lower_descriptor_limit) as service:
            self.assertGreater(service.memory()["shards"], 2)
            check_clean(self, service)

    @unittest.skipUnless(IO == "uring", "of rings only")
    def test_too_few_shards_for_the_descriptors(self):
        error = self.refused(1, "--io", "uring", "--connections", 2000, "--shards", 1,
                             preexec_fn=lower_descriptor_limit)
        self.assertIn("--shards", error)

    def test_guests_without_a_heap_are_refused(self):
        error = self.refused(1, "--guest-live-size-max", 1000000)
        self.assertIn("--guest-live-size-max", error)
        self.assertIn("--guest-heap-size", error)

    def test_plan_that_is_larger_than_memory_names_the_line_and_the_option(self):
        error = self.refused(1, "--exchanges", 262144, "--write-buffer-size", 1048576)
        self.assertIn('"exchanges"', error)
        self.assertIn("--exchanges", error)
        error = self.refused(1, "--arena-chunks", 262144, "--body-size-max", 67108864)
        self.assertIn('"arena chunks"', error)
        self.assertIn("--arena-chunks", error)


class Routes(unittest.TestCase):
    def test_routes_are_listed_one_a_line(self):
        status, stdout, stderr = run("hello", "--routes")
        self.assertEqual((status, stderr), (0, ""))
        lines = stdout.splitlines()
        for route in ("GET /", "GET /healthz", "GET /metrics"):
            self.assertIn(route, lines)
        for line in lines:
            self.assertRegex(line, r"^[A-Z]+ /\S*$")


class Help(unittest.TestCase):
    def test_help_explains_every_flag(self):
        status, stdout, stderr = run("hello", "--help")
        self.assertEqual((status, stderr), (0, ""))
        for flag in ("listen", "io", "seal", "explain", *LIMITS):
            self.assertRegex(stdout, rf"  --{flag}  \(.*default .*\)\n      [A-Z].+\.\n")

    def test_last_of_a_flag_counts(self):
        with Service("hello", "--connections", 100, "--connections=200", "--shards=1") as service:
            self.assertEqual(service.memory()["connections"]["limit"], 200)
            check_clean(self, service)

    def test_command_without_a_word_shows_its_usage(self):
        status, stdout, stderr = run("zerog")
        self.assertNotEqual(status, 0)
        self.assertRegex(stdout + stderr, "hold")
        self.assertRegex(stdout + stderr, "plan")


class Plan(unittest.TestCase):
    FLAGS = ("--connections", 5000, "--exchanges", 100, "--io", IO)

    def lines(self, *flags):
        status, stdout, stderr = run("zerog", "plan", "--json", *self.FLAGS, *flags)
        self.assertEqual(status, 0, stderr)
        return json.loads(stdout)

    def test_service_prints_its_plan_and_ends(self):
        status, stdout, stderr = run("hello", "--plan", *self.FLAGS)
        self.assertEqual((status, stderr), (0, ""))
        for name in ("connection slots", "exchanges", "arena chunks", "stacks", "total"):
            self.assertRegex(stdout, rf"(?m)^{name} ")

    def test_command_plans_the_same(self):
        plan = self.lines()
        with Service("hello", *self.FLAGS) as service:
            served = service.memory()["plan"]
            check_clean(self, service)
        ours = {line["name"]: line for line in plan["lines"]}
        theirs = {line["name"]: line for line in served["lines"]}
        self.assertEqual(ours.keys(), theirs.keys())
        for name in ours.keys() - {"program as loaded"}:
            self.assertEqual(ours[name], theirs[name])

    def test_total_is_the_sum(self):
        plan = self.lines()
        self.assertEqual(plan["size_total"], sum(line["size_total"] for line in plan["lines"]))
        for line in plan["lines"]:
            self.assertEqual(line["size_total"], line["count"] * line["size_each"])

    def test_options_change_their_lines(self):
        def sizes(*flags):
            return {line["name"]: line["size_total"] for line in self.lines(*flags)["lines"]}

        before = sizes()
        self.assertGreater(sizes("--connections", 8000)["connection slots"],
                           before["connection slots"])
        self.assertEqual(sizes("--exchanges", 200)["exchanges"], 2 * before["exchanges"])

    def test_connection_costs_little(self):
        slots = [line for line in self.lines()["lines"] if line["name"] == "connection slots"]
        self.assertLessEqual(slots[0]["size_each"], 32)

    def test_line_is_explained_by_the_command_and_by_the_service(self):
        texts = [run("zerog", "plan", "--explain", "inbox cells", *self.FLAGS),
                 run("hello", "--plan", "--explain", "inbox cells", *self.FLAGS),
                 run("hello", "--explain=inbox cells", *self.FLAGS)]
        for status, stdout, stderr in texts:
            self.assertEqual((status, stderr), (0, ""))
            self.assertEqual(stdout, texts[0][1])
            self.assertTrue(stdout.startswith("inbox cells\n"))
            self.assertRegex(stdout, r'follows +"exchanges" \(100\): at least 2 for each')
            self.assertRegex(stdout, r"moved by +--exchanges: one more adds [0-9.]+ bytes here")
            self.assertIn("zerog_resumes_refused_total", stdout)

    def test_every_line_can_be_explained(self):
        for line in self.lines()["lines"]:
            status, stdout, stderr = run("zerog", "plan", "--explain", line["name"], *self.FLAGS)
            self.assertEqual((status, stderr), (0, ""))
            self.assertRegex(stdout, rf"(?m)^  count +{line['count']}\b")
            if line["holders"]:
                held = sum(holder["value"] for holder in line["holders"])
                self.assertEqual(line["count"], line["times"] * held)
            if line["parts"]:
                self.assertEqual(line["size_each"], sum(part["value"] for part in line["parts"]))

    def test_unknown_line_is_answered_with_those_there_are(self):
        for command in (("zerog", "plan"), ("hello", "--plan")):
            status, stdout, stderr = run(*command, "--explain", "cells", *self.FLAGS)
            self.assertEqual((status, stdout), (2, ""))
            self.assertIn('no line "cells"', stderr)
            for line in self.lines()["lines"]:
                self.assertIn(f'"{line["name"]}"', stderr)
        status, _, stderr = run("zerog", "plan", "--explain", "")
        self.assertEqual(status, 2)
        self.assertIn("`zerog plan` lists them", stderr)
        status, _, stderr = run("zerog", "plan", "--explain")
        self.assertEqual(status, 2)
        self.assertIn("--explain", stderr)

    def test_plan_that_does_not_fit_is_status_1(self):
        status, _, stderr = run("zerog", "plan", "--json", "--exchanges", 262144,
                                "--write-buffer-size", 1048576)
        self.assertEqual(status, 1)
        self.assertIn("lower --exchanges", stderr)

    def test_bad_flag_is_status_2(self):
        status, _, stderr = run("zerog", "plan", "--exchanges", 0)
        self.assertEqual(status, 2)
        self.assertIn("--exchanges", stderr)

    @unittest.skipIf(has_sanitizer(), "a sanitizer's memory is in no plan")
    def test_plan_is_within_two_percent_of_what_is_resident(self):
        for flags in ((), ("--connections", 19_000), ("--exchanges", 10_000),
                      ("--shards", 8, "--exchanges", 64)):
            with self.subTest(flags=flags), Service("hello", *flags) as service:
                memory = service.memory()
                self.assertLess(abs(memory["plan"]["size_total"] / memory["resident"] - 1), 0.02,
                                memory)
                check_clean(self, service)


class SealCommand(unittest.TestCase):
    def test_reasons_stand_in_one_column(self):
        status, text, _ = run("zerog", "seal")
        self.assertEqual(status, 0)
        for line in text.splitlines():
            self.assertRegex(line, r"^.{33}[ )] (0|E[A-Z]+) +\S")
            self.assertRegex(line[35:], r"^(0|E[A-Z]+) +\S")

    def test_json_has_the_rows_of_the_table(self):
        status, text, _ = run("zerog", "seal", "--json")
        self.assertEqual(status, 0)
        rows = json.loads(text)
        calls = [" ".join(filter(None, (row["call"], row["when"]))) for row in rows]
        lines = run("zerog", "seal")[1].splitlines()
        self.assertEqual(calls, [line[:34].rstrip() for line in lines])
        self.assertEqual([row["error"] for row in rows], [line[35:].split()[0] for line in lines])
        self.assertEqual([row["reason"] for row in rows], [line[44:] for line in lines])

    def test_what_it_does_not_know_is_refused(self):
        for arguments in (("--yaml",), ("--json", "more")):
            status, _, errors = run("zerog", "seal", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(arguments[-1], errors)


if __name__ == "__main__":
    unittest.main()

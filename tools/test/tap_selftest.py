#!/usr/bin/python3
"""The count at the end of `./dev test` is only worth something if nothing slips past it."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import tap


class Reading(unittest.TestCase):
    def counts(self, output, exit_code=0):
        outcome = tap.read(output, exit_code)
        return outcome.passed, outcome.failed, outcome.skipped

    def test_what_passed_failed_and_was_skipped_is_counted(self):
        self.assertEqual((1, 1, 1), self.counts(
            "1..3\nok 1 - a\nnot ok 2 - b\nnot ok 3 # SKIP c\n", 1))

    def test_several_groups_are_summed(self):
        self.assertEqual((2, 0, 0), self.counts("1..1\nok 1 - a\n# ok - g\n1..1\nok 1 - b\n"))

    def test_cases_that_a_crash_took_are_failures(self):
        self.assertEqual((1, 2, 0), self.counts("1..3\nok 1 - a\n", -6))

    def test_a_program_that_ran_nothing_fails(self):
        self.assertEqual((0, 1, 0), self.counts("hello\n"))

    def test_a_bad_exit_code_fails_although_all_cases_passed(self):
        self.assertEqual((1, 1, 0), self.counts("1..1\nok 1 - a\n", 1))


class PythonSuite(unittest.TestCase):
    def run_file(self, text, environment=None):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sample.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("import unittest\nclass A(unittest.TestCase):\n" + text)
            result = subprocess.run(
                ["/usr/bin/python3", os.path.join(HERE, "python_suite.py"), path],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", check=False,
                env={**os.environ, **(environment or {})})
        outcome = tap.read(result.stdout, result.returncode)
        return outcome.passed, outcome.failed, outcome.skipped

    def test_passes_failures_errors_and_skips_are_told_apart(self):
        self.assertEqual((1, 2, 1), self.run_file(
            "    def test_a(self): pass\n"
            "    def test_b(self): self.fail()\n"
            "    def test_c(self): raise OSError()\n"
            "    @unittest.skip('no')\n    def test_d(self): pass\n"))

    def test_a_failed_subtest_fails_its_case_once(self):
        self.assertEqual((0, 1, 0), self.run_file(
            "    def test_a(self):\n        for i in (1, 2):\n"
            "            with self.subTest(i=i): self.fail()\n"))

    def test_a_failed_class_set_up_fails(self):
        self.assertEqual((0, 1, 0), self.run_file(
            "    @classmethod\n    def setUpClass(cls): raise OSError()\n"
            "    def test_a(self): pass\n"))

    def test_a_file_that_cannot_be_loaded_fails(self):
        self.assertEqual((0, 1, 0), self.run_file("    nonsense\n"))

    def test_a_reason_to_skip_skips_every_case(self):
        self.assertEqual((0, 0, 2), self.run_file(
            "    def test_a(self): self.fail()\n    def test_b(self): self.fail()\n",
            {"ZEROG_SKIP": "not here"}))


if __name__ == "__main__":
    unittest.main()

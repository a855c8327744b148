#!/usr/bin/python3
"""The mistakes that `./dev bench errors` makes: a pool tells of every one, whatever the build."""

import json
import os
import subprocess
import unittest

from support import has_sanitizer, program


def make_mistakes(*flags):
    # A report of the sanitizer is what is wanted here: on its standard error, not in a file.
    environment = {**os.environ, "ASAN_OPTIONS": "", "UBSAN_OPTIONS": ""}
    result = subprocess.run([program("errors_zerog"), *flags], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=True,
                            env=environment)
    return json.loads(result.stdout)


class Mistakes(unittest.TestCase):
    def check_all_caught(self, kind, count):
        outcomes = {case["name"]: case["outcome"] for case in make_mistakes()
                    if case["kind"] == kind}
        self.assertEqual(len(outcomes), count)
        self.assertEqual(set(outcomes.values()), {"caught"}, outcomes)

    def test_double_frees_are_caught(self):
        self.check_all_caught("double_free", 10)

    def test_invalid_frees_are_caught(self):
        self.check_all_caught("invalid_free", 14)

    def test_writes_after_free_are_caught_by_their_handles(self):
        self.check_all_caught("write_after_free", 4)

    @unittest.skipUnless(has_sanitizer("errors_zerog"), "there is no poison without ASan")
    def test_writes_by_a_pointer_are_caught_by_poison_until_another_owns_the_block(self):
        missed = [case["name"] for case in make_mistakes("--pointers")
                  if case["outcome"] != "caught"]
        self.assertEqual(missed, ["when another owns it"])


if __name__ == "__main__":
    unittest.main()

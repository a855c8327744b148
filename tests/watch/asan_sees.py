#!/usr/bin/python3
"""AddressSanitizer finds mistakes with memory that came from a pool or an arena."""

import unittest

from mistakes import MISTAKES, program, run

BUILDS = ("release", "asan")


class AddressSanitizer(unittest.TestCase):
    def make(self, name):
        return run(program("build-asan", "mistakes"), name)

    def test_mistakes_are_reported_where_they_are_made(self):
        for name in MISTAKES:
            with self.subTest(name):
                status, output = self.make(name)
                self.assertNotEqual(status, 0, output)
                self.assertIn("AddressSanitizer: use-after-poison", output)
                self.assertIn("WRITE of size 1", output)
                self.assertRegex(output, rf"#\d+ .* in {name} ")
                self.assertNotIn("done", output)

    def test_a_clean_program_is_left_alone(self):
        self.assertEqual(self.make("clean"), (0, "done\n"))


class WithoutTools(unittest.TestCase):
    """Why all this: nobody who was not told sees any of it."""

    def test_mistakes_go_unnoticed_in_a_release_build(self):
        for name in MISTAKES:
            with self.subTest(name):
                self.assertEqual(run(program("build", "mistakes"), name), (0, "done\n"))


if __name__ == "__main__":
    unittest.main()

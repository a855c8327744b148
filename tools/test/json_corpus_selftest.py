#!/usr/bin/python3
"""The corpus of JSON documents is right: Python's own parser, made strict, agrees on each."""

import ast
import json
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(ROOT, "src", "web", "json", "json_corpus.def")
ROW = re.compile(r'^(Y|N|IY|IN)\(("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\)$')
DEPTH_MAX = 64  # ours: Python has none, but for its stack


def literal(text):
    """What a string literal of C's says, in bytes: its escapes are a subset of Python's."""
    return ast.literal_eval("b" + text)


def rows():
    with open(CORPUS, encoding="ascii") as file:
        lines = file.read().partition("*/\n")[2].splitlines()
    for line in lines:
        found = ROW.match(line)
        if not found:
            raise ValueError(f"not a row of the corpus: {line[:80]}")
        yield found.group(1), literal(found.group(2)).decode(), literal(found.group(3))


def refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def check_characters(value):
    """A lone surrogate is a character to Python, until it is to be encoded."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for key, member in value.items():
            check_characters(key)
            check_characters(member)
    elif isinstance(value, list):
        for element in value:
            check_characters(element)


def is_json(document):
    try:
        check_characters(json.loads(document.decode("utf-8"), parse_constant=refuse))
    except (ValueError, RecursionError):
        return False
    return True


class Corpus(unittest.TestCase):
    def test_there_are_several_hundred_of_each_kind(self):
        marks = [mark for mark, _, _ in rows()]
        self.assertGreater(marks.count("Y"), 150)
        self.assertGreater(marks.count("N"), 400)

    def test_no_two_have_one_name(self):
        names = [name for _, name, _ in rows()]
        self.assertEqual(len(names), len(set(names)))

    def test_python_agrees(self):
        sys.setrecursionlimit(10000)
        for mark, name, document in rows():
            with self.subTest(name):
                # Depth is what we refuse, and Python does not.
                self.assertEqual(is_json(document), mark != "N")

    def test_what_is_left_to_us_is_size_and_keys(self):
        """Of the grammar nothing is left to the implementation."""
        for mark, name, document in rows():
            if mark == "IN":
                self.assertGreater(document.count(b"[") + document.count(b"{"), DEPTH_MAX, name)
            if mark == "IY":
                self.assertRegex(name, "^number|^object with the same")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Reference: docs/reference/options.md says what `hello --help` says.

The flags come from one table in include/zerog/options.h; the page is that table for
readers, and `./dev docs` writes it.
"""

import os
import re
import subprocess

import source

PROGRAM = os.path.join("build", "hello")
PAGE = os.path.join("docs", "reference", "options.md")
ROW = re.compile(r"^  (--[a-z-]+)(?:  \((.*)\))?\n      (.*)$", re.MULTILINE)
HEAD = """# Options

Every service built on zerog takes these flags, as `--flag VALUE` or `--flag=VALUE`. This page is written by
`./dev docs` from the table in `include/zerog/options.h`, which `--help` and the validation come from, too.

| flag | takes | what it does |
|---|---|---|
"""


def render(text):
    """The page, from what --help prints."""
    return HEAD + "".join(f"| `{flag}` | {takes or 'nothing'} | {sentence} |\n"
                          for flag, takes, sentence in ROW.findall(text))


def help_text(root):
    return subprocess.run([os.path.join(root, PROGRAM), "--help"], check=True,
                          capture_output=True, text=True).stdout


def write(root):
    with open(os.path.join(root, PAGE), "w", encoding="utf-8") as file:
        file.write(render(help_text(root)))


def check(root):
    if not os.path.exists(os.path.join(root, PROGRAM)):
        return [source.Problem(PROGRAM, 1, "is not built: ./dev build")]
    if not os.path.exists(os.path.join(root, PAGE)) or \
            source.read(root, PAGE) != render(help_text(root)):
        return [source.Problem(PAGE, 1, "is stale: ./dev docs")]
    return []

#!/usr/bin/python3
"""Reference: docs/reference/ says what the programs say of themselves.

options.md is the table of include/zerog/options.h, as `hello --help` prints it; seal.md is
that of src/mem/seal/seal_rules.c, as `zerog seal` does. `./dev docs` writes them.
"""

import os
import re
import subprocess

import source

OPTIONS_ROW = re.compile(r"^  (--[a-z-]+)(?:  \((.*)\))?\n      (.*)$", re.MULTILINE)
OPTIONS_HEAD = """# Options

Every service built on zerog takes these flags, as `--flag VALUE` or `--flag=VALUE`; from the environment, `--body-size-max`
as `ZEROG_BODY_SIZE_MAX`; and from the file that `--config` names, as a line `body-size-max = VALUE`. A flag goes before
the environment, and that before the file ([how to write one](../guide/service/options.md)). This page is written by `./dev docs` from the table in `include/zerog/options.h`, which `--help` and the validation come from, too.

| flag | takes | what it does |
|---|---|---|
"""
SEAL_ROW = re.compile(r"^(.+?) +(0|E[A-Z0-9]+) +(.*)$", re.MULTILINE)
SEAL_HEAD = """# What the kernel seal refuses

Under `--seal kernel` these system calls are refused for every thread, to the end of the process; all others are let
through. This page is written by `./dev docs` from the table in `src/mem/seal/seal_rules.c`, which the filter is made
from, and `zerog seal` prints it. What the seal is for, and what it means for a service: [the seal](../guide/memory/seal.md).

| call | error | why |
|---|---|---|
"""


def render_options(text):
    """The page, from what --help prints."""
    return OPTIONS_HEAD + "".join(f"| `{flag}` | {takes or 'nothing'} | {sentence} |\n"
                                  for flag, takes, sentence in OPTIONS_ROW.findall(text))


def render_seal(text):
    """The page, from what `zerog seal` prints."""
    return SEAL_HEAD + "".join(f"| {call} | {error} | {reason} |\n"
                               for call, error, reason in SEAL_ROW.findall(text))


# page: the command that knows, and how its words become the page
PAGES = {
    os.path.join("docs", "reference", "options.md"):
        ([os.path.join("build", "hello"), "--help"], render_options),
    os.path.join("docs", "reference", "seal.md"):
        ([os.path.join("build", "zerog"), "seal"], render_seal),
}


def render(root, page):
    command, render_text = PAGES[page]
    return render_text(subprocess.run([os.path.join(root, command[0]), *command[1:]], check=True,
                                      capture_output=True, text=True).stdout)


def write(root):
    for page in PAGES:
        with open(os.path.join(root, page), "w", encoding="utf-8") as file:
            file.write(render(root, page))


def check(root):
    problems = []
    for page, (command, _) in PAGES.items():
        if not os.path.exists(os.path.join(root, command[0])):
            problems.append(source.Problem(command[0], 1, "is not built: ./dev build"))
        elif not os.path.exists(os.path.join(root, page)) or \
                source.read(root, page) != render(root, page):
            problems.append(source.Problem(page, 1, "is stale: ./dev docs"))
    return problems

#!/usr/bin/python3
"""Paths: nothing in the repository names one machine's folders or one company's hosts."""

import re

import source

# Spelt so that this file does not match itself.
MACHINE = re.compile(r"(?<![\w.}$])/(?:work|root|home/[a-z][a-z0-9_-]*|Users/\w+|tmp)(?=/|\b)")
TEMPLATE = re.compile(r"/tm[p]/[\w.-]*XXXXXX")  # what mkstemp() and mkdtemp() are given
HOST = re.compile(r"https?://[^/\s\"'<>]*(?:registry|artifact|mirror|proxy|pkg\.)[^/\s\"'<>]*")
SKIPPED = ("LICENSE",)


def check(root):
    problems = []
    for path in source.files(root):
        if path in SKIPPED:
            continue
        text = source.read(root, path)
        if "\0" in text:
            continue  # A picture, or the seed of a fuzz target.
        for number, line in enumerate(text.splitlines(), 1):
            found = MACHINE.search(TEMPLATE.sub("", line))
            if found:
                problems.append(source.Problem(
                    path, number, f"{found.group(0)}: write a path from the repository's root, or "
                    "ask the system for a folder (tempfile, mkdtemp, TMPDIR)"))
            found = HOST.search(line)
            if found:
                problems.append(source.Problem(
                    path, number, f"{found.group(0)}: leave it to the machine where packages come "
                    "from"))
    return problems


if __name__ == "__main__":
    source.main(check)

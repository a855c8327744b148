#!/usr/bin/python3
"""Vendored: what others wrote is as they wrote it, by the checksums beside it."""

import hashlib
import os

import source

SUMS = os.path.join("third_party", "mimalloc", "SHA256SUMS")
FOLDERS = ("include", "src")
OURS = {"include/zerog_mimalloc.h"}


def present(folder):
    """Paths relative to the vendored folder, but for what is ours."""
    found = {"LICENSE"}
    for name in FOLDERS:
        for where, _, names in os.walk(os.path.join(folder, name)):
            found |= {os.path.relpath(os.path.join(where, each), folder) for each in names}
    return found - OURS


def sum_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check(root):
    path = os.path.join(root, SUMS)
    if not os.path.exists(path):
        return [source.Problem(SUMS, 1, "is missing")]
    folder = os.path.dirname(path)
    left = present(folder)
    problems = []
    for number, line in enumerate(source.read(root, SUMS).splitlines(), 1):
        expected, name = line.split("  ", 1)
        left.discard(name)
        if not os.path.exists(os.path.join(folder, name)):
            problems.append(source.Problem(SUMS, number, f"{name} is not there"))
        elif sum_of(os.path.join(folder, name)) != expected:
            problems.append(source.Problem(SUMS, number, f"{name} was changed: it is others' code"))
    return problems + [source.Problem(SUMS, 1, f"{name} has no checksum") for name in sorted(left)]


if __name__ == "__main__":
    source.main(check)

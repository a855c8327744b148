#!/usr/bin/python3
"""Format: every C file is as clang-format lays it out."""

import re
import subprocess

import source

WARNING = re.compile(r"^(.+?):(\d+):\d+: (?:warning|error): code should be clang-formatted")


def check(root):
    paths = source.files(root, ".c", ".h", ".cpp")
    if not paths:
        return []
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *paths],
                            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            encoding="utf-8", errors="replace", check=False)
    problems = {}
    for line in result.stdout.splitlines():
        found = WARNING.match(line)
        if found:
            path, number = found.group(1), int(found.group(2))
            problems.setdefault(path, source.Problem(path, number,
                                                     f"run: clang-format -i {path}"))
    if result.returncode != 0 and not problems:
        return [source.Problem(".clang-format", 1, result.stdout.strip())]
    return list(problems.values())


if __name__ == "__main__":
    source.main(check)

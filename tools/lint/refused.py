#!/usr/bin/python3
"""Refused: what the public headers promise to be a compile error is one.

Each file in tests/headers/refused is one program with numbered mistakes, `#if MISTAKE == 1` and
so on. Without a mistake it compiles; with each of them it does not, in C with either compiler and
in C++, and without -Werror: a warning would not be a refusal.
"""

import concurrent.futures
import os
import re
import subprocess

import source

FOLDER = "tests/headers/refused/"
LANGUAGES = [("gcc", "C", ["gcc", "-x", "c", "-std=gnu17"]),
             ("clang", "C", ["clang", "-x", "c", "-std=gnu17"]),
             ("clang", "C++", ["clang", "-x", "c++", "-std=c++17"])]
NUMBER = re.compile(r"^#(?:el)?if MISTAKE == (\d+)$", re.MULTILINE)


def compiles(root, path, command, mistake):
    """(whether it compiles, what the compiler said)"""
    command = command + ["-I", os.path.join(root, "include"), f"-DMISTAKE={mistake}",
                         "-fsyntax-only", path]
    result = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            encoding="utf-8", check=False)
    return result.returncode == 0, result.stdout.rstrip()


def check_one(root, path, language, mistake, line):
    compiler, name, command = language
    is_accepted, said = compiles(root, path, command, mistake)
    if mistake == 0 and not is_accepted:
        return source.Problem(path, 1, f"does not compile as {name} with {compiler}, although "
                              "nothing is wrong with it:\n" + said)
    if mistake > 0 and is_accepted:
        return source.Problem(path, line, f"mistake {mistake} compiles as {name} with {compiler}")
    return None


def jobs(root):
    for path in source.files(root, ".c"):
        if not path.startswith(FOLDER):
            continue
        text = source.read(root, path)
        mistakes = [(int(found.group(1)), text.count("\n", 0, found.start()) + 1)
                    for found in NUMBER.finditer(text)]
        for language in LANGUAGES:
            for mistake, line in [(0, 1)] + mistakes:
                yield path, language, mistake, line


def check(root):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda job: check_one(root, *job), list(jobs(root)))
        return [problem for problem in found if problem]


if __name__ == "__main__":
    source.main(check)

#!/usr/bin/python3
"""Headers stand alone: each compiles by itself, a public one as C and as C++.

A public header is included twice, to see its guard. tests/headers holds a
program for each language that includes everything; it must compile too.
"""

import concurrent.futures
import os
import subprocess

import source

C = ["clang", "-x", "c", "-std=gnu17", "-D_GNU_SOURCE"]
CPP = ["clang", "-x", "c++", "-std=c++17"]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-function",
          "-Wno-unused-const-variable", "-fsyntax-only", "-"]


def own_folder(path):
    """What a header's own includes are relative to: src, or its application's folder."""
    parts = path.split("/")
    return os.path.join(*parts[:2]) if parts[0] == "apps" else "src"


def compile_text(root, path, language, text):
    """Returns a Problem, or None when the text compiles."""
    command = language + ["-I", os.path.join(root, "include")]
    if not path.startswith(("include/", "tests/headers/")):
        command += ["-I", os.path.join(root, own_folder(path))]
    result = subprocess.run(command + STRICT, input=text, cwd=root, encoding="utf-8",
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode == 0:
        return None
    name = "C++" if language is CPP else "C"
    return source.Problem(path, 1, f"does not compile alone as {name}: include what it uses\n"
                          + result.stdout.rstrip())


def jobs(root):
    for path in source.files(root, ".h"):
        if path.startswith("include/"):
            name = path[len("include/"):]
            text = f"#include <{name}>\n#include <{name}>\nint header_alone;\n"
            yield path, C, text
            yield path, CPP, text
        elif path.startswith(("src/", "apps/")):
            name = path[len(own_folder(path)) + 1:]
            yield path, C, f"#include \"{name}\"\n#include \"{name}\"\nint header_alone;\n"
    for path in source.files(root, ".c", ".cpp"):
        if os.path.dirname(path) == "tests/headers":
            yield path, CPP if path.endswith(".cpp") else C, source.read(root, path)


def check(root):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda job: compile_text(root, *job), list(jobs(root)))
        return [problem for problem in found if problem]


if __name__ == "__main__":
    source.main(check)

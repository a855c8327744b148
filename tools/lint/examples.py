#!/usr/bin/python3
"""Examples: every whole C program in a page compiles against the public headers."""

import os
import re
import subprocess

import source

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^```c\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = ["gcc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O2", "-c", "-o", os.devnull,
           "-x", "c", "-I" + os.path.join(REPOSITORY, "include"), "-"]


def check_page(root, path):
    problems = []
    text = source.read(root, path)
    for block in BLOCK.finditer(text):
        if "int main(" not in block.group(1):
            continue
        result = subprocess.run(COMMAND, input=block.group(1), capture_output=True, text=True,
                                check=False)
        if result.returncode != 0:
            line = text.count("\n", 0, block.start()) + 1
            problems.append(source.Problem(path, line, "this example does not compile:\n" +
                                           result.stderr.rstrip()))
    return problems


def check(root):
    return [problem for path in source.files(root, ".md") for problem in check_page(root, path)]

#!/usr/bin/python3
"""Function size: no function of src/ or apps/ is longer than a screen.

The layout that clang-format gives makes this simple: a function's braces stand
alone in the first column, and nothing else's do. So blocks that are compiled
for another machine only are measured too.
"""

import source

LINES_MAX = 70


def check(root):
    problems = []
    for path in source.files(root, ".c", ".h"):
        if not path.startswith(("src/", "apps/", "include/")):
            continue
        opened = None
        for number, line in enumerate(source.code_of(source.read(root, path)).splitlines(), 1):
            if line.rstrip() == "{":
                opened = number
            elif line.startswith("}") and opened is not None:
                if number - opened + 1 > LINES_MAX:
                    problems.append(source.Problem(
                        path, opened, f"a function of {number - opened + 1} lines: split it "
                        f"({LINES_MAX} at most)"))
                opened = None
    return problems


if __name__ == "__main__":
    source.main(check)

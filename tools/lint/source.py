#!/usr/bin/python3
"""What the checks share: finding files, looking past comments, telling problems.

A check is a module with `check(root)` that returns a list of Problem.
"""

import collections
import os
import re
import subprocess
import sys

Problem = collections.namedtuple("Problem", "path line message")

THIRD_PARTY = "third_party/"
SKIPPED_FOLDERS = re.compile(r"^(build.*|\..*|__pycache__|node_modules)$")
COMMENT_OR_STRING = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def files(root, *suffixes):
    """Paths relative to root of the files git tracks or would track, sorted; not others' code."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if git.returncode == 0:
        paths = [path for path in git.stdout.decode().split("\0") if path]
    else:  # Not a checkout, or not our own: look at what is there.
        paths = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted({path for path in paths if not suffixes or path.endswith(suffixes)
                   if not path.startswith(THIRD_PARTY) and os.path.isfile(os.path.join(root, path))})


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def code_of(text):
    """The text with comments and strings blanked; line numbers stay."""
    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return COMMENT_OR_STRING.sub(blank, text)


def main(check):
    """The command line of one check: CHECK.py [ROOT]."""
    root = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ZEROG_ROOT", ".")
    problems = check(root)
    for problem in problems:
        print(f"{problem.path}:{problem.line}: {problem.message}")
    sys.exit(1 if problems else 0)

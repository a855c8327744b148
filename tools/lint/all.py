#!/usr/bin/python3
"""Runs every check; one case each. all.py [--tidy]"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys

import banned
import examples
import format as layout
import function_size
import headers
import layers
import measured
import paths
import reference
import refused
import source
import symbols
import vendored

CHECKS = [("layers", layers), ("headers", headers), ("banned", banned),
          ("function_size", function_size), ("symbols", symbols), ("format", layout),
          ("paths", paths), ("examples", examples), ("reference", reference), ("refused", refused),
          ("measured", measured), ("vendored", vendored)]
# Compiles what others wrote.
NOT_OURS = {"src/mem/guest/guest_mimalloc.c"}
TIDY_FILE_SECONDS_MAX = 120
TIDY_LINE = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): (.+)$")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tidy_file(path):
    command = ["clang-tidy", "--quiet", "-p", "build-asan", path]
    try:
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace",
                                timeout=TIDY_FILE_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return [source.Problem(path, 1, f"clang-tidy took over {TIDY_FILE_SECONDS_MAX} s")]
    problems = []
    for line in result.stdout.splitlines():
        found = TIDY_LINE.match(line)
        if found:
            where = os.path.relpath(os.path.normpath(os.path.join(ROOT, "build-asan",
                                                                  found.group(1))), ROOT)
            problems.append(source.Problem(where, int(found.group(2)), found.group(3)))
    if result.returncode != 0 and not problems:
        return [source.Problem(path, 1, "clang-tidy failed:\n" + result.stdout.rstrip())]
    return problems


def tidy():
    """clang-tidy over what the clang build compiles, by .clang-tidy."""
    with open(os.path.join(ROOT, "build-asan", "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    compiled = sorted({os.path.relpath(os.path.normpath(os.path.join(entry["directory"],
                                                                     entry["file"])), ROOT)
                       for entry in entries} - NOT_OURS)
    problems = set()  # A header's problem shows in every file that includes it.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for count, found in enumerate(pool.map(tidy_file, compiled), 1):
            problems.update(found)
            print(f"# clang-tidy: {count} of {len(compiled)}", file=sys.stderr, flush=True)
    return sorted(problems)


def main():
    failed = 0
    runs = [(name, lambda module=module: module.check(ROOT)) for name, module in CHECKS]
    if "--tidy" in sys.argv[1:]:
        runs.append(("clang-tidy", tidy))
    for number, (name, run) in enumerate(runs, 1):
        problems = run()
        print(f"{'not ok' if problems else 'ok'} {number} - {name}", flush=True)
        for problem in problems:
            print(f"{problem.path}:{problem.line}: {problem.message}", flush=True)
        failed += bool(problems)
    print(f"1..{len(runs)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

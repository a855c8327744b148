#!/usr/bin/python3
"""Runs fuzz targets of build-fuzz/ for a bounded time each.

    fuzz.py [--tap] [NAME] [SECONDS]

New inputs gather in build-fuzz/corpus/NAME; tests/fuzz/corpus/NAME, where it
exists, is the seed. An input that fails is kept in build-fuzz/failures/.
"""

import glob
import os
import subprocess
import sys

ROOT = os.environ["ZEROG_ROOT"]
BUILD = os.path.join(ROOT, "build-fuzz")
SECONDS_DEFAULT = 60
INPUT_SECONDS_MAX = 5
MEMORY_MB_MAX = 2048


def target_names():
    sources = glob.glob(os.path.join(ROOT, "tests", "fuzz", "*_fuzz.c"))
    return sorted(os.path.basename(source)[:-2] for source in sources)


def run(name, seconds):
    """Returns the target's exit code; its own report goes to our standard error."""
    program = os.path.join(BUILD, name)
    if not os.path.exists(program):
        print(f"# {name} was not built: add it to tests/fuzz/meson.build", flush=True)
        return 1
    corpus = os.path.join(BUILD, "corpus", name)
    failures = os.path.join(BUILD, "failures", "")
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(failures, exist_ok=True)
    command = [program, f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS_MAX}",
               f"-rss_limit_mb={MEMORY_MB_MAX}", f"-artifact_prefix={failures}{name}-",
               "-print_final_stats=1", corpus]
    seed = os.path.join(ROOT, "tests", "fuzz", "corpus", name)
    if os.path.isdir(seed):
        command.append(seed)
    dictionary = os.path.join(ROOT, "tests", "fuzz", name + ".dict")
    if os.path.exists(dictionary):
        command.append(f"-dict={dictionary}")
    return subprocess.run(command, cwd=BUILD, stdin=subprocess.DEVNULL, check=False).returncode


def main():
    arguments = sys.argv[1:]
    tap = "--tap" in arguments
    names = target_names()
    seconds = SECONDS_DEFAULT
    chosen = names
    for argument in arguments:
        if argument == "--tap":
            continue
        if argument.isdigit() and int(argument) > 0:
            seconds = int(argument)
            continue
        chosen = [name for name in names if name in (argument, argument + "_fuzz")]
        if not chosen:
            sys.exit(f"fuzz: no target '{argument}'; there are: {' '.join(names) or 'none'}")
    if not chosen:
        sys.exit("fuzz: there is no tests/fuzz/*_fuzz.c")

    failed = 0
    if tap:
        print(f"1..{len(chosen)}", flush=True)
    for index, name in enumerate(chosen, 1):
        if not tap:
            print(f"fuzz: {name} for {seconds} s", flush=True)
        good = run(name, seconds) == 0
        failed += not good
        if tap or not good:
            print(f"{'ok' if good else 'not ok'} {index} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

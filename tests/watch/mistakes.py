"""What the tests of the tools share: the program that makes one mistake a run."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS_MAX = 60

MISTAKES = (
    "pool_overrun",
    "pool_use_after_give",
    "pool_use_before_take",
    "shared_overrun",
    "shared_use_after_give",
    "arena_overrun",
    "arena_use_after_reset",
    "arena_use_after_restore",
    "arena_use_of_a_chunk_after_reset",
    "arena_overrun_in_a_chunk",
)


def program(build, name):
    return os.path.join(ROOT, build, name)


def run(*command, **options):
    """Runs a command to its end: (exit status, all it wrote)."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                            timeout=SECONDS_MAX, check=False, **options)
    return result.returncode, result.stdout

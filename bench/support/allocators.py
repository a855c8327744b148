"""The allocators that are compared, each as a command line of its own process."""

import ctypes.util
import json
import os
import subprocess

import subjects

# Name: which program, and what it is called there.
OURS = {"typed-pool": "typed-pool-{size}", "pool": "pool", "shared-pool": "shared-pool",
        "arena": "arena", "guest-heap": "guest-heap"}
# Those of ours that two threads may use at once.
SHARED = ("shared-pool", "guest-heap")
# Name: the library that takes malloc's place; None is glibc's own.
GENERAL = {"glibc": None, "mimalloc": "mimalloc", "jemalloc": "jemalloc",
           "tcmalloc": "tcmalloc_minimal", "rpmalloc": "rpmalloc", "snmalloc": "snmalloc"}
# Not in Debian 12: told of only where they are there.
RARE = ("rpmalloc", "snmalloc")
# What the harness costs, with nothing in it.
TIMER = "timer"


def libraries():
    """What each general allocator is preloaded from, by name; those that are missing are not in."""
    found = {"glibc": ""}
    for name, library in GENERAL.items():
        path = library and ctypes.util.find_library(library)
        if path:
            found[name] = path
    return found


def environment(preload):
    """Our own environment, with another malloc in it, or with none."""
    known = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if preload:
        known["LD_PRELOAD"] = preload
    return known


def program(name):
    path = subjects.BUILD / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built; \"./dev build\" makes it.")
    return str(path)


class Allocator:
    """One subject: how it is started, and what it said."""

    def __init__(self, name, preload=""):
        self.name = name
        self.preload = preload
        self.is_ours = name in OURS
        self.is_general = not self.is_ours and name != TIMER
        self.is_shared = not self.is_ours or name in SHARED

    def measure(self, size, *flags):
        """Run the harness once on objects of a size (0: mixed); what it printed, as a dictionary."""
        inner = OURS.get(self.name, TIMER if self.name == TIMER else "malloc")
        command = [program("alloc_zerog" if self.is_ours else "alloc_general"),
                   "--subject", inner.format(size=size), "--size", str(size), *map(str, flags)]
        outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=300, env=environment(self.preload), check=False)
        # The dynamic linker only tells, and goes on with glibc's malloc, when it cannot preload.
        if outcome.returncode != 0 or outcome.stderr:
            raise RuntimeError(f"{self.name} failed ({outcome.returncode}): "
                               f"{outcome.stderr.strip()[-400:]}")
        return json.loads(outcome.stdout)


def built():
    """Those of ours that the program was built with."""
    listed = subprocess.run([program("alloc_zerog"), "--list"], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=True).stdout.split()
    return [name for name, inner in OURS.items() if inner.format(size=0) in listed]


def everyone():
    """All subjects that are there, in the order of the tables."""
    return ([Allocator(TIMER)] + [Allocator(name) for name in built()]
            + [Allocator(name, preload) for name, preload in libraries().items()])


def missing():
    """General allocators that a Debian 12 would have, and this machine has not."""
    found = libraries()
    return [name for name in GENERAL if name not in found and name not in RARE]

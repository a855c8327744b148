#!/usr/bin/python3
"""Symbols: what libzerog.a defines begins with zg_ or zgi_, and what it lacks is no malloc.

The second half sees what a search through the text cannot: malloc taken as a
function pointer, or called by a macro of somebody else's header.
"""

import os
import re
import subprocess

import source
from banned import HEAP

LIBRARIES = [os.path.join("build", name) for name in ("libzerog-memory.a", "libzerog-pmem.a",
                                                     "libzerog.a")]
OURS = re.compile(r"^zgi?_[a-z0-9_]+$")
MEMBER = re.compile(r"^.*\[(.+)\]:$")
HOOKS = re.compile(r"(^|_)seal_(hooks|names)\.c\.o$")
MIMALLOC = re.compile(r"(^|_)guest_mimalloc\.c\.o$")  # its realpath() alone frees what glibc gave
HOOK_NAMES = set(HEAP) | {"malloc_usable_size", "getaddrinfo"}
# The compiler's own: sanitizers, coverage, personality; and the mark by which probes find each other.
COMPILER = re.compile(r"^(__asan|__ubsan|__odr_asan|__sancov|__start_|__stop_|_\.stapsdt\.base$)")


ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def member_source(member):
    """src_io_uring_queue.c.o, as Meson names it, is src/io/uring_queue.c: a _ that stands where a
    folder ends was a slash."""
    folder, rest = "", re.sub(r"\.o$", "", member)
    while "_" in rest:
        name, after = rest.split("_", 1)
        if not os.path.isdir(os.path.join(ROOT, folder, name)):
            break
        folder, rest = os.path.join(folder, name), after
    return os.path.join(folder, rest)


def check_listing(listing):
    """Looks through what `nm -A`-like POSIX output says, one member after another."""
    problems = []
    member = "?"
    for line in listing.splitlines():
        header = MEMBER.match(line)
        if header:
            member = header.group(1)
            continue
        fields = line.split()
        if len(fields) < 2:
            continue
        name, kind = fields[0], fields[1]
        hooks = HOOKS.search(member)
        if kind in "Uw":
            if name in HEAP and not hooks and not MIMALLOC.search(member):
                problems.append(source.Problem(member_source(member), 1,
                                               f"uses {name}: memory comes from the plan"))
        elif kind.isupper() and not OURS.match(name) and not COMPILER.match(name) \
                and not (hooks and name in HOOK_NAMES):
            problems.append(source.Problem(
                member_source(member), 1,
                f"exports {name}: make it static, or name it zg_ (public) or zgi_ (ours)"))
    return problems


def check_library(root, library):
    result = subprocess.run(["nm", "--extern-only", "--format=posix", os.path.join(root, library)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                            check=False)
    if result.returncode != 0:
        return [source.Problem(library, 1, "run ./dev build first: " + result.stderr.strip())]
    return check_listing(result.stdout)


def check(root):
    return [problem for library in LIBRARIES for problem in check_library(root, library)]


if __name__ == "__main__":
    source.main(check)

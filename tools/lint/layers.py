#!/usr/bin/python3
"""Layers: a folder includes only itself and those above it; only src/io talks to the network, and
only the seam of src/pmem to persistent memory."""

import re

import source

# From the top down. A file may include from its own row and the rows before it.
ORDER = ["base", "mem", "pmem", "io", "http", "web", "server", "cli"]
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.MULTILINE)
NETWORK_HEADERS = {"sys/socket.h", "sys/epoll.h", "sys/sendfile.h", "liburing.h",
                   "linux/io_uring.h", "netdb.h", "poll.h", "sys/poll.h"}
# The seal makes no network call either: it names what it keeps others from.
NETWORK_FILES = {"src/mem/seal/seal_names.c", "src/mem/seal/seal_rules.c",
                 "src/mem/seal/seal_ways.c"}
# What would store, flush or fence beside the seam would be in no crash image.
PMEM_HEADERS = {"libpmem.h", "libpmem2.h", "libpmemobj.h"}
PMEM_FILES = {"src/pmem/map.c", "src/pmem/persist.c"}
# The images of crashes, for tests alone.
CRASH_HEADER = "pmem/crash.h"
CRASH_FILE = "src/pmem/crash.c"
NETWORK_FOLDERS = ("src/io/", "src/cli/", "tests/", "bench/")


def folder_problem(path, mark, name):
    """What is wrong with including `name` from `path`, or None."""
    parts = path.split("/")
    if path.startswith("include/"):
        if mark == '"':
            return "a public header is included as <zerog/x.h>"
        return None
    if parts[0] == "apps":
        if mark == '"' and name.split("/")[0] in ORDER:
            return "an application includes only <zerog.h>, <zerog/x.h> and its own files"
        return None
    if parts[0] != "src" or mark == "<":
        return None

    own = parts[1]
    if own not in ORDER:
        return f"src/{own} is not in the list of folders: add it to tools/lint/layers.py"
    target = name.split("/")[0]
    if "/" not in name or target not in ORDER:
        return f"write the folder: \"{own}/{name}\""
    if ORDER.index(target) > ORDER.index(own):
        return f"src/{own} may not know src/{target}: turn the dependency round or move the code"
    return None


def check(root):
    problems = []
    for path in source.files(root, ".c", ".h"):
        text = source.read(root, path)
        for found in INCLUDE.finditer(text):
            mark, name = found.groups()
            line = text.count("\n", 0, found.start(1)) + 1
            message = folder_problem(path, mark, name)
            if message:
                problems.append(source.Problem(path, line, message))
            if name in NETWORK_HEADERS and path not in NETWORK_FILES \
                    and not path.startswith(NETWORK_FOLDERS) and not path.endswith("_test.c"):
                problems.append(source.Problem(
                    path, line, f"<{name}>: only src/io makes network calls; ask it through io/io.h"))
            if name in PMEM_HEADERS and path not in PMEM_FILES:
                problems.append(source.Problem(
                    path, line, f"<{name}>: stores, flushes and fences pass the seam of "
                    "<zerog/pmem.h>"))
            if name == CRASH_HEADER and path != CRASH_FILE and path.startswith(("src/", "apps/")) \
                    and not path.endswith(("_test.c", "_fixture.c", "_fixture.h", "_model.c")):
                problems.append(source.Problem(
                    path, line, f"\"{name}\" is for tests: it is not in the library"))
    return problems


if __name__ == "__main__":
    source.main(check)

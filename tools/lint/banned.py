#!/usr/bin/python3
"""Banned functions: memory comes from the plan, and every buffer is given its size."""

import re

import source

HEAP = ("malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf "
        "posix_memalign aligned_alloc memalign valloc pvalloc getline getdelim open_memstream "
        "scandir").split()
# function: what to use instead
UNSAFE = {
    "strcpy": "zg_text_append()", "stpcpy": "zg_text_append()", "strncpy": "zg_text_append()",
    "strcat": "zg_text_append()", "strncat": "zg_text_append()",
    "sprintf": "snprintf() with its result checked", "vsprintf": "vsnprintf()",
    "gets": "fgets()", "strtok": "a slice", "alloca": "a scratch",
    "scanf": "a parser that checks ranges", "sscanf": "a parser that checks ranges",
    "atoi": "a parser that checks ranges", "atol": "a parser that checks ranges",
    "atoll": "a parser that checks ranges", "atof": "a parser that checks ranges",
    "getaddrinfo": "a numeric address (it allocates, and waits for the network)",
    "gethostbyname": "a numeric address (it allocates, and waits for the network)",
    "gmtime": "gmtime_r()", "localtime": "localtime_r()", "asctime": "strftime()",
    "ctime": "strftime()", "rand": "a seeded generator", "tmpnam": "mkstemp()",
    "system": "posix_spawn()", "popen": "posix_spawn()",
}
# Sound in a test, which may start programs and wait.
TEST_ALLOWED = {"system", "popen"}
# Where the heap belongs, and why.
HEAP_ALLOWED = {
    "src/mem/arena/arena_malloc.c": "in this build every allocation is to be the tools' to watch",
    "src/mem/seal/seal_hooks.c": "it is the malloc that the seal watches",
}


def pattern(names):
    # Not a member (x->free) and not part of a longer name (zg_pool_free).
    return re.compile(r"(?<![\w.>])(" + "|".join(sorted(names)) + r")\s*\(")


HEAP_CALL = pattern(HEAP)
UNSAFE_CALL = pattern(UNSAFE)


def check(root):
    problems = []
    for path in source.files(root, ".c", ".h"):
        code = source.code_of(source.read(root, path))
        in_library = path.startswith(("src/", "include/", "apps/"))
        is_test = path.endswith("_test.c")
        for number, line in enumerate(code.splitlines(), 1):
            for found in UNSAFE_CALL.finditer(line):
                name = found.group(1)
                if name in TEST_ALLOWED and not (in_library and not is_test):
                    continue
                problems.append(source.Problem(path, number,
                                               f"{name}() is banned: use {UNSAFE[name]}"))
            if in_library and not is_test and path not in HEAP_ALLOWED:
                for found in HEAP_CALL.finditer(line):
                    problems.append(source.Problem(
                        path, number, f"{found.group(1)}() is banned: memory comes from the plan "
                        "(a region, a pool, an arena, a scratch)"))
    return problems


if __name__ == "__main__":
    source.main(check)

#!/usr/bin/python3
"""Every check must be able to fail: each is fed a bad sample, and a good one."""

import hashlib
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

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

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Sample(unittest.TestCase):
    """A small tree of its own, which a check looks at."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-lint-")
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def assert_found(self, module, path, line, word):
        problems = module.check(self.root)
        self.assertEqual([(path, line)], [problem[:2] for problem in problems])
        self.assertIn(word, problems[0].message)

    def assert_clean(self, module):
        self.assertEqual([], module.check(self.root))


class Layers(Sample):
    def test_a_lower_folder_is_refused(self):
        self.write("src/mem/pool.c", '\n#include "web/router.h"\n')
        self.assert_found(layers, "src/mem/pool.c", 2, "src/web")

    def test_an_include_without_its_folder_is_refused(self):
        self.write("src/mem/pool.c", '#include "arena.h"\n')
        self.assert_found(layers, "src/mem/pool.c", 1, '"mem/arena.h"')

    def test_a_public_header_that_knows_the_sources_is_refused(self):
        self.write("include/zerog/pool.h", '#include "mem/pool.h"\n')
        self.assert_found(layers, "include/zerog/pool.h", 1, "<zerog/x.h>")

    def test_an_application_that_knows_the_sources_is_refused(self):
        self.write("apps/hello/main.c", '#include "server/shard.h"\n')
        self.assert_found(layers, "apps/hello/main.c", 1, "<zerog.h>")

    def test_a_folder_nobody_listed_is_refused(self):
        self.write("src/other/a.c", '#include "base/assert.h"\n')
        self.assert_found(layers, "src/other/a.c", 1, "src/other")

    def test_network_calls_outside_io_are_refused(self):
        self.write("src/http/parser.c", "#include <sys/socket.h>\n")
        self.assert_found(layers, "src/http/parser.c", 1, "src/io")

    def test_persistent_memory_beside_the_seam_is_refused(self):
        self.write("src/pmem/journal.c", "#include <libpmem.h>\n")
        self.assert_found(layers, "src/pmem/journal.c", 1, "the seam")

    def test_the_harness_of_crashes_is_refused_outside_of_tests(self):
        self.write("src/pmem/journal.c", '#include "pmem/crash.h"\n')
        self.write("src/pmem/journal_crash_test.c", '#include "pmem/crash.h"\n')
        self.assert_found(layers, "src/pmem/journal.c", 1, "for tests")

    def test_the_order_itself_is_accepted(self):
        self.write("src/web/router.c", '#include "base/assert.h"\n#include "web/router.h"\n'
                   "#include <zerog/pool.h>\n")
        self.write("src/io/epoll.c", "#include <sys/epoll.h>\n")
        self.assert_clean(layers)


class Banned(Sample):
    def test_malloc_is_refused(self):
        self.write("src/web/a.c", "void f(void)\n{\n\tmalloc(1);\n}\n")
        self.assert_found(banned, "src/web/a.c", 3, "plan")

    def test_strcpy_is_refused_in_tests_too(self):
        self.write("tests/integration/a.c", "void f(char *a)\n{\n\tstrcpy(a, a);\n}\n")
        self.assert_found(banned, "tests/integration/a.c", 3, "strcpy")

    def test_getaddrinfo_is_refused(self):
        self.write("src/io/listen.c", "int x = getaddrinfo (0, 0, 0, 0);\n")
        self.assert_found(banned, "src/io/listen.c", 1, "numeric address")

    def test_comments_strings_members_and_longer_names_are_accepted(self):
        self.write("src/web/a.c", '/* malloc(1) */ // free(x)\nconst char *s = "malloc(";\n'
                   "void f(void) { pool->free(1); zg_pool_free(2); }\n")
        self.write("src/mem/seal/seal_hooks.c", "void f(void)\n{\n\tfree(0);\n}\n")
        self.assert_clean(banned)


class FunctionSize(Sample):
    def function(self, lines):
        return "int f(void)\n{\n" + "\tg();\n" * (lines - 2) + "}\n"

    def test_one_line_too_many_is_refused(self):
        self.write("src/web/a.c", self.function(71))
        self.assert_found(function_size, "src/web/a.c", 2, "71 lines")

    def test_seventy_lines_are_accepted(self):
        self.write("src/web/a.c", self.function(70))
        self.assert_clean(function_size)


class Headers(Sample):
    def test_a_header_that_needs_another_is_refused(self):
        self.write("src/mem/a.h", "#pragma once\nsize_t a(void);\n")
        self.assert_found(headers, "src/mem/a.h", 1, "as C:")

    def test_a_public_header_that_is_no_cpp_is_refused(self):
        self.write("include/zerog/a.h", "#pragma once\nint a(int class);\n")
        self.assert_found(headers, "include/zerog/a.h", 1, "as C++:")

    def test_a_header_without_a_guard_is_refused(self):
        self.write("src/mem/a.h", "struct a {\n\tint b;\n};\n")
        self.assert_found(headers, "src/mem/a.h", 1, "as C:")

    def test_a_header_that_stands_alone_is_accepted(self):
        self.write("include/zerog/a.h", "#pragma once\n#include <stddef.h>\nsize_t a(void);\n")
        self.assert_clean(headers)


class Refused(Sample):
    GOOD = "int main(void)\n{\n#if MISTAKE == 1\n\treturn nothing;\n#endif\n\treturn 0;\n}\n"

    def test_a_mistake_that_compiles_is_found(self):
        self.write("tests/headers/refused/a.c", self.GOOD.replace("nothing", "1"))
        problems = refused.check(self.root)
        self.assertEqual([3] * len(refused.LANGUAGES), [problem.line for problem in problems])
        self.assertIn("mistake 1 compiles as C with gcc", problems[0].message)

    def test_a_sample_that_is_wrong_without_a_mistake_is_found(self):
        self.write("tests/headers/refused/a.c", "int main(void)\n{\n\treturn nothing;\n}\n")
        self.assertIn("nothing is wrong", refused.check(self.root)[0].message)

    def test_a_refused_mistake_is_accepted(self):
        self.write("tests/headers/refused/a.c", self.GOOD)
        self.assert_clean(refused)


class Symbols(unittest.TestCase):
    def test_a_name_that_is_not_ours_is_refused(self):
        problems = symbols.check_listing("lib.a[src_mem_pool_pool.c.o]:\npool_take T 0 1\n")
        self.assertEqual(1, len(problems))
        self.assertIn("pool_take", problems[0].message)
        self.assertEqual("src/mem/pool/pool.c", problems[0].path)

    def test_the_use_of_malloc_is_refused(self):
        problems = symbols.check_listing("lib.a[src_mem_pool.c.o]:\nmalloc U\n")
        self.assertEqual(1, len(problems))

    def test_our_names_and_the_hooks_are_accepted(self):
        self.assertEqual([], symbols.check_listing(
            "lib.a[src_mem_pool.c.o]:\nzg_pool_take T 0 1\nzgi_pool_count D 0 1\nmemcpy U\n"
            "lib.a[src_mem_seal_seal_hooks.c.o]:\nmalloc T 0 1\nfree T 0 1\n"))

    def test_a_library_that_is_not_there_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(len(symbols.LIBRARIES), len(symbols.check(folder)))


class Format(Sample):
    def setUp(self):
        super().setUp()
        with open(os.path.join(REPOSITORY, ".clang-format"), encoding="utf-8") as file:
            self.write(".clang-format", file.read())

    def test_four_spaces_are_refused(self):
        self.write("src/web/a.c", "int f(void)\n{\n    return 0;\n}\n")
        # clang-format counts from the end of the line before.
        self.assert_found(layout, "src/web/a.c", 2, "clang-format -i src/web/a.c")

    def test_the_house_layout_is_accepted(self):
        self.write("src/web/a.c", "int f(void)\n{\n\treturn 0;\n}\n")
        self.assert_clean(layout)


class Paths(Sample):
    def test_a_machine_path_is_refused(self):
        self.write("docs/a.md", "one\nsee /" + "work/main/a.c\n")
        self.assert_found(paths, "docs/a.md", 2, "repository's root")

    def test_a_package_host_is_refused(self):
        self.write("docs/a.md", "https://" + "registry.example.com/x\n")
        self.assert_found(paths, "docs/a.md", 1, "machine")

    def test_a_template_for_mkdtemp_is_accepted(self):
        self.write("src/io/a_test.c", 'char folder[] = "/' + 'tmp/zerog-XXXXXX";\n')
        self.assert_clean(paths)

    def test_other_paths_are_accepted(self):
        self.write("docs/a.md", "src/work/a.c /var/lib/zerog /proc/self/status https://a.example/\n")
        self.assert_clean(paths)


class Examples(Sample):
    def test_a_program_that_does_not_compile_is_refused(self):
        self.write("docs/a.md", "text\n```c\nint main(void)\n{\n\treturn zg_none();\n}\n```\n")
        self.assert_found(examples, "docs/a.md", 2, "zg_none")

    def test_a_program_on_the_public_headers_is_accepted(self):
        self.write("docs/a.md", "```c\n#include <zerog.h>\n\nint main(void)\n{\n\treturn 0;\n}\n```\n")
        self.assert_clean(examples)

    def test_a_fragment_is_not_compiled(self):
        self.write("docs/a.md", "```c\nzg_get(&app, path, handler);\n```\n")
        self.assert_clean(examples)


class Reference(Sample):
    HELP = "Flags:\n\n  --shards  (threads; default 0)\n      Threads that serve.\n"
    RULES = "brk that moves        0        the heap\nmmap                  ENOMEM   memory\n"

    def setUp(self):
        super().setUp()
        for program, text in (("build/hello", self.HELP), ("build/zerog", self.RULES)):
            self.write(program, "#!/bin/sh\nprintf '%s' '" + text + "'\n")
            os.chmod(os.path.join(self.root, program), 0o755)
        self.write("docs/reference/options.md", reference.render_options(self.HELP))
        self.write("docs/reference/seal.md", reference.render_seal(self.RULES))

    def test_a_page_that_lacks_a_flag_is_refused(self):
        self.write("docs/reference/options.md", reference.OPTIONS_HEAD)
        self.assert_found(reference, "docs/reference/options.md", 1, "./dev docs")

    def test_a_page_that_lacks_a_rule_is_refused(self):
        self.write("docs/reference/seal.md", reference.SEAL_HEAD)
        self.assert_found(reference, "docs/reference/seal.md", 1, "./dev docs")

    def test_fresh_pages_are_accepted(self):
        self.assertIn("| `--shards` | threads; default 0 | Threads that serve. |",
                      reference.render_options(self.HELP))
        self.assertIn("| brk that moves | 0 | the heap |\n| mmap | ENOMEM | memory |",
                      reference.render_seal(self.RULES))
        self.assert_clean(reference)


class Vendored(Sample):
    FILES = {"LICENSE": "MIT", "src/alloc.c": "int a;\n", "include/mimalloc.h": "int b;\n"}

    def setUp(self):
        super().setUp()
        for name, text in self.FILES.items():
            self.write("third_party/mimalloc/" + name, text)
        self.write(vendored.SUMS, "".join(
            f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n"
            for name, text in self.FILES.items()))

    def test_a_changed_file_is_refused(self):
        self.write("third_party/mimalloc/src/alloc.c", "int a = 1;\n")
        self.assert_found(vendored, vendored.SUMS, 2, "src/alloc.c was changed")

    def test_a_file_that_is_gone_is_refused(self):
        os.remove(os.path.join(self.root, "third_party/mimalloc/include/mimalloc.h"))
        self.assert_found(vendored, vendored.SUMS, 3, "is not there")

    def test_a_file_that_was_added_is_refused(self):
        self.write("third_party/mimalloc/src/more.c", "")
        self.assert_found(vendored, vendored.SUMS, 1, "src/more.c has no checksum")

    def test_unchanged_files_and_our_own_header_are_accepted(self):
        self.write("third_party/mimalloc/include/zerog_mimalloc.h", "")
        self.assert_clean(vendored)


class Measured(Sample):
    def setUp(self):
        super().setUp()
        machine = {"cpus": 2, "cpu": "CPU", "memory_mib": 2048, "kernel": "6.1"}
        row = {"subject": "zerog-uring", "metric": "requests_per_second", "value": 1234.5}
        for name in ("connections", "http"):
            self.write(f"bench/results/{name}.json", json.dumps(
                {"machine": machine, "rows": [row], "targets": []}))

    def test_a_figure_that_no_bench_wrote_is_refused(self):
        self.write("README.md", measured.BEGIN + "| 9,999,999 requests/s |\n" + measured.END)
        self.assert_found(measured, "README.md", 1, "./dev docs")

    def test_figures_without_marks_are_refused(self):
        self.write("README.md", "fast\n")
        self.assert_found(measured, "README.md", 1, "marks")

    def test_what_docs_writes_is_accepted(self):
        self.write("README.md", "# x\n" + measured.BEGIN + measured.END + "more\n")
        measured.write(self.root)
        self.assertIn("| zerog-uring | 1,234 |", source.read(self.root, "README.md"))
        self.assert_clean(measured)

    def test_a_bench_has_its_table_and_targets_once_it_was_measured(self):
        rows = [{"subject": "pool", "metric": "fixed64_pairs_ns", "value": 2.25}]
        targets = [{"name": "pairs", "target": "<= 3", "measured": 2.25, "met": True},
                   {"name": "others", "target": "<= 1", "measured": None, "met": None}]
        self.write("bench/results/alloc.json", json.dumps({"rows": rows, "targets": targets}))
        text = measured.render(self.root)
        self.assertRegex(text, r"\| pool \|  \|  \| 2\.2 \|")
        self.assertIn("| pairs | <= 3 | 2.25 | yes |", text)
        self.assertNotIn("others", text)

    def test_the_lab_tells_of_its_peers_and_places_and_says_what_was_not_measured(self):
        rows = [{"subject": "gin", "metric": "memory_million", "value": 19671e6},
                {"subject": "gin", "metric": "open_1000_max_us", "value": 9647}]
        self.write("bench/results/lab.json", json.dumps({
            "command": "./dev lab", "rows": rows,
            "peers": [{"name": "gin", "title": "Gin", "claimed_memory_mb": 112}],
            "places": [{"what": "pause", "place": 2, "of": 9, "zerog": "3 us", "best": "1 us",
                        "first": "h2o"}]}))
        text = measured.render(self.root)
        self.assertIn("| Gin | 112 | 19,671 | – | – | – | 9,647 | – | – |", text)
        self.assertIn("| pause | 2 of 9 | 3 us | 1 us | h2o |", text)

    def test_the_layout_has_its_table_once_it_was_measured(self):
        self.assertNotIn("./dev bench layout", measured.render(self.root))
        rows = [{"subject": "one-line", "metric": "count_ns", "value": 5.5},
                {"subject": "split", "metric": "walk_random_ns", "value": 7}]
        self.write("bench/results/layout.json", json.dumps({"rows": rows, "targets": []}))
        self.assertRegex(measured.render(self.root),
                         r"\| one-line \| 5\.50 \|  \|  \|\n\| split \|  \|  \| 7\.00 \|")


if __name__ == "__main__":
    unittest.main()

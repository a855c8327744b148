#!/usr/bin/python3
"""What `meson install` leaves is enough: programs are built from it with pkg-config alone."""

import os
import subprocess
import tempfile
import unittest

BUILD = os.environ["ZEROG_BUILD"]

MEMORY_PROGRAM = r"""
#include <stdio.h>
#include <zerog/memory.h>

int main(void)
{
	static unsigned char memory[4096] __attribute__((aligned(ZG_ARENA_ALIGNMENT)));
	struct zg_arena arena;
	void *bytes;

	if (zg_arena_init(&arena, &(struct zg_arena_options){
				.memory = memory, .memory_size = sizeof(memory)}) < 0)
		return 1;
	if (zg_arena_alloc(&arena, 100, &bytes) < 0)
		return 1;
	zg_arena_fini(&arena);
	puts("memory");
	return 0;
}
"""

PMEM_PROGRAM = r"""
#include <stdio.h>
#include <zerog/pmem.h>

int main(int argc, char **argv)
{
	struct zg_pmem map;

	(void)argc;
	if (zg_pmem_open(&map, &(struct zg_pmem_options){
				.path = argv[1], .size = 100, .create = true}, NULL) < 0)
		return 1;
	zg_pmem_store(&map, 0, "kept", 4);
	zg_pmem_flush(&map, 0, 4);
	if (zg_pmem_fence(&map) < 0)
		return 1;
	zg_pmem_close(&map);
	puts("kept");
	return 0;
}
"""

SERVICE_PROGRAM = r"""
#include <zerog.h>

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "service");
	zg_get(&app, "/", hello);
	return zg_app_main(&app, argc, argv);
}
"""


def run(command, **more):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if result.returncode != 0:
        raise AssertionError(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        run(["/usr/bin/meson", "install", "-C", BUILD, "--no-rebuild", "--destdir",
             cls.folder.name])
        prefix = os.path.join(cls.folder.name, "usr", "local")
        library = next(folder for folder, _, files in os.walk(prefix) if "zerog.pc" in files)
        cls.prefix = prefix
        cls.environment = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": cls.folder.name,
                           "PKG_CONFIG_PATH": library}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def make(self, package, program):
        """The path of a program compiled against one installed package."""
        flags = run(["pkg-config", "--cflags", "--libs", "--static", package],
                    env=self.environment).split()
        # The system's own libraries are not below the sysroot.
        flags = [flag for flag in flags if not flag.startswith("-L") or self.folder.name in flag]
        output = os.path.join(self.folder.name, package + "-program")
        run(["gcc", "-x", "c", "-O2", "-Wall", "-Werror", "-", "-o", output, *flags],
            input=program)
        return output

    def test_a_program_with_no_http_in_sight(self):
        program = self.make("zerog-memory", MEMORY_PROGRAM)
        self.assertEqual(run([program]), "memory\n")
        self.assertNotIn("liburing", run(["ldd", program]))
        symbols = run(["nm", program])
        for word in ("zgi_http_", "zgi_io_", "zgi_server_", "zg_app_"):
            self.assertNotIn(word, symbols)

    def test_a_program_with_persistent_memory_and_no_http(self):
        program = self.make("zerog-pmem", PMEM_PROGRAM)
        file = os.path.join(self.folder.name, "kept.zg")
        self.assertEqual(run([program, file]), "kept\n")
        self.assertGreater(os.path.getsize(file), 4096)
        self.assertNotIn("liburing", run(["ldd", program]))
        self.assertNotIn("zgi_http_", run(["nm", program]))

    def test_a_service(self):
        program = self.make("zerog", SERVICE_PROGRAM)
        self.assertIn("exchanges", run([program, "--plan"]))
        self.assertNotIn("libpmem", run(["ldd", program]))

    def test_the_command(self):
        plan = run([os.path.join(self.prefix, "bin", "zerog"), "plan", "--connections", "100"])
        self.assertIn("connection slots", plan)

    def test_the_notice_of_what_is_inside_the_library(self):
        path = os.path.join(self.prefix, "share", "doc", "zerog", "mimalloc-LICENSE")
        with open(path, encoding="utf-8") as file:
            self.assertIn("MIT License", file.read())

    def test_no_internal_header_is_installed(self):
        files = [os.path.relpath(os.path.join(folder, name), self.prefix)
                 for folder, _, names in os.walk(os.path.join(self.prefix, "include"))
                 for name in names]
        self.assertIn("include/zerog.h", files)
        self.assertEqual([], [name for name in files
                              if name != "include/zerog.h" and
                              not name.startswith("include/zerog/")])

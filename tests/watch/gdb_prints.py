#!/usr/bin/python3
"""gdb shows handles, pools and arenas as tools/gdb/zerog.py has them."""

import os
import shutil
import unittest

from mistakes import ROOT, program, run

BUILDS = ("release",)
PRINTERS = os.path.join(ROOT, "tools", "gdb", "zerog.py")


def gdb(name, arguments, *commands):
    """What gdb says to some commands about a program."""
    lines = ["set confirm off", "set debuginfod enabled off", f"source {PRINTERS}", *commands]
    options = [part for line in lines for part in ("-ex", line)]
    return run("gdb", "-nx", "-batch", *options, "--args", program("build", name), *arguments)[1]


class Printers(unittest.TestCase):
    def setUp(self):
        if shutil.which("gdb") is None:
            self.skipTest("there is no gdb")

    def stop_at_give(self, *commands):
        """In the first round of a program whose one pool is also its arena's."""
        output = gdb("mistakes", ["clean"], "break zg_pool_give", "run", *commands)
        if "ptrace" in output:
            self.skipTest("a program may not be traced here")
        return output

    def test_handles_pools_and_arenas(self):
        output = self.stop_at_give("print handle", "print 'mistakes.c'::pool",
                                   "print 'mistakes.c'::arena", "print *pool", "zerog-pools")
        pool = '"blocks": 2 taken, 2 free (2 at least) of 4 blocks of 100 bytes, 0 refused'
        self.assertIn("$1 = tag 1, index 1, generation 1", output)
        self.assertIn(f"$2 = {pool}", output)
        self.assertIn('from "blocks"', output)
        self.assertIn(f"$4 = {pool}", output)
        self.assertRegex(output, rf"0x[0-9a-f]+ pool {pool}".replace("(", r"\(")
                         .replace(")", r"\)"))

    def test_what_was_not_made_yet(self):
        output = gdb("mistakes", ["clean"], "print 'mistakes.c'::pool",
                     "print 'mistakes.c'::arena", "print (zg_handle){0}", "zerog-pools")
        self.assertIn("$1 = no pool: not initialised, or ended", output)
        self.assertIn("$2 = no arena: not initialised, or ended", output)

    def test_slices_and_the_pools_of_a_service(self):
        # What a service says first ends with a slice of one byte.
        output = gdb("hello", ["--listen", "127.0.0.1:0", "--io", "epoll", "--shards", "1"],
                     "break zg_text_append", "run", "print bytes", "zerog-pools")
        if "ptrace" in output:
            self.skipTest("a program may not be traced here")
        self.assertIn(r'$1 = "\n"', output)
        self.assertIn('"exchanges": 0 taken, 512 free', output)
        self.assertIn('"arena chunks": 0 taken, 32 free', output)


if __name__ == "__main__":
    unittest.main()

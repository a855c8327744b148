#!/usr/bin/python3
"""What a malloc after the seal does: it is counted and its site shown, or it ends the process."""

import signal
import unittest

from support import Service, check_clean


class SealModes(unittest.TestCase):
    def test_count_counts_and_shows_the_site(self):
        with Service("test_service", "--seal", "count") as service:
            for count in (1, 2, 3):
                self.assertEqual(service.ask("/malloc").body, b"allocated")
                memory = service.memory()
                self.assertEqual(memory["mallocs_since_seal"], count)
                self.assertEqual(memory["frees_since_seal"], count)
                self.assertEqual([site["count"] for site in memory["malloc_sites"]], [count])
            self.assertEqual(service.metric("zerog_mallocs_since_seal_total"), 3)
            self.assertRegex(service.ask("/memory").body.decode(),
                             r"malloc called from 0x[0-9a-f]+: 3 times")
            check_clean(self, service, malloc_count=3)

    def test_trap_aborts_and_shows_the_stack(self):
        with Service("test_service", "--seal", "trap") as service:
            with service.client() as client, self.assertRaises((EOFError, ConnectionResetError)):
                client.ask("/malloc")
            self.assertEqual(service.wait(), -signal.SIGABRT)
            self.assertRegex(service.log(), r"malloc after the seal, from:\n(.*\[0x[0-9a-f]+\]\n)+")

    def test_trap_serves_who_does_not_allocate(self):
        with Service("test_service", "--seal", "trap") as service:
            with service.client() as client:
                for target in ("/dump/a%20b?c=d", "/slow?ms=10", "/large?size=100000", "/fail",
                               "/nowhere", "/metrics", "/memory", "/memory?format=json"):
                    self.assertNotEqual(client.ask(target).body, b"")
                self.assertEqual(client.post("/dump", b"x" * 16_000).reply().status, 500)
            check_clean(self, service)


if __name__ == "__main__":
    unittest.main()

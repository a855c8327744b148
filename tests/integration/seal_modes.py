#!/usr/bin/python3
"""What a malloc after the seal does: it is counted and its site shown, it ends the process, or
the kernel has no more for it."""

import signal
import time
import unittest

from support import Service, check_clean, has_kernel_seal, run

NO_KERNEL_SEAL = "a sanitizer's build, or a container that forbids system call filters"


class SealModes(unittest.TestCase):
    def test_count_counts_and_shows_the_site(self):
        with Service("test_service", "--seal", "count") as service:
            for count in (1, 2, 3):
                self.assertEqual(service.ask("/malloc").body, b"allocated")
                memory = service.memory()
                self.assertEqual(memory["mallocs_since_seal"], count)
                self.assertEqual(memory["frees_since_seal"], count)
                self.assertEqual([site["count"] for site in memory["malloc_sites"]], [count])
                self.assertRegex(memory["malloc_sites"][0]["site"], r"^test_service\+0x[0-9a-f]+$")
            self.assertEqual(service.metric("zerog_mallocs_since_seal_total"), 3)
            self.assertRegex(service.ask("/memory").body.decode(),
                             r"malloc called from test_service\+0x[0-9a-f]+: 3 times")
            check_clean(self, service, malloc_count=3)

    def check_told(self, mode):
        with Service("hello", "--seal", mode) as service:
            self.assertIn(f"; seal {mode}; ", service.log())
            self.assertRegex(service.ask("/memory").body.decode(), rf"(?m)^seal +{mode}$")
            self.assertEqual(service.memory()["seal"], mode)

    def test_a_service_tells_its_seal(self):
        for mode in ("count", "trap"):
            with self.subTest(mode):
                self.check_told(mode)

    @unittest.skipUnless(has_kernel_seal(), NO_KERNEL_SEAL)
    def test_a_service_tells_that_the_kernel_seals_it(self):
        self.check_told("kernel")

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

    @unittest.skipUnless(has_kernel_seal(), NO_KERNEL_SEAL)
    def test_kernel_serves_and_drains(self):
        with Service("hello", "--seal", "kernel") as service:
            with open(f"/proc/{service.pid}/status", encoding="utf-8") as file:
                self.assertIn("Seccomp:\t2\n", file.read())
            with service.client() as client:
                for _ in range(200):
                    client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 50)
                    for _ in range(50):
                        self.assertEqual(client.reply().body, b"Hello")
                for target in ("/json", "/nowhere", "/metrics", "/memory", "/memory?format=json"):
                    self.assertNotEqual(client.ask(target).body, b"")
                self.assertEqual(client.post("/echo", b"x" * 60_000).reply().status, 200)
            for _ in range(100):
                self.assertEqual(service.ask("/").status, 200)
            check_clean(self, service)

    @unittest.skipUnless(has_kernel_seal(), NO_KERNEL_SEAL)
    def test_kernel_counts_what_the_heap_still_has(self):
        with Service("test_service", "--seal", "kernel") as service:
            self.assertEqual(service.ask("/malloc").body, b"allocated")
            check_clean(self, service, malloc_count=1)

    @unittest.skipUnless(has_kernel_seal(), NO_KERNEL_SEAL)
    def test_kernel_lets_a_request_in_flight_end(self):
        with Service("test_service", "--seal", "kernel") as service, service.client() as client:
            client.get("/slow?ms=600")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            self.assertEqual(client.reply().status, 200)
            self.assertEqual(service.wait(), 0)

    @unittest.skipIf(has_kernel_seal(), "here it is to be had")
    def test_kernel_is_refused_by_name_where_it_is_not_to_be_had(self):
        status, _, errors = run("hello", "--seal", "kernel", "--listen", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assertRegex(errors, "--seal kernel is not to be had here.*use --seal count")


if __name__ == "__main__":
    unittest.main()

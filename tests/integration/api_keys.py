#!/usr/bin/python3
"""Keys for the routes of who runs the service, and what pages say of themselves."""

import hashlib
import tempfile
import unittest

from support import Service, check_clean, run

KEY = "correct-horse-battery-staple"
OTHER_KEY = "another-key-of-more-than-sixteen"


class ApiKeys(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile("w", prefix="zerog-keys-")
        self.addCleanup(self.file.close)
        self.write(f"# keys\nrefunds {KEY}\n"
                   f"import sha256:{hashlib.sha256(OTHER_KEY.encode()).hexdigest()}\n")

    def write(self, text):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()

    def test_known_keys_let_in(self):
        with Service("session_service", "--api-keys-file", self.file.name) as service:
            with service.client() as client:
                for field, name in ((f"Authorization: Bearer {KEY}", b"refunds"),
                                    (f"X-API-Key: {OTHER_KEY}", b"import")):
                    reply = client.post("/refund", b"", field).reply()
                    self.assertEqual((reply.status, reply.body), (200, name))
                for fields in ((), ("X-API-Key: wrong",), (f"X-API-Key: {KEY}x",),
                               ("Authorization: Bearer",), (f"Authorization: Basic {KEY}",)):
                    with self.subTest(fields=fields):
                        reply = client.post("/refund", b"", *fields).reply()
                        self.assertEqual(reply.status, 401)
                        self.assertTrue(reply.field("WWW-Authenticate").startswith("Bearer"))
            # The pages need a key themselves, for "Host: test" may be anybody's.
            reply = service.ask("/metrics", f"X-API-Key: {KEY}")
            self.assertIn(b"\nzerog_api_keys_refused_total 5\n", reply.body)
            self.assertEqual(service.stop(), 0, service.log())

    def test_admin_pages_are_open_to_this_machine_only(self):
        with Service("session_service", "--api-keys-file", self.file.name) as service:
            host = f"Host: 127.0.0.1:{service.port}"
            with service.client() as client:
                def status(target, *fields):
                    lines = [f"GET {target} HTTP/1.1", *fields, "", ""]
                    return client.send("\r\n".join(lines).encode()).reply().status

                for target in ("/memory", "/memory.json", "/metrics", "/leaks"):
                    with self.subTest(target=target):
                        self.assertEqual(status(target, host), 200)
                        self.assertEqual(status(target, "Host: shop.example"), 401)
                        self.assertEqual(status(target, host, "X-Forwarded-For: 192.0.2.1"), 401)
                        self.assertEqual(status(target, "Host: shop.example",
                                                f"X-API-Key: {KEY}"), 200)
                self.assertEqual(status("/healthz", "Host: shop.example"), 200)
            self.assertEqual(service.stop(), 0, service.log())

    def test_without_a_file_guarded_routes_are_closed_and_admin_pages_open(self):
        with Service("session_service") as service:
            with service.client() as client:
                reply = client.post("/refund", b"", f"X-API-Key: {KEY}").reply()
            self.assertEqual(reply.status, 403)
            self.assertIn(b"--api-keys-file", reply.body)
            check_clean(self, service)

    def refused(self, *arguments):
        status, stdout, stderr = run("session_service", *arguments)
        self.assertEqual((status, stdout), (1, ""), stderr)
        return stderr

    def test_file_that_cannot_be_read_is_told(self):
        error = self.refused("--api-keys-file", "/nowhere/at/all")
        self.assertIn("--api-keys-file /nowhere/at/all", error)
        self.assertIn("No such file", error)

    def test_mistake_in_the_file_is_told_with_its_line(self):
        self.write(f"refunds {KEY}\nimport short\n")
        error = self.refused("--api-keys-file", self.file.name)
        self.assertIn(f"{self.file.name}:2: ", error)
        self.assertNotIn("short", error.replace(self.file.name, ""))
        self.write("x" * 70000)
        self.assertIn("larger than", self.refused("--api-keys-file", self.file.name))

    def test_page_has_its_security_fields(self):
        with Service("session_service") as service:
            reply = service.ask("/page")
            for name, part in (("Content-Security-Policy", "frame-ancestors 'none'"),
                               ("X-Content-Type-Options", "nosniff"),
                               ("X-Frame-Options", "DENY"),
                               ("Referrer-Policy", "same-origin")):
                self.assertIn(part, reply.field(name))
            check_clean(self, service)


if __name__ == "__main__":
    unittest.main()

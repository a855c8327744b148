#!/usr/bin/python3
"""What a client everybody has sees: curl over IPv4, IPv6 and a Unix socket."""

import os
import shutil
import subprocess
import tempfile
import unittest

from support import Client, Service, ServiceCase, check_clean, has_ipv6


def curl(*arguments):
    """(status, body) of one request."""
    result = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20",
                             "--write-out", "\n%{http_code}", *arguments],
                            stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"curl ended with {result.returncode}: {result.stderr.decode()}")
    body, status = result.stdout.rsplit(b"\n", 1)
    return int(status), body


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(ServiceCase):
    def test_get_says_hello(self):
        self.assertEqual(curl(self.service.url + "/"), (200, b"Hello"))

    def test_json_is_json(self):
        self.assertEqual(curl(self.service.url + "/json"), (200, b'{"message":"Hello"}'))

    def test_head_has_the_length_and_no_body(self):
        status, text = curl("--head", self.service.url + "/")
        self.assertEqual(status, 200)
        self.assertIn(b"Content-Length: 5\r\n", text)
        self.assertTrue(text.endswith(b"\r\n\r\n"))

    def test_echo_answers_every_method_with_its_body(self):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            with self.subTest(method=method):
                self.assertEqual(curl("--request", method, "--data", "the body",
                                      self.service.url + "/echo"), (200, b"the body"))

    def test_unknown_path_is_404(self):
        self.assertEqual(curl(self.service.url + "/nowhere")[0], 404)

    def test_large_upload_comes_back_whole(self):
        body = os.urandom(60_000)
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            # curl asks with Expect: 100-continue when it is told to.
            for fields in ([], ["--header", "Expect: 100-continue"],
                           ["--header", "Transfer-Encoding: chunked"]):
                with self.subTest(fields=fields):
                    self.assertEqual(curl(*fields, "--data-binary", "@" + file.name,
                                          self.service.url + "/echo"), (200, body))

    def test_http_1_0_is_served(self):
        self.assertEqual(curl("--http1.0", self.service.url + "/"), (200, b"Hello"))

    def test_one_connection_serves_many_requests(self):
        urls = [self.service.url + "/"] * 20
        result = subprocess.run(["curl", "--silent", "--write-out", "%{num_connects}", *urls],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                check=True)
        self.assertEqual(result.stdout, "Hello1" + "Hello0" * 19)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class OtherAddresses(unittest.TestCase):
    @unittest.skipUnless(has_ipv6(), "there is no IPv6 here")
    def test_ipv6(self):
        with Service("hello", listen="[::1]:0") as service:
            self.assertEqual(curl(service.url + "/"), (200, b"Hello"))
            check_clean(self, service)

    @unittest.skipUnless(has_ipv6(), "there is no IPv6 here")
    def test_every_address_means_ipv4_too(self):
        with Service("hello", listen="[::]:0") as service:
            service.address = ("127.0.0.1", service.port)
            self.assertEqual(curl(service.url + "/"), (200, b"Hello"))
            check_clean(self, service)

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "hello.sock")
            with Service("hello", listen="unix:" + path) as service:
                self.assertEqual(curl("--unix-socket", path, "http://any/"), (200, b"Hello"))
                with Client(path) as client:
                    self.assertEqual(client.ask("/json").json(), {"message": "Hello"})
                check_clean(self, service)
            self.assertFalse(os.path.exists(path), "the socket file was left behind")


if __name__ == "__main__":
    unittest.main()

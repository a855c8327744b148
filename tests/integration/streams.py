#!/usr/bin/python3
"""Bodies of any length: uploads taken piece by piece, replies made so."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from support import REPLY_SECONDS_MAX, Service, check_clean


def fnv(data):
    value = 0x811c9dc5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xffffffff
    return value


def chunked(data, size):
    parts = []
    for offset in range(0, len(data), size):
        part = data[offset:offset + size]
        parts.append(b"%x\r\n%s\r\n" % (len(part), part))
    return b"".join(parts) + b"0\r\n\r\n"


ROWS = b"".join(b"%d,a product,%d.99\n" % (index, index % 100) for index in range(20_000))


class StreamCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="zerog-streams-")
        os.makedirs(os.path.join(cls.folder, "public", "sub"))
        cls.service = Service("bodies_service", "--handler-timeout-ms", 2000, cwd=cls.folder)

    @classmethod
    def tearDownClass(cls):
        try:
            check_clean(unittest.TestCase(), cls.service)
        finally:
            cls.service.kill()
            shutil.rmtree(cls.folder)

    def client(self, **options):
        client = self.service.client(**options)
        self.addCleanup(client.close)
        return client


class Uploads(StreamCase):
    def expect(self, data):
        return {"size": len(data), "rows": data.count(b"\n"), "hash": fnv(data)}

    def test_rows_far_larger_than_a_body_may_be(self):
        client = self.client()
        for _ in range(2):
            reply = client.post("/upload", ROWS).reply()
            self.assertEqual(reply.json(), self.expect(ROWS))

    def test_chunked_rows(self):
        client = self.client()
        for size in (7, 1000, 100_000):
            data = ROWS[:ROWS.index(b"\n", 30_000) + 1]
            client.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + chunked(data, size))
            self.assertEqual(client.reply().json(), self.expect(data))

    def test_requests_behind_an_upload(self):
        client = self.client()
        client.post("/upload", b"a\nb\n").get("/rows?count=0").post("/upload", b"c\n")
        self.assertEqual(client.reply().json()["rows"], 2)
        while b"0\r\n\r\n" not in client.buffered:
            client.receive()
        client.buffered = client.buffered.split(b"0\r\n\r\n", 1)[1]
        self.assertEqual(client.reply().json()["rows"], 1)

    def test_handler_that_waits_holds_the_client_back(self):
        client = self.client()
        data = b"x" * 63 + b"\n"
        data = data * (8_000_000 // 64)
        # Longer than a handler may take: what is left of it is over before the others are.
        client.get("/upload?wait=3000", f"Content-Length: {len(data)}", method="POST")
        client.socket.settimeout(0.5)
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < len(data):
                sent += client.socket.send(data[sent:sent + 65536])
        self.assertLess(sent, len(data))
        client.socket.settimeout(REPLY_SECONDS_MAX)
        self.assertEqual(client.reply().status, 503)

    def test_handler_that_waits_is_resumed(self):
        reply = self.client().post("/upload?wait=1", ROWS[:100_000] + b"\n").reply()
        self.assertEqual(reply.json()["size"], 100_001)

    def test_early_reply_ends_the_connection(self):
        client = self.client()
        client.get("/upload", f"Content-Length: {10_000_000}", method="POST")
        client.send(b"row\nstop\n" + b"x" * 1000)
        reply = client.reply()
        self.assertEqual((reply.status, reply.body), (400, b"stopped"))
        self.assertEqual(reply.field("Connection"), "close")
        self.assertTrue(client.has_ended(3))

    def test_early_reply_is_not_lost_while_the_client_sends(self):
        client = self.client()
        client.get("/upload", f"Content-Length: {200_000}", method="POST")
        client.send(b"stop\n" + b"x" * 150_000)
        self.assertEqual(client.reply().status, 400)

    def test_who_is_denied_sends_nothing(self):
        client = self.client()
        client.get("/upload?deny=1", "Content-Length: 1000000", "Expect: 100-continue",
                   method="POST")
        self.assertEqual(client.reply().status, 401)

    def test_too_large(self):
        client = self.client()
        client.get("/upload", f"Content-Length: {1 << 30}", method="POST")
        self.assertEqual(client.reply().status, 413)

    def test_row_that_never_ends(self):
        client = self.client()
        client.get("/upload", "Content-Length: 100000", method="POST").send(b"x" * 20_000)
        self.assertEqual(client.reply().status, 413)

    def test_clients_that_leave_in_the_middle(self):
        for wait in (0, 300):
            for _ in range(10):
                client = self.service.client()
                client.get(f"/upload?wait={wait}", "Content-Length: 1000000", method="POST")
                client.send(ROWS[:50_000])
                client.reset()
        time.sleep(0.5)
        self.assertEqual(self.client().post("/upload", b"a\n").reply().status, 200)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_waits_to_be_told_to_go_on(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(ROWS)
            file.flush()
            result = subprocess.run(
                ["curl", "--silent", "--show-error", "--verbose", "--max-time", "20",
                 "--header", "Expect: 100-continue", "--data-binary", "@" + file.name,
                 self.service.url + "/upload"], capture_output=True, check=True)
            self.assertIn(b"100 Continue", result.stderr)
            self.assertIn(b'"rows": 20000', result.stdout)


class Replies(StreamCase):
    def rows(self, count):
        return b"".join(b"row %d\n" % index for index in range(count))

    def body(self, raw):
        """A chunked body taken apart, which must be whole."""
        parts = []
        while True:
            line, raw = raw.split(b"\r\n", 1)
            size = int(line, 16)
            if size == 0:
                self.assertEqual(raw, b"\r\n")
                return b"".join(parts)
            parts.append(raw[:size])
            self.assertEqual(raw[size:size + 2], b"\r\n")
            raw = raw[size + 2:]

    def ask(self, target):
        client = self.client()
        client.get(target, "Connection: close")
        head, raw = client.rest().split(b"\r\n\r\n", 1)
        self.assertIn(b"Transfer-Encoding: chunked", head)
        return raw

    def test_many_rows(self):
        self.assertEqual(self.body(self.ask("/rows?count=100000")), self.rows(100_000))

    def test_no_row(self):
        self.assertEqual(self.body(self.ask("/rows?count=0")), b"")

    def test_rows_now_and_then(self):
        started = time.monotonic()
        self.assertEqual(self.body(self.ask("/rows?count=10&wait=30")), self.rows(10))
        self.assertGreater(time.monotonic() - started, 0.25)

    def test_broken_off(self):
        self.assertFalse(self.ask("/rows?count=100&fail=50").endswith(b"0\r\n\r\n"))

    def test_old_client(self):
        client = self.client()
        client.send(b"GET /rows?count=1000 HTTP/1.0\r\n\r\n")
        head, body = client.rest().split(b"\r\n\r\n", 1)
        self.assertNotIn(b"chunked", head)
        self.assertEqual(body, self.rows(1000))

    def test_slow_peer(self):
        client = self.client(receive_buffer_size=4096)
        client.get("/rows?count=200000", "Connection: close")
        time.sleep(0.3)
        self.assertEqual(self.body(client.rest().split(b"\r\n\r\n", 1)[1]), self.rows(200_000))

    def test_clients_that_leave_in_the_middle(self):
        def leave():
            client = self.service.client(receive_buffer_size=4096)
            client.get("/rows?count=10000000").receive()
            client.reset()

        threads = [threading.Thread(target=leave) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.body(self.ask("/rows?count=3")), self.rows(3))

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        result = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20",
                                 self.service.url + "/rows?count=5000"],
                                capture_output=True, check=True)
        self.assertEqual(result.stdout, self.rows(5000))


if __name__ == "__main__":
    unittest.main()

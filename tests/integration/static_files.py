#!/usr/bin/python3
"""Files of a folder: from memory and from descriptors, whole and in part, to quick and slow peers."""

import gzip
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from support import Service, check_clean

LARGE_SIZE = 3_000_000


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="zerog-files-")
        public = os.path.join(cls.folder, "public")
        os.makedirs(os.path.join(public, "sub"))
        cls.large = os.urandom(LARGE_SIZE)
        cls.write("large.bin", cls.large)
        cls.write("page.html", b"<p>page")
        cls.write("sub/app.js", b"let a = 1;\n" * 1000)
        cls.write("sub/app.js.gz", gzip.compress(b"let a = 1;\n" * 1000))
        cls.write("sub/index.html", b"<p>sub")
        with open(os.path.join(cls.folder, "secret"), "wb") as file:
            file.write(b"secret")
        cls.service = Service("bodies_service", cwd=cls.folder)

    @classmethod
    def tearDownClass(cls):
        try:
            check_clean(unittest.TestCase(), cls.service)
        finally:
            cls.service.kill()
            shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, data):
        with open(os.path.join(cls.folder, "public", name), "wb") as file:
            file.write(data)

    def client(self, **options):
        client = self.service.client(**options)
        self.addCleanup(client.close)
        return client

    def test_small_file(self):
        reply = self.client().ask("/assets/page.html")
        self.assertEqual((reply.status, reply.body), (200, b"<p>page"))
        self.assertEqual(reply.field("Content-Type"), "text/html; charset=utf-8")

    def test_large_file_is_whole_each_time(self):
        client = self.client()
        for _ in range(3):
            self.assertTrue(client.ask("/assets/large.bin").body == self.large)

    def test_large_file_to_a_slow_peer(self):
        client = self.client(receive_buffer_size=4096)
        client.get("/assets/large.bin")
        time.sleep(0.3)
        self.assertTrue(client.reply().body == self.large)

    def test_ranges_of_a_large_file(self):
        client = self.client()
        for first, last in ((0, 0), (1, 100_000), (LARGE_SIZE - 5, LARGE_SIZE - 1), (65_535, 65_537)):
            reply = client.ask("/assets/large.bin", f"Range: bytes={first}-{last}")
            self.assertEqual(reply.status, 206)
            self.assertEqual(reply.field("Content-Range"), f"bytes {first}-{last}/{LARGE_SIZE}")
            self.assertTrue(reply.body == self.large[first:last + 1])

    def test_pipelined_files_stay_in_order(self):
        client = self.client()
        for _ in range(4):
            client.get("/assets/large.bin").get("/assets/page.html")
        for _ in range(4):
            self.assertTrue(client.reply().body == self.large)
            self.assertEqual(client.reply().body, b"<p>page")

    def test_conditions(self):
        client = self.client()
        reply = client.ask("/assets/large.bin")
        for field in (f"If-None-Match: {reply.field('ETag')}",
                      f"If-Modified-Since: {reply.field('Last-Modified')}"):
            self.assertEqual(client.ask("/assets/large.bin", field).status, 304)
        reply = client.ask("/assets/large.bin", "Range: bytes=0-1", 'If-Range: "other"')
        self.assertEqual(len(reply.body), LARGE_SIZE)

    def test_compressed_sibling(self):
        client = self.client()
        reply = client.ask("/assets/sub/app.js", "Accept-Encoding: gzip, deflate")
        self.assertEqual(reply.field("Content-Encoding"), "gzip")
        self.assertEqual(gzip.decompress(reply.body), b"let a = 1;\n" * 1000)
        self.assertEqual(client.ask("/assets/sub/app.js").body, b"let a = 1;\n" * 1000)

    def test_head(self):
        client = self.client()
        reply = client.ask("/assets/large.bin", method="HEAD")
        self.assertEqual(reply.field("Content-Length"), str(LARGE_SIZE))
        self.assertEqual(client.ask("/assets/page.html").body, b"<p>page")

    def test_folders(self):
        client = self.client()
        self.assertEqual(client.ask("/assets/sub/").body, b"<p>sub")
        self.assertEqual(client.ask("/assets/sub").field("Location"), "/assets/sub/")
        self.assertEqual(client.ask("/assets/").status, 404)
        self.assertEqual(client.ask("/forever/app.js").field("Cache-Control"),
                         "max-age=31536000, immutable")

    def test_no_path_leads_out(self):
        client = self.client()
        for path in ("/assets/../secret", "/assets/%2e%2e/secret", "/assets/..%2fsecret",
                     "/assets/sub/../../secret", "/assets//etc/passwd", "/assets/%00"):
            reply = client.ask(path)
            self.assertEqual(reply.status, 404, path)

    def test_peers_that_leave_in_the_middle(self):
        for _ in range(20):
            client = self.service.client(receive_buffer_size=4096)
            client.get("/assets/large.bin").receive()
            client.reset()
        self.assertEqual(self.client().ask("/assets/page.html").status, 200)

    def test_file_that_shrinks_while_it_is_sent_ends_the_connection(self):
        data = os.urandom(2_000_000)
        # In place, so that the open file is the one that changes.
        client = self.client(receive_buffer_size=4096)
        try:
            client.get("/assets/large.bin").receive()
            with open(os.path.join(self.folder, "public", "large.bin"), "r+b") as file:
                file.truncate(1000)
            with self.assertRaises((EOFError, ConnectionResetError)):
                client.reply()
            self.assertEqual(self.client().ask("/assets/large.bin").body, self.large[:1000])
        finally:
            del data
            self.write("large.bin", self.large)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_goes_on_where_it_left_off(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.large[:1_000_000])
            file.flush()
            subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--fail",
                            "--continue-at", "-", "--output", file.name,
                            self.service.url + "/assets/large.bin"], check=True)
            with open(file.name, "rb") as whole:
                self.assertTrue(whole.read() == self.large)


class FilesRefused(unittest.TestCase):
    """A folder that cannot be served keeps the service from starting, with a sentence that helps."""

    def started_in(self, folder, *flags):
        with self.assertRaises(AssertionError) as caught:
            Service("bodies_service", *flags, cwd=folder)
        return str(caught.exception)

    def test_no_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn('"public"', self.started_in(folder))

    def test_more_files_than_planned(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "public", "sub"))
            for index in range(3):
                with open(os.path.join(folder, "public", str(index)), "wb"):
                    pass
            self.assertIn("--static-files", self.started_in(folder, "--static-files", 2))

    def test_link_that_leads_out(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "public", "sub"))
            os.symlink("/etc/passwd", os.path.join(folder, "public", "passwd"))
            self.assertIn("passwd", self.started_in(folder))


if __name__ == "__main__":
    unittest.main()

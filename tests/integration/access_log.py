#!/usr/bin/python3
"""The access log: a line a request, whatever becomes of the file; and what is in no line."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from support import Service, check_clean, has_kernel_seal, run

CARD = "4111111111111111"
COMMON = re.compile(r'^- - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                    r'"(.*)" (\d{3}) (\d+)$')


class AccessLog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-access-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "log")

    def serve(self, *flags, program="test_service", path=None, **options):
        service = Service(program, "--access-log", path or self.path, *flags, **options)
        self.addCleanup(service.kill)
        return service

    def lines(self, count, path=None, seconds_max=10):
        """So many lines, once they are there."""
        deadline = time.monotonic() + seconds_max
        while True:
            with open(path or self.path, encoding="utf-8") as file:
                lines = file.read().splitlines()
            if len(lines) >= count or time.monotonic() > deadline:
                self.assertEqual(len(lines), count, lines)
                return lines
            time.sleep(0.01)

    def test_each_request_has_its_line(self):
        service = self.serve()
        with service.client() as client:
            client.ask("/")
            client.ask("/nothing/here")
            client.ask("/", method="HEAD")
            client.post("/echo", b"x" * 100).reply()
        lines = [COMMON.match(line).groups() for line in self.lines(4)]
        self.assertEqual(lines, [("GET / HTTP/1.1", "200", "5"),
                                 ("GET /nothing/here HTTP/1.1", "404", "10"),
                                 ("HEAD / HTTP/1.1", "200", "0"),
                                 ("POST /echo HTTP/1.1", "200", "100")])
        check_clean(self, service)

    def test_json_lines(self):
        service = self.serve("--access-log-format", "json")
        started = time.time()
        with service.client() as client:
            client.ask("/slow?ms=50")
            client.ask('/a"b%22c')
            client.send(b"nonsense\r\n\r\n").reply()
        first, second, third = map(json.loads, self.lines(3))
        self.assertEqual((first["method"], first["path"], first["status"], first["version"]),
                         ("GET", "/slow", 200, "1.1"))
        self.assertGreaterEqual(first["duration_us"], 45000)
        moment = time.mktime(time.strptime(first["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.assertAlmostEqual(moment, started, delta=5)
        self.assertEqual((second["path"], second["status"]), ('/a"b%22c', 404))
        self.assertEqual((third["method"], third["path"], third["status"]), ("-", "", 400))
        check_clean(self, service)

    def test_query_body_fields_and_card_numbers_are_in_no_line(self):
        service = self.serve()
        with service.client() as client:
            client.ask(f"/?card={CARD}", f"X-Card: {CARD}", f"Cookie: card={CARD}",
                       f"Referer: http://a/?{CARD}", f"User-Agent: {CARD}")
            client.post("/echo", f"card={CARD}".encode()).reply()
            client.ask(f"/cards/{CARD}")
            client.ask("/cards/4111-1111-1111-1111/x")
        text = "\n".join(self.lines(4))
        self.assertNotIn("4111", text)
        self.assertNotIn("?", text)
        self.assertIn("GET /cards/**************** HTTP", text)
        check_clean(self, service)

    def test_pipelined_and_refused_requests_are_logged(self):
        service = self.serve()
        with service.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 16)
            for _ in range(16):
                client.reply()
            client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
            self.assertEqual(client.reply().status, 413)
        lines = self.lines(17)
        self.assertIn('"POST /echo HTTP/1.1" 413', lines[16])
        check_clean(self, service)

    def test_body_made_in_pieces_has_no_size(self):
        os.makedirs(os.path.join(self.folder, "public", "sub"))
        service = self.serve(program="bodies_service", cwd=self.folder)
        with service.client() as client:
            client.get("/rows?count=3", "Connection: close").rest()
            self.assertIn('"GET /rows HTTP/1.1" 200 -', self.lines(1)[0])
        check_clean(self, service)

    def test_long_path_is_cut(self):
        service = self.serve()
        service.ask("/" + "a" * 1000)
        line, = self.lines(1)
        self.assertIn('a... HTTP/1.1" 404', line)
        self.assertLess(len(line), 400)
        check_clean(self, service)

    def test_usr1_opens_the_file_anew(self):
        service = self.serve()
        service.ask("/first")
        self.lines(1)
        os.rename(self.path, self.path + ".1")
        service.ask("/second")
        self.lines(2, self.path + ".1")
        service.signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while not os.path.exists(self.path) and time.monotonic() < deadline:
            time.sleep(0.01)
        service.ask("/third")
        line, = self.lines(1)
        self.assertIn("GET /third ", line)
        self.lines(2, self.path + ".1")
        self.assertEqual(service.metric("zerog_access_log_reopened_total"), 1)
        check_clean(self, service)

    def test_without_a_log_usr1_is_harmless(self):
        with Service("hello") as service:
            service.signal(signal.SIGUSR1)
            self.assertEqual(service.ask("/").status, 200)
            check_clean(self, service)

    def test_all_lines_are_there_when_it_has_ended(self):
        service = self.serve("--shards", 2)
        for _ in range(8):
            with service.client() as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
                for _ in range(50):
                    client.reply()
        self.assertEqual(service.stop(), 0)
        self.lines(400, seconds_max=0)

    def test_full_disk_costs_lines_and_no_request(self):
        service = self.serve(path="/dev/full")
        for _ in range(10):
            self.assertEqual(service.ask("/").status, 200)
        deadline = time.monotonic() + 10
        while service.metric("zerog_access_log_failed_total") < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertGreaterEqual(service.metric("zerog_access_log_failed_total"), 10)
        self.assertEqual(service.metric("zerog_access_log_written_total"), 0)
        check_clean(self, service)

    def test_writer_that_cannot_keep_up_costs_lines_and_no_request(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        service = self.serve("--access-log-records", 16, "--shards", 1, path="-", stdout=writer)
        os.close(writer)
        # Nobody reads: once pipe and ring are full, lines are dropped.
        with service.client() as client:
            for _ in range(400):
                client.send(b"GET /files/" + b"a" * 150 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                client.reply()
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 16)
                for _ in range(16):
                    self.assertEqual(client.reply().status, 200)
            text = client.ask("/metrics").body.decode()
        self.assertGreater(int(re.search(r"log_dropped_total (\d+)", text).group(1)), 0)
        service.kill()

    def test_standard_output(self):
        with tempfile.TemporaryFile() as file:
            service = self.serve(path="-", stdout=file)
            service.ask("/")
            self.assertEqual(service.stop(), 0)
            file.seek(0)
            self.assertRegex(file.read().decode(), COMMON.pattern[:-1])

    def test_reader_that_has_gone_is_no_end(self):
        reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
        service = self.serve(path="-", stdout=reader.stdin)
        reader.stdin.close()
        reader.wait()
        for _ in range(3):
            self.assertEqual(service.ask("/").status, 200)
            time.sleep(0.1)
        self.assertTrue(service.is_alive())
        self.assertEqual(service.stop(), 0, service.log())

    @unittest.skipUnless(has_kernel_seal(), "no system call filter can be set here")
    def test_log_and_sessions_need_nothing_that_the_kernel_seal_refuses(self):
        service = self.serve("--seal", "kernel", program="session_service")
        for _ in range(3):
            self.assertEqual(service.ask("/visit").status, 200)
        self.lines(3)
        service.signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while service.metric("zerog_access_log_reopened_total") == 0 \
                and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(service.metric("zerog_access_log_reopened_total"), 1)
        check_clean(self, service)

    def test_file_that_cannot_be_opened_is_told(self):
        status, stdout, stderr = run("hello", "--access-log", "/nowhere/at/all")
        self.assertEqual((status, stdout), (1, ""))
        self.assertIn("--access-log /nowhere/at/all cannot be opened: No such file", stderr)
        self.assertIn("--access-log-format", run("hello", "--access-log-format", "xml")[2])

    def test_log_is_in_the_plan(self):
        text = run("hello", "--plan", "--access-log", self.path)[1]
        self.assertRegex(text, r"(?m)^\s*access records\b")
        self.assertRegex(text, r"(?m)^\s*access log writer\b")
        self.assertFalse(os.path.exists(self.path))
        self.assertNotIn("access", run("hello", "--plan")[1])


if __name__ == "__main__":
    unittest.main()

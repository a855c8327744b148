#!/usr/bin/python3
"""The lab's instruments, held against what is known: conformance, the load generator, the counter."""

import contextlib
import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[0:0] = [str(HERE), str(HERE.parent.parent / "support")]

# pylint: disable=wrong-import-position
import conformance  # noqa: E402
import peers  # noqa: E402
from document import document  # noqa: E402
from processes import Server, free_port  # noqa: E402

BUILD = peers.BUILD
STALL_SECONDS = 0.3

# It allocates as often as it is told, in every way that there is, in itself and in a child.
COUNTED = """
#include <malloc.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void turn(void)
{
	void *volatile memory = malloc(10);

	memory = realloc(memory, 100000); /* a take and a give */
	free(memory);
	memory = calloc(3, 5);
	free(memory);
	memory = realloc(NULL, 7);
	free(memory);
	memory = aligned_alloc(64, 128);
	free(memory);
	free(NULL);
	if (posix_memalign((void **)&memory, 64, 64) == 0)
		free(memory);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	for (int index = 0; index < count; index++)
		turn();
	if (fork() == 0) {
		for (int index = 0; index < count; index++)
			turn();
		_exit(0);
	}
	wait(NULL);
	return 0;
}
"""
TURN_TAKES, TURN_GIVES = 6, 6


class RightHandler(http.server.BaseHTTPRequestHandler):
    """A server that conforms, but for its `fault`."""

    protocol_version = "HTTP/1.1"
    fault = ""

    def answer(self, content_type, body):
        if self.fault in ("status", f"{self.path} status"):
            self.send_response(500)
        else:
            self.send_response(200)
        self.send_header("Content-Type", "text/x-other" if self.fault == f"{self.path} type" else content_type)
        self.send_header("Content-Length", str(len(body)))
        self.close_connection |= self.fault in ("announced end", f"{self.path} end")
        if self.close_connection and self.fault != "silent end":
            self.send_header("Connection", "close")
        if self.fault == "endless":
            self.close_connection = False
        if self.fault == "not kept":
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body[:-1] + b"?" if body and self.fault == f"{self.path} body" else body)

    def do_GET(self):  # pylint: disable=invalid-name
        if self.path == "/json":
            self.answer("application/json", document().encode())
        else:
            self.answer("text/plain; charset=utf-8", b"Hello")

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(self.headers["Content-Type"], body)

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that lab-load is done with reset their connections."""


@contextlib.contextmanager
def serving(fault):
    handler = type("Handler", (RightHandler,), {"fault": fault})
    with QuietServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Conformance(unittest.TestCase):
    def test_a_server_that_does_what_it_should_is_measured(self):
        with serving("") as port:
            conformance.check(port)

    def test_every_way_to_answer_wrongly_is_refused(self):
        for fault, words in (("status", "status of /"), ("/ type", "type of /"), ("/ body", "Hell"),
                             ("/json status", "status of /json"), ("/json type", "type of /json"),
                             ("/json body", "body of /json"), ("/echo status", "status of /echo"),
                             ("/echo type", "type of /echo"), ("/echo body", "body of /echo"),
                             ("not kept", "closed connection"), ("announced end", "not kept alive"),
                             ("/json end", "not kept alive"),
                             ("silent end", "does not say"),
                             ("endless", "is not closed")):
            with self.subTest(fault), serving(fault) as port, \
                    mock.patch.object(conformance, "PATIENCE_SECONDS", 0.3), \
                    self.assertRaisesRegex(conformance.Unfit, words):
                conformance.check(port)

    def test_a_port_at_which_nobody_is_does_not_conform(self):
        with self.assertRaises((conformance.Unfit, OSError)):
            conformance.check(free_port())


class Ours(unittest.TestCase):
    def test_our_own_peer_serves_the_document_byte_for_byte(self):
        peer = peers.load(["zerog-epoll"])[0]
        with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder, peer.start(folder, 100) as server:
            conformance.check(server.port)


    def test_a_peer_that_ends_while_it_is_measured_has_not_been_measured(self):
        peer = peers.load(["zerog-epoll"])[0]
        with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder, \
                self.assertRaisesRegex(RuntimeError, r"ended while it was measured \(-9\)"), \
                peer.start(folder, 100) as server:
            server.process.kill()
            server.process.wait()


class Load(unittest.TestCase):
    """lab-load against servers of which it is known what they do."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-lab-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, port, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen([str(BUILD / "lab-load"), "--connect", f"127.0.0.1:{port}", *words,
                                    "--warmup", "0", "--json", f"{self.folder}/load.json"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        return process

    def seen(self, process):
        self.addCleanup(lambda: process.poll() is None and process.kill())
        process.wait(30)
        return json.loads(Path(self.folder, "load.json").read_text(encoding="utf-8"))

    def test_a_stall_is_charged_for_all_who_waited(self):
        port = free_port()
        command = [str(BUILD / "hello"), "--listen", f"127.0.0.1:{port}", "--io", "epoll", "--shards", "1"]
        with Server(command, port, f"{self.folder}/log") as server:
            process = self.start(port, path="/", connections=20, rate=2000, seconds=1)
            time.sleep(0.4)
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(STALL_SECONDS)
            os.kill(server.pid, signal.SIGCONT)
            seen = self.seen(process)
        self.assertEqual((seen["due"], seen["answered"], seen["errors"]), (2000, 2000, 0))
        self.assertGreater(seen["latency_us"]["max"], STALL_SECONDS * 1e6 * 0.95)
        # 600 of the 2,000 became due while it slept; a closed loop would have sent 20 of them. A tenth of all waited
        # for two thirds of the time, and more.
        self.assertGreater(seen["latency_us"]["p90"], STALL_SECONDS * 1e6 * 0.6)
        self.assertEqual(max(second[3] for second in seen["timeline"]), seen["latency_us"]["max"])
        self.assertEqual(sum(second[1] for second in seen["timeline"]), 2000)

    def test_each_request_that_a_closing_server_does_not_answer_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            def close_all():
                with contextlib.suppress(OSError):
                    while True:
                        client, _ = listener.accept()
                        with client:
                            client.recv(4096)

            thread = threading.Thread(target=close_all, daemon=True)
            thread.start()
            process = self.start(listener.getsockname()[1], path="/", connections=1, rate=50, seconds=1)
            seen = self.seen(process)
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
        self.assertEqual((seen["answered"], seen["errors"], seen["due"]), (0, 50, 50))
        self.assertNotEqual(process.returncode, 0)

    def test_a_reply_that_is_no_success_is_an_error(self):
        with serving("status") as port:
            seen = self.seen(self.start(port, path="/", connections=2, rate=20, seconds=1))
        self.assertEqual((seen["answered"], seen["errors"]), (0, 20))

    def test_a_stall_is_longest_in_the_tenths_of_a_second_in_which_it_was(self):
        port = free_port()
        command = [str(BUILD / "hello"), "--listen", f"127.0.0.1:{port}", "--io", "epoll", "--shards", "1"]
        with Server(command, port, f"{self.folder}/log") as server:
            process = self.start(port, path="/", connections=20, rate=2000, seconds=2)
            time.sleep(0.4)
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(STALL_SECONDS)
            os.kill(server.pid, signal.SIGCONT)
            seen = self.seen(process)
        self.assertEqual(seen["stall_us"]["max"], seen["latency_us"]["max"])
        self.assertLess(seen["stall_us"]["p50"], STALL_SECONDS * 1e6 / 4)

    def test_alone_it_tells_how_late_the_machine_lets_it_be(self):
        process = subprocess.run([str(BUILD / "lab-load"), "--connections", "0", "--rate", "1000", "--seconds", "1",
                                  "--json", f"{self.folder}/load.json"], stdout=subprocess.DEVNULL, check=False)
        seen = json.loads(Path(self.folder, "load.json").read_text(encoding="utf-8"))
        self.assertEqual((process.returncode, seen["due"], seen["answered"], seen["errors"]), (0, 1000, 1000, 0))
        self.assertEqual(seen["latency_us"], seen["lateness_us"])
        self.assertGreater(seen["stall_us"]["p50"], 0)

    def test_connections_need_somebody_to_connect_to(self):
        process = subprocess.run([str(BUILD / "lab-load"), "--connections", "1"], capture_output=True, text=True,
                                 check=False)
        self.assertEqual(process.returncode, 2)
        self.assertIn("usage", process.stderr)

    def test_others_machines_are_refused(self):
        process = subprocess.run([str(BUILD / "lab-load"), "--connect", "192.0.2.1:80"], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(process.returncode, 2)
        self.assertIn("127.x.x.x", process.stderr)


class Counter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="zerog-lab-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.program = f"{cls.folder.name}/counted"
        subprocess.run(["gcc", "-O0", "-fno-builtin", "-x", "c", "-o", cls.program, "-"], input=COUNTED,
                       text=True, check=True)

    def count(self, turns):
        path = Path(self.folder.name, "mallocs")
        path.write_bytes(bytes(16))
        subprocess.run([self.program, str(turns)], check=True, env={
            **os.environ, "LD_PRELOAD": str(BUILD / "lab-counter.so"), "LAB_COUNTER": str(path)})
        return struct.unpack("QQ", path.read_bytes())

    def test_each_call_is_counted_once_in_a_program_and_in_its_child(self):
        takes, gives = self.count(0)
        self.assertLess(takes, 10)
        self.assertEqual(self.count(50), (takes + 2 * 50 * TURN_TAKES, gives + 2 * 50 * TURN_GIVES))

    def test_without_a_file_the_program_runs_as_it_would(self):
        self.assertEqual(subprocess.run([self.program, "50"], check=False, env={
            "LD_PRELOAD": str(BUILD / "lab-counter.so")}).returncode, 0)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Every take fails once: whole requests, for each pool, with n walked upward until no take is left.

Whatever fails, the answer is the right one or a clean refusal, nothing is kept, and the next
request works.
"""

import os
import re
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import support  # noqa: E402  pylint: disable=wrong-import-position

LARGE = bytes(range(256)) * 120  # past an exchange's buffers
LARGE_COPY_SIZE = 40000
TAKES_MAX = 40  # of one pool in one request; more means that the walk does not end
REST_SECONDS_MAX = 5
FLAGS = ("--shards", 1, "--exchanges", 8, "--arena-chunks", 8, "--exchange-wait-ms-max", 0,
         "--guest-heap-size", 4 << 20)


class Dirty(AssertionError):
    """Neither the right answer nor a clean refusal."""


class Ended(Exception):
    """The other side has ended the connection in order, between two answers."""


class TorturedService(support.Service):
    """A service that is told over its standard input which take is to fail."""

    def __init__(self):
        super().__init__("torture_service", *FLAGS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().rstrip("\n")

    def pools(self):
        """Name -> objects taken now."""
        taken = {}
        line = self.tell("pools")
        while line != "ok":
            name, count = re.fullmatch(r"(.+) taken (\d+) of \d+", line).groups()
            taken[name] = taken.get(name, 0) + int(count)
            line = self.process.stdout.readline().decode().rstrip("\n")
        return taken

    def names_that_can_fail(self):
        names = []
        for name in self.pools():
            # A sanitizer's malloc stays in charge: nothing is ever taken from the guest heap.
            if name == "guest heap" and support.has_sanitizer():
                continue
            if self.tell(f"arm {name}:1") == "ok":
                names.append(name)
            self.tell("disarm")
        return names

    def counts(self, name):
        """Takes and faults since it was armed."""
        return tuple(int(number) for number in self.tell(f"read {name}").split())

    def kill(self):
        super().kill()
        self.process.stdin.close()
        self.process.stdout.close()


def read_answer(client, status, body):
    """One answer: the right one, or a refusal. Returns whether the connection goes on."""
    if not client.buffered:
        try:
            if client.receive() == b"":
                raise Ended
        except ConnectionResetError as error:
            raise Dirty("a reset instead of an answer") from error
    reply = client.reply()
    if reply.status == 503:
        if reply.field("Retry-After") is None:
            raise Dirty(f"a refusal without Retry-After: {reply}")
    elif reply.status != status or (body is not None and reply.body != body):
        raise Dirty(f"a wrong answer: {reply}")
    return reply.field("Connection") != "close"


def converse(service, data, answers):
    """Sends requests in one go; then there is an answer to each, or an end in order."""
    with service.client(seconds_max=10) as client:
        try:
            client.send(data)
            for status, body in answers:
                if not read_answer(client, status, body):
                    raise Ended
            # The connection has borne it: it serves on, or refuses as cleanly.
            client.get("/")
            read_answer(client, 200, b"hello")
        except Ended:
            pass
        except (BrokenPipeError, ConnectionResetError, EOFError) as error:
            raise Dirty(f"the connection was cut: {error!r}") from error


def get(target, *fields):
    lines = [f"GET {target} HTTP/1.1", "Host: torture", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(body, *fields):
    lines = ["POST /echo HTTP/1.1", "Host: torture", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def post_chunked(body):
    pieces = [body[start:start + 5000] for start in range(0, len(body), 5000)] + [b""]
    return (b"POST /echo HTTP/1.1\r\nHost: torture\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces))


HELLO = (200, b"hello")
PIECES = (200, b"pieces")
CHUNKS = (200, b"a" * LARGE_COPY_SIZE)
SPILL = (200, b"s" * LARGE_COPY_SIZE)
COPY = (200, b"c" * 4000)
GUESTS = (200, b"guests")
PAGE = (200, None)
SMALL_ECHO = (200, b"small")
LARGE_ECHO = (200, LARGE)

# What is sent, and the answers to it.
REQUESTS = {
    "get": (get("/"), [HELLO]),
    "get with more fields than an exchange has places for":
        (get("/", *(f"X-Field-{number}: {'v' * 30}" for number in range(50))), [HELLO]),
    "pieces": (get("/pieces"), [PIECES]),
    "chunks": (get("/chunks"), [CHUNKS]),
    "copy": (get("/copy"), [COPY]),
    "spill": (get("/spill"), [SPILL]),
    "guests": (get("/guests"), [GUESTS]),
    "guests within a pipeline": (get("/guests") + get("/copy"), [GUESTS, COPY]),
    "small body": (post(b"small"), [SMALL_ECHO]),
    "large body": (post(LARGE), [LARGE_ECHO]),
    "large body in chunks": (post_chunked(LARGE), [LARGE_ECHO]),
    "two large bodies": (post(LARGE) + post(LARGE), [LARGE_ECHO, LARGE_ECHO]),
    "pipelined": (get("/") * 3 + get("/chunks") + post(LARGE) + get("/pieces") + get("/") * 2,
                  [HELLO] * 3 + [CHUNKS, LARGE_ECHO, PIECES] + [HELLO] * 2),
    "pending and resumed": (get("/wait"), [CHUNKS]),
    "pending within a pipeline": (get("/copy") + get("/wait") + post(b"small"),
                                  [COPY, CHUNKS, SMALL_ECHO]),
    "memory page": (get("/memory?format=json"), [PAGE]),
    "metrics page": (get("/metrics"), [PAGE]),
    "memory's events": (get("/memory/events"), [PAGE]),
}
if support.has_sanitizer():  # Its malloc stays in charge, and every guest's would count as ours.
    REQUESTS = {name: request for name, request in REQUESTS.items() if "guests" not in name}


class Torture(unittest.TestCase):
    """One service bears it all."""

    @classmethod
    def setUpClass(cls):
        # It has said "serving on", so that its pools are made; that they can be seen, too.
        cls.service = TorturedService()
        if not cls.service.memory()["pools"]["exchanges"]["total"]:
            raise AssertionError("it serves, but has no pools")
        cls.names = cls.service.names_that_can_fail()

    @classmethod
    def tearDownClass(cls):
        try:
            support.check_clean(unittest.TestCase(), cls.service)
        finally:
            cls.service.kill()

    def check_at_rest(self, what):
        """Nothing is kept, once the service has seen that its clients have gone."""
        deadline = time.monotonic() + REST_SECONDS_MAX
        while any(self.service.pools().get(name) for name in self.names):
            if time.monotonic() > deadline:
                self.fail(f"{what}: it keeps {self.service.pools()}")
            time.sleep(0.002)

    def torture(self, request, name, number, span):
        """Returns whether a take has failed; when none has, the walk is over."""
        what = f"{request}, {name}:{number}{span}"
        self.assertEqual(self.service.tell(f"arm {name}:{number}{span}"), "ok")
        data, answers = REQUESTS[request]
        try:
            converse(self.service, data, answers)
        except Dirty as error:
            self.fail(f"{what}: {error}")
        except TimeoutError:
            self.fail(f"{what}: no answer")
        _, fault_count = self.service.counts(name)
        self.assertTrue(self.service.is_alive(), self.service.log())
        self.service.tell("disarm")
        self.check_at_rest(what)
        # All is well again, for this very request too.
        converse_strictly(self.service, data, answers)
        self.check_at_rest(what)
        return fault_count > 0

    def walk(self, name, span):
        reached = 0
        for request in REQUESTS:
            number = 1
            while self.torture(request, name, number, span):
                number += 1
                self.assertLess(number, TAKES_MAX, f"{request}: takes without end")
            reached = max(reached, number - 1)
        # A walk that never made a take fail has proved nothing.
        self.assertGreater(reached, 0, f"no take of {name} ever failed")

    def test_pools_are_there(self):
        self.assertIn("exchanges", self.names)
        self.assertIn("arena chunks", self.names)
        if not support.has_sanitizer():  # whose malloc stays in charge
            self.assertIn("guest heap", self.names)

    def test_each_take_fails_once(self):
        for name in self.names:
            with self.subTest(name):
                self.walk(name, "")

    def test_each_take_fails_and_all_after_it(self):
        for name in self.names:
            with self.subTest(name):
                self.walk(name, "+")

    def test_what_failed_is_counted(self):
        before = self.service.metric("zerog_takes_made_to_fail_total")
        self.service.tell("arm arena chunks:1")
        self.assertEqual(self.service.ask("/chunks").status, 503)
        self.assertEqual(self.service.counts("arena chunks"), (1, 1))
        self.service.tell("disarm")
        self.assertEqual(self.service.metric("zerog_takes_made_to_fail_total"), before + 1)


def converse_strictly(service, data, answers):
    """Without a fault every answer is the right one."""
    with service.client() as client:
        client.send(data)
        for status, body in answers:
            reply = client.reply()
            if reply.status != status or (body is not None and reply.body != body):
                raise AssertionError(f"after a fault was disarmed: {reply}")


class Environment(unittest.TestCase):
    """A program that knows nothing of faults is armed from outside."""

    def serve(self, faults):
        service = support.Service("hello", "--shards", 1, env={**os.environ, "ZEROG_FAULT": faults})
        self.addCleanup(service.kill)
        return service

    def test_the_nth_take_of_a_service_fails(self):
        service = self.serve("arena chunks:2, exchanges:1000")
        self.assertIn("takes will fail, as ZEROG_FAULT asks for", service.log())
        self.assertEqual([service.ask("/memory").status for _ in range(4)], [200, 503, 200, 200])
        self.assertEqual(service.stop(), 0)

    def test_all_takes_from_the_nth_on_fail(self):
        service = self.serve("arena chunks:2+")
        self.assertEqual([service.ask("/memory").status for _ in range(4)], [200, 503, 503, 503])
        self.assertEqual(service.ask("/").status, 200)

    def refusal(self, faults):
        status, _, error = support.run("hello", "--listen", "127.0.0.1:0", "--io", support.IO,
                                       env={**os.environ, "ZEROG_FAULT": faults})
        self.assertNotEqual(status, 0)
        return error

    def test_a_malformed_value_is_refused(self):
        self.assertIn('ZEROG_FAULT: "exchanges" is no fault: write NAME:N',
                      self.refusal("exchanges"))

    def test_a_misspelt_name_is_refused(self):
        self.assertIn('a fault is armed for "exchange", but nothing has that name; there are '
                      '"exchanges", "arena chunks"', self.refusal("exchange:1"))


if __name__ == "__main__":
    unittest.main()

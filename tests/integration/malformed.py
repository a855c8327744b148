#!/usr/bin/python3
"""Requests that are wrong: the right status, an orderly end, and nobody else is disturbed."""

import unittest

from support import Client, ServiceCase

GET = b"GET / HTTP/1.1\r\nHost: test\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: test\r\n"

# (what is wrong, the request, the status)
CASES = [
    ("bare CR in the request line", b"GET /\rx HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("bare LF after the request line", b"GET / HTTP/1.1\nHost: test\r\n\r\n", 400),
    ("bare CR in a field", GET + b"A: b\rc\r\n\r\n", 400),
    ("bare LF after a field", GET + b"A: b\n\r\n", 400),
    ("no version", b"GET /\r\n\r\n", 400),
    ("no target", b"GET  HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("space before the method", b" GET / HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("binary noise", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("malformed version", b"GET / HTTP/1.x\r\nHost: test\r\n\r\n", 400),
    ("version in small letters", b"GET / http/1.1\r\nHost: test\r\n\r\n", 400),
    ("target that is no path", b"GET x HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("asterisk with GET", b"GET * HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("fragment in the target", b"GET /#a HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("half a percent sign", b"GET /%4 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("control byte in the target", b"GET /\x01 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("NUL in the target", b"GET /\x00 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("byte above ASCII in the target", b"GET /\xc3\xa4 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ("folded field", GET + b"A: b\r\n c\r\n\r\n", 400),
    ("field line that begins with space", b"GET / HTTP/1.1\r\n Host: test\r\n\r\n", 400),
    ("space before the colon", GET + b"A : b\r\n\r\n", 400),
    ("field without colon", GET + b"Nonsense\r\n\r\n", 400),
    ("empty field name", GET + b": b\r\n\r\n", 400),
    ("bracket in a field name", GET + b"A[0]: b\r\n\r\n", 400),
    ("NUL in a field value", GET + b"A: b\x00c\r\n\r\n", 400),
    ("control byte in a field value", GET + b"A: b\x08c\r\n\r\n", 400),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", GET + b"Host: test\r\n\r\n", 400),
    ("Host with a user", b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
    ("Host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("Host with a malformed port", b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    ("two lengths", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("list of lengths", POST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    ("negative length", POST + b"Content-Length: -5\r\n\r\nhello", 400),
    ("signed length", POST + b"Content-Length: +5\r\n\r\nhello", 400),
    ("hexadecimal length", POST + b"Content-Length: 0x5\r\n\r\nhello", 400),
    ("empty length", POST + b"Content-Length:\r\n\r\nhello", 400),
    ("length beyond 64 bits", POST + b"Content-Length: 18446744073709551616\r\n\r\nhello", 400),
    ("length and coding", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n", 400),
    ("chunked twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked not last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    ("coding without chunked", POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    ("coding in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400),
    ("unknown coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("unknown method", b"BREW / HTTP/1.1\r\nHost: test\r\n\r\n", 501),
    ("method in small letters", b"get / HTTP/1.1\r\nHost: test\r\n\r\n", 501),
    ("HTTP/2 without negotiation", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/0.9 with a version", b"GET / HTTP/0.9\r\n\r\n", 505),
    ("unknown expectation", GET + b"Expect: magic\r\n\r\n", 417),
    ("body declared too large", POST + b"Content-Length: 65537\r\n\r\n", 413),
    ("target too long", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", 414),
    ("field too large", GET + b"A: " + b"b" * 9000 + b"\r\n\r\n", 431),
    ("fields too large together", GET + b"".join(b"A%d: " % index + b"b" * 200 + b"\r\n"
                                                 for index in range(50)) + b"\r\n", 431),
    ("too many fields", GET + b"A: b\r\n" * 64 + b"\r\n", 431),
]


class Malformed(ServiceCase):
    def setUp(self):
        self.neighbour = self.client()
        self.assertEqual(self.neighbour.ask("/").body, b"Hello")

    def tearDown(self):
        self.assertEqual(self.neighbour.ask("/").body, b"Hello")

    def check_refused(self, client, status):
        reply = client.reply()
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.field("Connection"), "close")
        self.assertEqual(client.rest(), b"", "more than one reply")

    def test_each_gets_its_status_and_an_orderly_end(self):
        for name, request, status in CASES:
            with self.subTest(name), Client(self.service.address) as client:
                client.send(request)
                self.check_refused(client, status)

    def test_reply_is_not_lost_when_more_was_sent_than_read(self):
        for name, request, status in CASES:
            with self.subTest(name), Client(self.service.address) as client:
                client.send(request + b"x" * 50_000)
                self.check_refused(client, status)

    def test_requests_before_the_malformed_one_are_answered_first(self):
        for name, request, status in CASES:
            with self.subTest(name), Client(self.service.address) as client:
                client.send(GET + b"\r\n" + GET + b"\r\n" + request)
                self.assertEqual(client.reply().body, b"Hello")
                self.assertEqual(client.reply().body, b"Hello")
                self.check_refused(client, status)

    def test_most_fields_that_are_allowed_are_allowed(self):
        client = self.client()
        client.send(GET + b"A: b\r\n" * 63 + b"\r\n")
        self.assertEqual(client.reply().status, 200)

    def test_largest_head_that_is_allowed_is_allowed(self):
        client = self.client()
        head_size_max = 8192 - 512
        padding = head_size_max - len(GET) - len(b"A: \r\n\r\n")
        client.send(GET + b"A: " + b"b" * padding + b"\r\n\r\n")
        self.assertEqual(client.reply().status, 200)
        client.send(GET + b"A: " + b"b" * (padding + 1) + b"\r\n\r\n")
        self.check_refused(client, 431)


if __name__ == "__main__":
    unittest.main()

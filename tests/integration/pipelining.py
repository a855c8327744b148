#!/usr/bin/python3
"""Requests that do not wait for the reply before: answered in order, whatever their framing."""

import random
import unittest

from support import ServiceCase


def request(index):
    """The n-th request of a mixture, and the body of its reply."""
    kind = index % 5
    if kind == 0:
        return b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", b"Hello"
    if kind == 1:
        return b"GET /json HTTP/1.1\r\nHost: test\r\n\r\n", b'{"message":"Hello"}'
    body = b"%d;" % index * (index % 97)
    if kind == 2:
        return (b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                + (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"), body
    return (b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body), body


class Pipelining(ServiceCase):
    def check(self, client, count):
        pairs = [request(index) for index in range(count)]
        client.send(b"".join(data for data, _ in pairs))
        for index, (_, body) in enumerate(pairs):
            self.assertEqual(client.reply().body, body, f"reply {index} of {count}")
        self.assertEqual(client.buffered, b"")

    def test_in_one_write(self):
        for count in (1, 16, 200):
            with self.subTest(count=count):
                self.check(self.client(), count)

    def test_again_and_again_on_one_connection(self):
        client = self.client()
        for _ in range(20):
            self.check(client, 50)

    def test_split_at_every_byte(self):
        pairs = [request(index) for index in range(1, 5)]
        whole = b"".join(data for data, _ in pairs)
        client = self.client()
        for split in range(1, len(whole)):
            client.send(whole[:split])
            client.send(whole[split:])
            for _, body in pairs:
                self.assertEqual(client.reply().body, body, f"split at {split}")

    def test_byte_by_byte(self):
        client = self.client()
        pairs = [request(index) for index in range(5)]
        for byte in b"".join(data for data, _ in pairs):
            client.send(bytes([byte]))
        for _, body in pairs:
            self.assertEqual(client.reply().body, body)

    def test_random_pieces(self):
        chance = random.Random(20260)
        for _ in range(10):
            client = self.client()
            pairs = [request(chance.randrange(1000)) for _ in range(60)]
            whole = b"".join(data for data, _ in pairs)
            while whole:
                size = chance.choice((1, 10, 100, 1000, 8192))
                client.send(whole[:size])
                whole = whole[size:]
            for _, body in pairs:
                self.assertEqual(client.reply().body, body)

    def test_bodies_larger_than_the_read_buffer_between_small_requests(self):
        client = self.client()
        bodies = [bytes([65 + index]) * size for index, size in
                  enumerate((1, 9000, 8100, 60_000, 0, 7900, 20_000))]
        for body in bodies:
            client.post("/echo", body).get("/")
        for body in bodies:
            self.assertEqual(client.reply().body, body)
            self.assertEqual(client.reply().body, b"Hello")

    def test_client_that_ends_its_side_gets_every_reply(self):
        client = self.client()
        pairs = [request(index) for index in range(100)]
        client.send(b"".join(data for data, _ in pairs))
        client.finish_sending()
        for _, body in pairs:
            self.assertEqual(client.reply().body, body)
        self.assertEqual(client.rest(), b"")


if __name__ == "__main__":
    unittest.main()

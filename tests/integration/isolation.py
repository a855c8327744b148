#!/usr/bin/python3
"""Nothing of one request is visible to another, though a few exchanges serve them all."""

import random
import unittest
import urllib.parse

from support import ServiceCase

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Request:
    """A random request, and what a handler must see of it: this, and nothing else."""

    def __init__(self, chance):
        def word(size_max):
            return "".join(chance.choice(LETTERS) for _ in range(chance.randint(1, size_max)))

        self.method = chance.choice(("GET", "POST", "PUT", "DELETE", "PATCH"))
        self.parameters = {}
        first, second = word(20) + " é", word(20) + "/x"
        kind = chance.randrange(4)
        self.path = "/dump"
        if kind == 1:
            self.path += "/" + urllib.parse.quote(first, safe="")
            self.parameters = {"first": first}
        elif kind == 2:
            self.path += "/" + urllib.parse.quote(first) + "/" + urllib.parse.quote(second, safe="")
            self.parameters = {"first": first, "second": second}
        elif kind == 3:
            self.path = "/files/" + urllib.parse.quote(second)
            self.parameters = {"rest": second}
        self.query = f"{word(5)}={word(30)}" if chance.random() < 0.5 else ""
        self.body = word(3000) if chance.random() < 0.5 else ""
        # Up to 40: beyond the inline slots, in the arena.
        self.fields = [["Host", word(10)]]
        self.fields += [[f"X-{word(10)}", word(60)]
                        for _ in range(chance.choice((0, 1, 5, 14, 15, 16, 40)))]
        self.is_chunked = bool(self.body) and chance.random() < 0.5
        if self.is_chunked:
            self.fields.append(["Transfer-Encoding", "chunked"])
        elif self.body:
            self.fields.append(["Content-Length", str(len(self.body))])

    def wire(self):
        target = self.path + ("?" + self.query if self.query else "")
        head = [f"{self.method} {target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in self.fields]
        body = self.body
        if self.is_chunked:
            half = len(body) // 2
            body = "".join(f"{len(part):x}\r\n{part}\r\n" for part in (body[:half], body[half:])
                           if part) + "0\r\n\r\n"
        return ("\r\n".join([*head, "", ""]) + body).encode()

    def check(self, test, seen):
        test.assertEqual(seen, {"method": self.method, "path": self.path, "query": self.query,
                                "body": self.body, "fields": self.fields,
                                "parameters": self.parameters})


class Isolation(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--exchanges", 2, "--shards", 1)

    def test_random_requests_on_one_connection(self):
        chance = random.Random(1)
        client = self.client()
        for _ in range(300):
            request = Request(chance)
            client.send(request.wire())
            request.check(self, client.reply().json())

    def test_random_requests_pipelined(self):
        chance = random.Random(2)
        client = self.client()
        for _ in range(30):
            requests = [Request(chance) for _ in range(chance.randint(1, 20))]
            client.send(b"".join(request.wire() for request in requests))
            for request in requests:
                request.check(self, client.reply().json())

    def test_random_requests_of_many_connections_over_two_exchanges(self):
        chance = random.Random(3)
        clients = [self.client() for _ in range(12)]
        for _ in range(40):
            pairs = [(client, Request(chance)) for client in clients]
            chance.shuffle(pairs)
            for client, request in pairs:
                client.send(request.wire())
            for client, request in pairs:
                request.check(self, client.reply().json())

    def test_bare_request_after_a_rich_one_shows_nothing_of_it(self):
        client = self.client()
        client.post("/dump/secret/secret?secret=1", b"secret" * 1000,
                    *(f"X-Secret-{index}: secret" for index in range(50)))
        self.assertEqual(client.reply().status, 200)
        client.send(b"GET /dump HTTP/1.1\r\nHost: b\r\n\r\n")
        reply = client.reply()
        self.assertEqual(reply.json(), {"method": "GET", "path": "/dump", "query": "", "body": "",
                                        "fields": [["Host", "b"]], "parameters": {}})
        self.assertNotIn("secret", str(reply.fields))

    def test_field_of_one_reply_is_not_in_the_next(self):
        client = self.client()
        for _ in range(3):
            self.assertEqual(client.ask("/reply-field?value=secret").field("X-Value"), "secret")
            self.assertIsNone(client.ask("/dump").field("X-Value"))
            self.assertEqual(client.ask("/reply-field").field("X-Value"), "")

    def test_failed_handler_leaves_no_field_for_the_next(self):
        client = self.client()
        for _ in range(3):
            self.assertEqual(client.ask("/fail").status, 500)
            reply = client.ask("/dump")
            self.assertIsNone(reply.field("X-Secret"))


if __name__ == "__main__":
    unittest.main()

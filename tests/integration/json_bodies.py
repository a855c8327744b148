#!/usr/bin/python3
"""JSON over the wire: bodies bound by a table, documents replied, and problems told."""

import json
import unittest

from support import ServiceCase

JSON = "Content-Type: application/json"
LINE = {"product": 18446744073709551615, "quantity": 99, "price": 9007199254740993}


def cart(**changes):
    return {"id": 1, "currency": "EUR", "note": "a \"b\" \\ \n ä 😀", "lines": [LINE], **changes}


class JsonBodies(ServiceCase):
    PROGRAM = "json_service"
    FLAGS = ("--body-size-max", 100000)

    def setUp(self):
        self.connection = self.client()

    def post(self, target, value, *fields, raw=False):
        body = value if raw else json.dumps(value).encode()
        return self.connection.post(target, body, *(fields or (JSON,))).reply()

    def problem(self, value, raw=False):
        reply = self.post("/carts", value, raw=raw)
        self.assertEqual(reply.field("Content-Type"), "application/problem+json")
        problem = reply.json()
        self.assertEqual(problem["status"], reply.status)
        self.assertEqual(problem["title"], reply.reason)
        return problem

    def test_a_cart_makes_the_round(self):
        reply = self.post("/carts", cart())
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.field("Content-Type"), "application/json")
        self.assertEqual(reply.json(), cart())

    def test_escapes_of_every_kind(self):
        """Python escapes all that is not ASCII, and we nothing that need not be."""
        note = "".join(map(chr, range(0x250))) + "\u2028\ufffd\U0001f600"
        reply = self.post("/carts", cart(note=note))
        self.assertEqual(reply.json()["note"], note)
        self.assertIn("ä".encode(), reply.body)

    def test_what_is_absent_has_its_default(self):
        reply = self.post("/carts", {"currency": "EUR", "lines": [LINE]})
        self.assertEqual(reply.json()["id"], 7)
        self.assertNotIn("note", reply.json())

    def test_a_large_body_and_a_large_reply(self):
        """The body outgrows the read buffer, and the reply the write buffer."""
        full = cart(note="x" * 4000, lines=[LINE] * 20)
        padded = json.dumps(full, indent=20).encode()
        self.assertGreater(len(padded), 8192)
        self.assertEqual(self.post("/carts", padded, raw=True).json(), full)
        for count in (0, 1, 1000, 1800, 2000, 9000):
            reply = self.connection.ask(f"/numbers/{count}")
            self.assertEqual(reply.json(), list(range(count)))

    def test_a_chunked_body(self):
        body = json.dumps(cart()).encode()
        chunks = b"".join(b"1\r\n" + body[at:at + 1] + b"\r\n" for at in range(len(body)))
        self.connection.send(b"POST /carts HTTP/1.1\r\nHost: test\r\n" + JSON.encode()
                             + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        self.assertEqual(self.connection.reply().json(), cart())

    def test_unescaping_a_body_leaves_the_next_request_alone(self):
        body = json.dumps(cart(note="\n" * 50)).encode()
        one = (f"POST /carts HTTP/1.1\r\nHost: test\r\n{JSON}\r\n"
               f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        self.connection.send(one * 5)
        for _ in range(5):
            self.assertEqual(self.connection.reply().json()["note"], "\n" * 50)

    def test_the_path_of_what_is_wrong(self):
        lines = [LINE, LINE, {"product": 1, "quantity": 100}]
        problem = self.problem(cart(lines=lines))
        self.assertEqual(problem["status"], 422)
        self.assertEqual(problem["code"], "range")
        self.assertEqual(problem["path"], "lines[2].quantity")
        self.assertEqual(problem["detail"],
                         "lines[2].quantity must be a whole number from 1 to 99")
        body = json.dumps(cart(lines=lines))
        self.assertEqual(body[problem["offset"]:][:3], "100")

    def test_each_kind_of_fault(self):
        for value, status, code in (
                (cart(lines=[LINE] * 21), 422, "many"), (cart(lines=[]), 422, "few"),
                (cart(currency="EURO"), 422, "long"), (cart(currency=1), 422, "type"),
                (cart(colour=1), 422, "unknown"), ({"currency": "EUR"}, 422, "missing"),
                (cart(id=1.5), 422, "fraction"), (cart(id=-1), 422, "range")):
            problem = self.problem(value)
            self.assertEqual((problem["status"], problem["code"]), (status, code))
        for body, code in ((b"", "empty"), (b"{", "ended"), (b"{]", "syntax"),
                           (b'{"currency":"EUR","currency":"EUR"}', "duplicate"),
                           (b'{"currency":"\xff"}', "utf-8"), (b'{"id":01}', "number")):
            problem = self.problem(body, raw=True)
            self.assertEqual((problem["status"], problem["code"]), (400, code))

    def test_a_form_cannot_post_json(self):
        for field in ("Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded",
                      "X-Nothing: 1"):
            reply = self.post("/carts", cart(), field)
            self.assertEqual(reply.status, 415)
            self.assertIn("application/json", reply.json()["detail"])

    def test_any_document(self):
        value = {"a": [1, 2.5e10, None, True, {"b": "\u0000"}]}
        self.assertEqual(self.post("/any", value).json(), {"value": value})
        self.assertEqual(self.post("/any", b"[" * 65 + b"]" * 65, raw=True).status, 400)
        self.assertEqual(self.post("/any", b"[" * 90000, raw=True).status, 400)

    def test_head_has_the_length_and_no_document(self):
        reply = self.connection.ask("/numbers/3", method="HEAD")
        self.assertEqual(reply.field("Content-Length"), str(len("[0,1,2]")))


if __name__ == "__main__":
    unittest.main()

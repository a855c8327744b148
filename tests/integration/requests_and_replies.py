#!/usr/bin/python3
"""HTTP/1.1 as RFC 9110 and RFC 9112 have it, byte by byte over raw sockets."""

import re
import unittest

from support import ServiceCase

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def chunked(*chunks, trailers=b"", extension=b""):
    """A chunked body with its last chunk and its end."""
    return (b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
            + b"0\r\n" + trailers + b"\r\n")


def chunked_post(body, target=b"/echo"):
    return (b"POST " + target + b" HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            + body)


class Replies(ServiceCase):
    PROGRAM = "test_service"

    def test_reply_has_its_date_length_and_type(self):
        reply = self.service.ask("/value/a?a=b")
        self.assertRegex(reply.field("Date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(reply.field("Content-Length"), "1")
        self.assertEqual(reply.field("Content-Type"), "application/octet-stream")

    def test_wrong_method_is_405_and_says_which_are_right(self):
        reply = self.client().ask("/methods", method="PATCH")
        self.assertEqual(reply.status, 405)
        self.assertEqual(sorted(re.split(", *", reply.field("Allow"))), ["DELETE", "PUT"])

    def test_allow_lists_head_where_get_is_served(self):
        reply = self.client().ask("/slow", method="DELETE")
        self.assertEqual(sorted(re.split(", *", reply.field("Allow"))), ["GET", "HEAD", "POST"])

    def test_404_and_405_keep_the_connection(self):
        client = self.client()
        self.assertEqual(client.ask("/nowhere").status, 404)
        self.assertEqual(client.ask("/slow", method="PUT").status, 405)
        self.assertEqual(client.ask("/dump").status, 200)

    def test_options_of_the_whole_server(self):
        self.assertEqual(self.client().ask("*", method="OPTIONS").status, 204)

    def test_connect_is_501(self):
        self.assertEqual(self.client().ask("example.org:443", method="CONNECT").status, 501)

    def test_absolute_form_is_the_same_resource(self):
        self.assertEqual(self.client().ask("http://other/dump?a=1").json()["path"], "/dump")

    def test_field_with_control_bytes_is_not_sent(self):
        client = self.client()
        self.assertEqual(client.ask("/reply-field?value=fine").field("X-Value"), "fine")
        self.assertEqual(client.ask("/reply-field?value=a%0d%0aX-Evil:+1").status, 400)

    def test_failed_handler_is_500_without_what_it_had_said(self):
        client = self.client()
        reply = client.ask("/fail")
        self.assertEqual(reply.status, 500)
        self.assertIsNone(reply.field("X-Secret"))
        self.assertNotIn(b"all is well", reply.body)
        self.assertEqual(client.ask("/dump").status, 200)

    def test_handler_without_memory_is_503_with_retry_after(self):
        reply = self.client().ask("/fail-for-memory")
        self.assertEqual(reply.status, 503)
        self.assertIsNotNone(reply.field("Retry-After"))

    def test_silent_handler_is_500(self):
        self.assertEqual(self.client().ask("/say-nothing").status, 500)

    def test_second_reply_is_refused_and_the_first_is_sent(self):
        client = self.client()
        self.assertEqual(client.ask("/reply-twice").body, b"first")
        self.assertEqual(client.ask("/dump").status, 200)

    def test_large_reply_comes_whole(self):
        for size in (0, 1, 4000, 8192, 8193, 1 << 20, 8 << 20):
            with self.subTest(size=size):
                self.assertEqual(self.client().ask(f"/large?size={size}").body, b"z" * size)


class Connections(ServiceCase):
    def test_keep_alive_is_the_rule(self):
        client = self.client()
        for _ in range(3):
            reply = client.ask("/")
            self.assertEqual(reply.body, b"Hello")
            self.assertIsNone(reply.field("Connection"))

    def test_connection_close_ends_it(self):
        client = self.client()
        reply = client.ask("/", "Connection: close")
        self.assertEqual(reply.field("Connection"), "close")
        self.assertEqual(client.rest(), b"")

    def test_nothing_after_connection_close_is_answered(self):
        client = self.client()
        # In one write: what comes after the server has closed may meet a reset.
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                    b"GET /json HTTP/1.1\r\nHost: test\r\n\r\n")
        self.assertEqual(client.reply().body, b"Hello")
        self.assertEqual(client.rest(), b"")

    def test_http_1_0_ends_after_one_reply(self):
        client = self.client()
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        reply = client.reply()
        self.assertEqual(reply.body, b"Hello")
        self.assertEqual(reply.field("Connection"), "close")
        self.assertEqual(client.rest(), b"")

    def test_http_1_0_may_ask_to_be_kept(self):
        client = self.client()
        for _ in range(2):
            client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = client.reply()
            self.assertEqual(reply.body, b"Hello")
            self.assertEqual(reply.field("Connection"), "keep-alive")

    def test_head_is_not_followed_by_a_body(self):
        client = self.client()
        client.get("/", method="HEAD").get("/json")
        self.assertEqual(client.reply("HEAD").field("Content-Length"), "5")
        self.assertEqual(client.reply().json(), {"message": "Hello"})

    def test_empty_lines_before_a_request_are_passed_over(self):
        client = self.client()
        self.assertEqual(client.send(b"\r\n").get("/").reply().status, 200)

    def test_client_that_ends_its_side_still_gets_its_reply(self):
        client = self.client()
        client.get("/")
        client.finish_sending()
        self.assertEqual(client.reply().body, b"Hello")
        self.assertEqual(client.rest(), b"")

    def test_end_within_a_request_closes(self):
        for part in (b"G", b"GET / HTTP/1.1\r\nHost: t",
                     b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345"):
            with self.subTest(part=part):
                client = self.client()
                client.send(part).finish_sending()
                self.assertEqual(client.rest(), b"")


class Expectations(ServiceCase):
    def expect(self, client, size, *fields):
        lines = ["POST /echo HTTP/1.1", "Host: test", "Expect: 100-continue",
                 f"Content-Length: {size}", *fields, "", ""]
        return client.send("\r\n".join(lines).encode())

    def test_100_comes_before_the_body_and_200_after_it(self):
        client = self.client()
        for size in (5, 20_000):  # within the read buffer, and beyond it
            with self.subTest(size=size):
                self.expect(client, size)
                self.assertEqual(client.reply().status, 100)
                body = b"b" * size
                client.send(body)
                self.assertEqual(client.reply().body, body)

    def test_100_comes_before_a_chunked_body(self):
        client = self.client()
        client.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(client.reply().status, 100)
        client.send(chunked(b"one", b"two"))
        self.assertEqual(client.reply().body, b"onetwo")

    def test_no_100_when_the_body_is_there_already(self):
        client = self.client()
        client.post("/echo", b"12345", "Expect: 100-continue")
        self.assertEqual(client.reply().status, 200)

    def test_no_100_without_a_body_or_from_http_1_0(self):
        client = self.client()
        self.assertEqual(client.ask("/", "Expect: 100-continue").status, 200)
        client.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.send(b"ab")
        self.assertEqual(client.reply().status, 200)

    def test_too_large_is_refused_instead_of_continued(self):
        client = self.client()
        self.expect(client, 65537)
        reply = client.reply()
        self.assertEqual((reply.status, reply.field("Connection")), (413, "close"))
        self.assertEqual(client.rest(), b"")

    def test_unknown_path_is_refused_instead_of_continued(self):
        client = self.client()
        client.send(b"POST /nowhere HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
                    b"Content-Length: 10\r\n\r\n")
        reply = client.reply()
        self.assertEqual((reply.status, reply.field("Connection")), (404, "close"))

    def test_other_expectations_are_417(self):
        client = self.client()
        client.post("/echo", b"12345", "Expect: a-miracle")
        reply = client.reply()
        self.assertEqual((reply.status, reply.field("Connection")), (417, "close"))
        self.assertEqual(client.rest(), b"")


class ChunkedBodies(ServiceCase):
    def check(self, body, expected):
        client = self.client()
        client.send(chunked_post(body))
        self.assertEqual(client.reply().body, expected)
        self.assertEqual(client.ask("/").body, b"Hello")

    def test_small(self):
        self.check(chunked(b"hello ", b"world"), b"hello world")

    def test_empty(self):
        self.check(chunked(), b"")

    def test_60_kb_in_chunks_of_every_size(self):
        whole = bytes(range(256)) * 235
        for size in (1000, 4096, 8191, 8192, 60_000):
            with self.subTest(size=size):
                chunks = [whole[start:start + size] for start in range(0, len(whole), size)]
                self.check(chunked(*chunks), whole)

    def test_chunks_of_one_byte(self):
        whole = bytes(range(256)) * 16
        self.check(chunked(*(bytes([byte]) for byte in whole)), whole)

    def test_extensions_and_trailers_are_passed_over(self):
        self.check(chunked(b"body", extension=b';name="a; b";other', trailers=b"X-Sum: 1\r\n"),
                   b"body")

    def test_pipelined_one_after_another(self):
        client = self.client()
        bodies = [b"%d" % index * (index * 700) for index in range(8)]
        client.send(b"".join(chunked_post(chunked(body[:100], body[100:]) if body[100:]
                                          else chunked(body) if body else chunked())
                             for body in bodies))
        for body in bodies:
            self.assertEqual(client.reply().body, body)

    def test_split_at_every_byte(self):
        request = chunked_post(chunked(b"hello ", b"world", extension=b";a=b",
                                       trailers=b"T: 1\r\n"))
        client = self.client()
        for split in range(1, len(request)):
            client.send(request[:split])
            client.send(request[split:])
            self.assertEqual(client.reply().body, b"hello world")

    def test_malformed_chunk_is_400(self):
        for body in (b"x\r\n", b"-1\r\n", b"5\nhello\r\n", b"5\r\nhelloX", b"0\r\nbad line\r\n\r\n",
                     b"11111111111111111\r\n", b"\r\n"):
            with self.subTest(body=body):
                client = self.client()
                client.send(chunked_post(body))
                reply = client.reply()
                self.assertEqual((reply.status, reply.field("Connection")), (400, "close"))
                self.assertEqual(client.rest(), b"")


class BodySizes(ServiceCase):
    FLAGS = ("--body-size-max", 20_000)

    def refused(self, client):
        reply = client.reply()
        self.assertEqual((reply.status, reply.field("Connection")), (413, "close"))
        self.assertEqual(client.rest(), b"")

    def test_at_and_below_the_limit(self):
        for size in (0, 1, 7000, 8192, 9000, 19_999, 20_000):
            with self.subTest(size=size):
                client = self.client()
                body = b"s" * size
                self.assertEqual(client.post("/echo", body).reply().body, body)
                self.assertEqual(client.ask("/").status, 200)

    def test_chunked_at_and_below_the_limit(self):
        for size in (1, 7000, 8192, 9000, 19_999, 20_000):
            with self.subTest(size=size):
                client = self.client()
                body = b"s" * size
                client.send(chunked_post(chunked(body)))
                self.assertEqual(client.reply().body, body)

    def test_above_the_limit_is_413(self):
        client = self.client()
        client.post("/echo", b"s" * 20_001)
        self.refused(client)

    def test_chunked_above_the_limit_is_413(self):
        client = self.client()
        client.send(chunked_post(chunked(b"s" * 10_000, b"s" * 10_001)))
        self.refused(client)

    def test_413_is_read_although_the_client_goes_on_sending(self):
        client = self.client()
        client.post("/echo", b"s" * 200_000)
        self.refused(client)


class TightBodyPool(ServiceCase):
    FLAGS = ("--arena-chunks", 1, "--shards", 1)

    def test_second_large_body_is_503_while_the_first_holds_the_only_chunk(self):
        first = self.client()
        first.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 30000\r\n\r\nstart")
        # The pool is one chunk: when the pages cannot be rendered any more, it is taken.
        while self.service.ask("/memory").status == 200:
            pass
        second = self.client()
        second.post("/echo", b"s" * 30_000)
        reply = second.reply()
        self.assertEqual(reply.status, 503)
        self.assertIsNotNone(reply.field("Retry-After"))
        first.send(b"s" * 29_995)
        self.assertEqual(len(first.reply().body), 30_000)


class Scratches(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--scratch-size-max", 4096)

    def test_scratch_leaves_the_stack_up_to_its_limit(self):
        for size, status, where in ((64, 200, b"stack"), (65, 200, b"arena"),
                                    (4096, 200, b"arena"), (4097, 413, b"nowhere")):
            reply = self.service.ask(f"/scratch?size={size}")
            self.assertEqual((reply.status, reply.body), (status, where))
        self.assertIn("zerog_scratch_spills_total 2\n", self.service.ask("/metrics").body.decode())


if __name__ == "__main__":
    unittest.main()

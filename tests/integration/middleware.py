#!/usr/bin/python3
"""Groups and middleware, as a client sees them."""

import unittest

from support import ServiceCase


class Middleware(ServiceCase):
    PROGRAM = "routes_service"
    FLAGS = ("--handler-timeout-ms", 300, "--header-timeout-ms", 300, "--body-size-max", 1000)

    def setUp(self):
        self.connection = self.client()

    def trace(self, reply):
        return [value for name, value in reply.fields if name == "X-Trace"]

    def assert_named(self, reply, status):
        """The app's middleware was run for it, once."""
        self.assertEqual(reply.status, status)
        self.assertEqual([value for name, value in reply.fields if name == "X-Service"],
                         ["routes"])
        self.assertEqual(reply.field("X-Status"), str(status))

    def test_every_reply_has_the_apps_fields(self):
        self.assert_named(self.connection.ask("/"), 200)
        self.assert_named(self.connection.ask("/nowhere"), 404)
        self.assert_named(self.connection.ask("/", method="DELETE"), 405)
        self.assert_named(self.connection.ask("/fail"), 500)
        self.assert_named(self.connection.ask("/later"), 200)
        self.assert_named(self.connection.ask("/", method="HEAD"), 200)

    def test_errors_that_end_the_connection_have_them_too(self):
        self.assert_named(self.client().send(b"nonsense\r\n\r\n").reply(), 400)
        self.assert_named(self.client().post("/api/echo", b"x" * 2000).reply(), 413)
        self.assert_named(self.client().send(b"GET / HT").reply(), 408)
        self.assert_named(self.client().ask("/never"), 503)

    def test_groups_go_on_from_their_prefix(self):
        self.assertEqual(self.connection.ask("/api").body, b"Hello")
        self.assertEqual(self.connection.ask("/api/").status, 404)
        self.assertEqual(self.connection.ask("/admin/whoami").status, 404)

    def test_inner_runs_before_outer_after_a_handler(self):
        reply = self.connection.ask("/api/admin/whoami", "X-Key: secret")
        self.assertEqual(self.trace(reply), ["route", "inner", "outer"])
        self.assertEqual(self.trace(self.connection.ask("/api")), ["outer"])
        self.assertEqual(self.trace(self.connection.ask("/")), [])

    def test_before_may_answer_instead_of_the_handler(self):
        reply = self.connection.ask("/api/admin/whoami")
        self.assert_named(reply, 401)
        self.assertEqual(self.trace(reply), ["route", "inner", "outer"])
        self.assertEqual(self.connection.ask("/api/admin/whoami", "X-Key: wrong").status, 401)

    def test_before_may_tell_the_handler_something(self):
        self.assertEqual(self.connection.ask("/api/admin/whoami", "X-Key: secret").body,
                         b"secret")
        self.assertEqual(self.connection.ask("/api/anonymous").body, b"nobody")

    def test_before_may_wait(self):
        for _ in range(3):
            self.assertEqual(self.connection.ask("/looked-up").body, b"somebody")

    def test_admin_pages_may_be_behind_middleware(self):
        self.assertEqual(self.connection.ask("/api/admin/metrics").status, 401)
        self.assertEqual(self.connection.ask("/api/admin/metrics", "X-Key: secret").status, 200)
        self.assertEqual(self.connection.ask("/metrics").status, 200)

    def test_pipelined_requests_are_kept_apart(self):
        for index in range(20):
            self.connection.get("/api/admin/whoami", *(["X-Key: secret"] if index % 2 else []))
        for index in range(20):
            reply = self.connection.reply()
            self.assertEqual(reply.status, 200 if index % 2 else 401)
            self.assertEqual(self.trace(reply), ["route", "inner", "outer"])


class TypedParameters(ServiceCase):
    PROGRAM = "routes_service"

    def setUp(self):
        self.connection = self.client()

    def text(self, target):
        return self.connection.ask(target).body.decode()

    def test_number(self):
        self.assertEqual(self.text("/api/products/17"), "product 17")
        self.assertEqual(self.text("/api/products/%31%37"), "product 17")
        self.assertEqual(self.text("/api/products/18446744073709551615"),
                         "product 18446744073709551615")

    def test_no_number_is_another_route(self):
        for segment in ("new", "-1", "1.5", "17a", "%61"):
            with self.subTest(segment=segment):
                self.assertEqual(self.text("/api/products/" + segment), "named product")

    def test_number_too_large_is_none(self):
        # The other route asks whether it is a number, and finds one that is too large.
        self.assertEqual(self.connection.ask("/api/products/18446744073709551616").status, 500)

    def test_day(self):
        self.assertEqual(self.text("/api/days/2026-11-25"), "day 25 of month 11 of 2026")
        self.assertEqual(self.connection.ask("/api/days/2026-11-31").status, 404)
        self.assertEqual(self.connection.ask("/api/days/today").status, 404)

    def test_static_segments_in_another_spelling(self):
        self.assertEqual(self.text("/%61pi/%70roducts/1"), "product 1")
        self.assertEqual(self.connection.ask("/api%2Fproducts/1").status, 404)
        self.assertEqual(self.connection.ask("/api%2Fproducts%2F1").status, 404)


if __name__ == "__main__":
    unittest.main()

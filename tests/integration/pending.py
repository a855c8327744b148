#!/usr/bin/python3
"""Handlers that reply later: resumed from another thread, too late, twice, or never."""

import time
import unittest

from support import ServiceCase


class Pending(ServiceCase):
    PROGRAM = "test_service"
    FLAGS = ("--handler-timeout-ms", 700)

    def test_resumed_handler_sees_its_request(self):
        client = self.client()
        for index in range(5):
            self.assertEqual(client.ask(f"/slow?ms=20&n={index}").body.decode(),
                             f"ms=20&n={index}")

    def test_it_takes_as_long_as_it_takes(self):
        started = time.monotonic()
        self.client().ask("/slow?ms=200")
        self.assertGreaterEqual(time.monotonic() - started, 0.2)

    def test_handler_may_wait_twice(self):
        self.assertEqual(self.client().ask("/again?ms=30").body, b"ms=30")

    def test_resume_at_once(self):
        client = self.client()
        for _ in range(50):
            self.assertEqual(client.ask("/slow").status, 200)

    def test_many_at_once(self):
        clients = [self.client() for _ in range(100)]
        for index, client in enumerate(clients):
            client.get(f"/slow?ms={index * 7 % 50}&n={index}")
        for index, client in enumerate(clients):
            self.assertEqual(client.reply().body.decode(), f"ms={index * 7 % 50}&n={index}")

    def test_others_are_served_meanwhile(self):
        waiting = self.client().get("/slow?ms=300")
        client = self.client()
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(client.ask("/dump").status, 200)
        self.assertLess(time.monotonic() - started, 0.25)
        self.assertEqual(waiting.reply().status, 200)

    def test_pipelined_requests_around_it_stay_in_order(self):
        client = self.client()
        for index in range(10):
            client.get(f"/value/a?a={index}").get(f"/slow?ms=10&n={index}")
        for index in range(10):
            self.assertEqual(client.reply().body.decode(), str(index))
            self.assertEqual(client.reply().body.decode(), f"ms=10&n={index}")

    def test_replies_before_it_do_not_wait_for_it(self):
        client = self.client()
        started = time.monotonic()
        client.get("/value/a?a=first").get("/slow?ms=400")
        self.assertEqual(client.reply().body, b"first")
        self.assertLess(time.monotonic() - started, 0.3)
        self.assertEqual(client.reply().status, 200)

    def test_failure_after_the_wait_is_500(self):
        client = self.client()
        self.assertEqual(client.ask("/slow-fail").status, 500)
        self.assertEqual(client.ask("/dump").status, 200)

    def test_second_resume_is_stale_and_harmless(self):
        stale = self.service.metric("zerog_resumes_stale_total")
        client = self.client()
        for index in range(10):
            # The next request waits too: a stale handle must not resume that one.
            client.get(f"/twice?n={index}").get("/slow?ms=60&next")
            self.assertEqual(client.reply().body.decode(), f"n={index}")
            self.assertEqual(client.reply().body, b"ms=60&next")
        self.assertEqual(self.service.metric("zerog_resumes_stale_total"), stale + 10)

    def test_client_gone_before_the_resume_is_harmless(self):
        for end in ("reset", "close"):
            clients = [self.client() for _ in range(20)]
            for client in clients:
                client.get("/slow?ms=100")
            time.sleep(0.03)
            for client in clients:
                getattr(client, end)()
        time.sleep(0.2)
        self.assertEqual(self.client().ask("/slow?ms=1").status, 200)

    def test_half_closed_client_gets_its_reply(self):
        client = self.client()
        client.get("/slow?ms=100").finish_sending()
        self.assertEqual(client.reply().body, b"ms=100")
        self.assertEqual(client.rest(), b"")

    def test_handler_that_is_never_resumed_is_503(self):
        client = self.client()
        started = time.monotonic()
        reply = client.ask("/never")
        elapsed = time.monotonic() - started
        self.assertEqual((reply.status, reply.field("Connection")), (503, "close"))
        self.assertIsNotNone(reply.field("Retry-After"))
        self.assertEqual(client.rest(), b"")
        self.assertGreaterEqual(elapsed, 0.7)
        self.assertLess(elapsed, 2.5)

    def test_resume_after_the_handler_timeout_is_stale(self):
        stale = self.service.metric("zerog_resumes_stale_total")
        client = self.client()
        self.assertEqual(client.ask("/slow?ms=1200").status, 503)
        deadline = time.monotonic() + 3
        while (self.service.metric("zerog_resumes_stale_total") == stale
               and time.monotonic() < deadline):
            time.sleep(0.05)
        self.assertEqual(self.service.metric("zerog_resumes_stale_total"), stale + 1)


if __name__ == "__main__":
    unittest.main()

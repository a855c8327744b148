#!/usr/bin/python3
"""Sessions over shards, forms, and the cookie that holds them together."""

import os
import re
import threading
import time
import unittest
import urllib.parse

from support import Service, ServiceCase, check_clean, run

FORM = "Content-Type: application/x-www-form-urlencoded"


def cookie_of(reply):
    """The Cookie field a browser would send from now on, or None."""
    value = reply.field("Set-Cookie")
    return value and "Cookie: " + value.split(";")[0]


class Sessions(ServiceCase):
    PROGRAM = "session_service"
    FLAGS = ("--shards", 4, "--sessions", 1000)

    def begin(self):
        reply = self.client().ask("/visit")
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.json()["new"])
        return cookie_of(reply)

    def test_every_shard_finds_a_session(self):
        cookie = self.begin()
        # The kernel deals connections to shards: sixteen come to more than one.
        for count in range(2, 18):
            reply = self.client().ask("/visit", cookie)
            self.assertEqual(reply.json(), {"new": False, "count": count, "user": ""})
            self.assertIsNone(reply.field("Set-Cookie"))

    def test_browsers_are_told_apart(self):
        first, second = self.begin(), self.begin()
        self.assertNotEqual(first, second)
        self.client().ask("/visit", first)
        self.assertEqual(self.client().ask("/look", first).json()["count"], 2)
        self.assertEqual(self.client().ask("/look", second).json()["count"], 1)
        self.assertEqual(self.client().ask("/look").status, 404)

    def test_changes_from_many_connections_are_all_there(self):
        cookie = self.begin()
        rounds, lanes = 50, 8

        def visit():
            with self.service.client() as client:
                for _ in range(rounds):
                    client.ask("/visit", cookie)

        threads = [threading.Thread(target=visit) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.client().ask("/look", cookie).json()["count"], rounds * lanes + 1)

    def test_login_changes_the_id_and_keeps_the_value(self):
        before = self.begin()
        token = self.client().ask("/token", before).body.decode()
        body = urllib.parse.urlencode({"user": "J. Doe", "csrf_token": token}).encode()
        reply = self.client().post("/login", body, FORM, before).reply()
        self.assertEqual(reply.json(), {"new": False, "count": 1, "user": "J. Doe"})
        after = cookie_of(reply)
        self.assertNotEqual(after, before)
        self.assertEqual(self.client().ask("/look", before).status, 404)
        self.assertEqual(self.client().ask("/look", after).json()["user"], "J. Doe")
        self.assertNotEqual(self.client().ask("/token", after).body.decode(), token)

    def test_form_without_its_token_is_refused(self):
        cookie = self.begin()
        refused = self.service.metric("zerog_csrf_refused_total")
        self.assertEqual(self.client().post("/login", b"user=x", FORM, cookie).reply().status, 403)
        body = b"user=x&csrf_token=" + b"0" * 32
        self.assertEqual(self.client().post("/login", body, FORM, cookie).reply().status, 403)
        self.assertEqual(self.service.metric("zerog_csrf_refused_total"), refused + 2)
        self.assertEqual(self.client().ask("/look", cookie).json()["user"], "")

    def test_logout_forgets(self):
        cookie = self.begin()
        reply = self.client().post("/logout", b"", cookie).reply()
        self.assertIn("Max-Age=0", reply.field("Set-Cookie"))
        self.assertEqual(self.client().ask("/look", cookie).status, 404)

    def test_requests_of_one_connection_may_be_of_several_browsers(self):
        cookies = [self.begin() for _ in range(3)]
        client = self.client()
        for cookie in cookies:
            client.get("/visit", cookie)
        client.get("/look")
        self.assertEqual([client.reply().json()["count"] for _ in cookies], [2, 2, 2])
        self.assertEqual(client.reply().status, 404)

    def test_form_is_decoded(self):
        body = "a=1&b=%C3%A9+%26&c".encode()
        reply = self.client().post("/form", body, FORM).reply()
        self.assertEqual(reply.json(), [["a", "1"], ["b", "é &"], ["c", ""]])
        self.assertEqual(self.client().post("/form", body).reply().status, 415)
        many = b"&".join(b"a=1" for _ in range(65))
        self.assertEqual(self.client().post("/form", many, FORM).reply().status, 413)
        # Larger than the read buffer, and in chunks.
        large = b"a=" + b"x" * 12000
        self.assertEqual(len(self.client().post("/form", large, FORM).reply().json()[0][1]), 12000)


class Limits(unittest.TestCase):
    def test_full_table_refuses_until_one_is_idle(self):
        with Service("session_service", "--sessions", 3, "--session-keep-ms", 700) as service:
            cookies = [cookie_of(service.ask("/visit")) for _ in range(3)]
            reply = service.ask("/visit")
            self.assertEqual(reply.status, 503)
            self.assertIsNotNone(reply.field("Retry-After"))
            self.assertIsNone(reply.field("Set-Cookie"))
            self.assertEqual(service.metric("zerog_sessions_refused_total"), 1)
            time.sleep(0.8)
            for cookie in cookies[1:]:
                self.assertEqual(service.ask("/look", cookie).status, 200)
            self.assertEqual(service.ask("/visit").status, 200)
            self.assertEqual(service.metric("zerog_sessions_evicted_total"), 1)
            self.assertEqual(service.ask("/look", cookies[0]).status, 404)
            self.assertEqual(service.ask("/look", cookies[1]).status, 200)
            check_clean(self, service)

    def test_idle_session_ends(self):
        with Service("session_service", "--session-idle-ms", 300) as service:
            cookie = cookie_of(service.ask("/visit"))
            self.assertEqual(service.ask("/look", cookie).status, 200)
            time.sleep(0.5)
            self.assertEqual(service.ask("/look", cookie).status, 404)
            self.assertEqual(service.metric("zerog_sessions_expired_total"), 1)
            check_clean(self, service)

    def test_behind_tls_the_cookie_is_the_hosts_own(self):
        with Service("session_service", env={**os.environ, "TEST_SECURE": "1"}) as service:
            reply = service.ask("/visit")
            self.assertRegex(reply.field("Set-Cookie"),
                             r"^__Host-session=[0-9a-f]{34}; Path=/; Secure; HttpOnly; "
                             r"SameSite=Lax$")
            self.assertEqual(service.ask("/look", cookie_of(reply)).status, 200)
            check_clean(self, service)

    def test_sessions_are_in_the_plan(self):
        status, text, _ = run("session_service", "--plan", "--sessions", 2000)
        self.assertEqual(status, 0)
        self.assertRegex(text, r"(?m)^\s*sessions\s+2,?000\b")
        self.assertRegex(text, r"(?m)^\s*session tables\b")
        self.assertNotIn("session", run("hello", "--plan")[1])
        explained = run("session_service", "--explain", "sessions")[1]
        self.assertIsNotNone(re.search(r"--sessions: one more adds \d+", explained), explained)


if __name__ == "__main__":
    unittest.main()

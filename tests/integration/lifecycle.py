#!/usr/bin/python3
"""The end of a service, whichever way it comes, and its next start."""

import os
import signal
import tempfile
import time
import unittest

from support import Service, check_clean


class End(unittest.TestCase):
    def start(self, *flags, **options):
        service = Service("test_service", *flags, **options)
        self.addCleanup(service.kill)
        return service

    def test_sigterm_lets_a_request_in_flight_end(self):
        service = self.start()
        with service.client() as client:
            client.get("/slow?ms=600")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            reply = client.reply()
            self.assertEqual((reply.status, reply.body), (200, b"ms=600"))
            self.assertEqual(reply.field("Connection"), "close")
            self.assertEqual(client.rest(), b"")
        self.assertEqual(service.wait(), 0)

    def test_sigterm_lets_a_large_response_end(self):
        service = self.start()
        with service.client(receive_buffer_size=65536) as client:
            client.get("/large")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            time.sleep(0.1)
            self.assertEqual(len(client.reply().body), 8 << 20)
        self.assertEqual(service.wait(), 0)

    def test_sigterm_lets_a_request_that_has_begun_end(self):
        service = self.start()
        with service.client() as client:
            client.send(b"POST /dump HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbo")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            time.sleep(0.1)
            client.send(b"dy")
            reply = client.reply()
            self.assertEqual(reply.json()["body"], "body")
            self.assertEqual(reply.field("Connection"), "close")
        self.assertEqual(service.wait(), 0)

    def test_sigterm_closes_idle_connections_at_once(self):
        service = self.start()
        silent, hot, parked = service.client(), service.client(), service.client()
        parked.ask("/dump")
        time.sleep(0.5)
        hot.ask("/dump")
        service.signal(signal.SIGTERM)
        started = time.monotonic()
        for client in (silent, hot, parked):
            self.assertEqual(client.rest(), b"")
            client.close()
        self.assertEqual(service.wait(), 0)
        self.assertLess(time.monotonic() - started, 2)

    def test_sigterm_without_connections_ends_at_once(self):
        service = self.start()
        started = time.monotonic()
        self.assertEqual(service.stop(), 0)
        self.assertLess(time.monotonic() - started, 1.5)

    def test_drain_takes_no_longer_than_it_may(self):
        service = self.start("--drain-timeout-ms", 400)
        with service.client() as client:
            client.get("/never")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            started = time.monotonic()
            self.assertEqual(service.wait(), 0)
            elapsed = time.monotonic() - started
        self.assertGreaterEqual(elapsed, 0.35)
        self.assertLess(elapsed, 2)

    def test_second_sigterm_ends_the_drain(self):
        service = self.start()
        with service.client() as client:
            client.get("/slow?ms=8000")
            time.sleep(0.1)
            service.signal(signal.SIGTERM)
            time.sleep(0.2)
            self.assertTrue(service.is_alive())
            service.signal(signal.SIGTERM)
            started = time.monotonic()
            self.assertEqual(service.wait(), 0)
            self.assertLess(time.monotonic() - started, 2)

    def test_sigint_stops_at_once(self):
        service = self.start()
        with service.client() as client:
            client.get("/slow?ms=8000")
            time.sleep(0.1)
            service.signal(signal.SIGINT)
            started = time.monotonic()
            self.assertEqual(service.wait(), 0)
            self.assertLess(time.monotonic() - started, 2)

    def test_end_with_thousand_connections(self):
        service = self.start()
        clients = [service.client() for _ in range(1000)]
        for client in clients[::2]:
            client.ask("/dump")
        self.assertEqual(service.stop(), 0)
        for client in clients:
            self.assertEqual(client.rest(), b"")
            client.close()


class Restart(unittest.TestCase):
    """At once, although the kernel takes a ring and its listener apart only after the process."""

    def test_same_port_at_once(self):
        with Service("hello") as first:
            clients = [first.client() for _ in range(20)]
            for client in clients:
                client.ask("/")
            listen = f"127.0.0.1:{first.port}"
            # The side that closes first is left with the port in TIME_WAIT: here it is the service.
            self.assertEqual(first.stop(), 0)
            for client in clients:
                client.close()
        for _ in range(3):
            with Service("hello", listen=listen) as service:
                self.assertEqual(service.ask("/").body, b"Hello")
                check_clean(self, service)

    def test_same_port_after_a_kill(self):
        with Service("hello") as first:
            listen = f"127.0.0.1:{first.port}"
            with first.client() as client:
                client.ask("/")
                first.process.kill()
                first.wait()
        with Service("hello", listen=listen) as service:
            check_clean(self, service)

    def test_unix_socket_after_a_kill(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with Service("hello", listen="unix:" + path) as first:
                first.process.kill()
                first.wait()
            self.assertTrue(os.path.exists(path), "the stale file is what this is about")
            with Service("hello", listen="unix:" + path) as service:
                self.assertEqual(service.ask("/").body, b"Hello")
                check_clean(self, service)
            self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()

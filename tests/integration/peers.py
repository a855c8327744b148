#!/usr/bin/python3
"""Where connections come from."""

import os
import tempfile
import unittest

from support import Service, ServiceCase, check_clean, has_ipv6


def own_address(client):
    host, port = client.socket.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Peers(ServiceCase):
    PROGRAM = "routes_service"
    FLAGS = ("--peer-addresses", "on", "--shards", 2)

    def test_each_has_its_own(self):
        clients = [self.client() for _ in range(100)]
        for client in clients:
            client.get("/peer")
        for client in clients:
            self.assertEqual(client.reply().body.decode(), own_address(client))

    def test_all_requests_of_a_connection_have_one(self):
        client = self.client()
        for _ in range(5):
            self.assertEqual(client.ask("/peer").body.decode(), own_address(client))

    def test_it_is_in_the_plan(self):
        lines = {line["name"]: line for line in self.service.memory()["plan"]["lines"]}
        self.assertGreaterEqual(lines["peer addresses"]["size_total"],
                                24 * lines["connection slots"]["count"])


class NotKept(ServiceCase):
    PROGRAM = "routes_service"

    def test_it_is_told(self):
        self.assertEqual(self.client().ask("/peer").status, 404)


class OtherFamilies(unittest.TestCase):
    def ask(self, *flags):
        service = Service("routes_service", "--peer-addresses", "on", *flags)
        self.addCleanup(service.kill)
        with service.client() as client:
            address = own_address(client) if isinstance(service.address, tuple) else "unix"
            self.assertEqual(client.ask("/peer").body.decode(), address)
        check_clean(self, service)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_ipv6(self):
        self.ask("--listen", "[::1]:0")

    def test_unix(self):
        with tempfile.TemporaryDirectory() as directory:
            self.ask("--listen", "unix:" + os.path.join(directory, "socket"))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""What the shop's owner does over HTTP: imports, deliveries, parcels, cancelled orders."""

import tempfile
import threading
import time
import unittest

from storefront import KEY, Visitor, prepare, prepare_keys
from support import Service, ServiceCase

OWNER = f"Authorization: Bearer {KEY}"
CSV = "Content-Type: text/csv"
HEAD = "sku,name,category,price,stock\n"


def rows(count, first=1, price=7):
    return "".join(f"T-{number},Thing {number},Things,{price}.00,20\n"
                   for number in range(first, first + count))


class OwnedService(Service):
    """Its memory page asks for a key, too."""

    def ask(self, target="/", *fields, method="GET"):
        return super().ask(target, OWNER, *fields, method=method)


class Shop(ServiceCase):
    PROGRAM = "storefront"

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="zerog-shop-")
        cls.addClassCleanup(folder.cleanup)
        cls.service = OwnedService(cls.PROGRAM, *prepare(folder.name), *prepare_keys(folder.name))

    def setUp(self):
        super().setUp()
        self.visitor = Visitor(self.client())

    def send(self, text, *fields):
        """Imports; the reply."""
        return self.client().post("/admin/import", text.encode(), CSV, *(fields or (OWNER,))).reply()

    def price(self, product):
        return self.visitor.ask("GET", f"/api/products/{product}").json()["price_minor"]


class Import(Shop):
    def test_only_who_has_a_key_imports_and_only_csv(self):
        self.assertEqual(self.send(HEAD + rows(1), "X-Nothing: 1").status, 401)
        reply = self.client().post("/admin/import", b"{}", "Content-Type: application/json", OWNER).reply()
        self.assertEqual((reply.status, reply.json()["code"]), (415, "media_type"))

    def test_good_rows_are_taken_beside_bad_ones(self):
        reply = self.send(HEAD + rows(1, 1, 11) + "T-2,Thing 2,Things,x,1\n" + rows(1, 3, 13))
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json(), {"imported": 2, "error_count": 1, "errors": [
            {"row": 3, "line": 3, "column": "price", "detail": "not an amount: write 12.34"}]})
        self.assertEqual((self.price(1), self.price(3)), (1100, 1300))

    def test_a_header_that_is_no_good_imports_nothing(self):
        answer = self.send("sku,price\nT-1,1.00\n").json()
        self.assertEqual((answer["imported"], answer["error_count"]), (0, 2))
        self.assertEqual([error["column"] for error in answer["errors"]], ["name", "category"])

    def test_ten_thousand_rows_leave_slots_for_customers(self):
        """There are 64 slots: an import has a quarter of them at most."""
        text = HEAD + "".join(rows(40, 1, 1 + number % 9) for number in range(250))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.send(text)))
        thread.start()
        while not answers:
            self.assertEqual(self.visitor.put(30, 1).status, 200)
        thread.join()
        self.assertEqual(answers[0].json(), {"imported": 10000, "errors": [], "error_count": 0})

    def test_several_at_once_share_what_there_is(self):
        text = HEAD + rows(40) * 10
        clients = [self.client().post("/admin/import", text.encode(), CSV, OWNER) for _ in range(6)]
        for client in clients:
            self.assertEqual(client.reply().json()["imported"], 400)

    def test_what_breaks_off_leaves_what_was_handed_on(self):
        client = self.client()
        size = 1 << 20
        client.send((f"POST /admin/import HTTP/1.1\r\nHost: test\r\n{CSV}\r\n{OWNER}\r\n"
                     f"Content-Length: {size}\r\n\r\n" + HEAD + rows(20, 1, 99) + "T-21,Thi").encode())
        for _ in range(100):
            if self.price(20) == 9900:
                break
            time.sleep(0.05)
        client.reset()
        self.assertEqual((self.price(1), self.price(20)), (9900, 9900))
        self.assertNotEqual(self.price(21), 9900)
        self.assertEqual(self.send(HEAD + rows(40, 1, 5)).json()["imported"], 40)

    def test_clients_that_go_in_the_middle_take_nothing_with_them(self):
        """Rows are under way when their request's memory goes; what comes next lies where it was."""
        text = HEAD + rows(40) * 100
        for number in range(30):
            client = self.service.client()
            client.send((f"POST /admin/import HTTP/1.1\r\nHost: test\r\n{CSV}\r\n{OWNER}\r\n"
                         f"Content-Length: {1 << 24}\r\n\r\n" + text[:5000 + number * 500]).encode())
            time.sleep(0.002 * (number % 5))
            client.reset()
            self.assertEqual(self.send(HEAD + rows(40, 1, 6)).json(),
                             {"imported": 40, "errors": [], "error_count": 0})
        # What the shop had received of them it goes on with, for a moment: others' prices are theirs again.
        for _ in range(50):
            time.sleep(0.1)
            if self.price(1) == self.price(40) == 600:
                break
            self.send(HEAD + rows(40, 1, 6))
        self.assertEqual((self.price(1), self.price(40)), (600, 600))


class Orders(Shop):
    def order(self, product):
        self.assertEqual(self.visitor.put(product, 1).status, 200)
        return self.visitor.check_out().json()

    def test_a_delivery_adds_stock_and_a_loss_takes_it(self):
        before = self.visitor.ask("GET", "/api/products/5").json()["stock"]
        path = "/admin/products/5/stock"
        self.assertEqual(self.visitor.ask("POST", path, {"difference": 1}).status, 401)
        more = self.visitor.ask("POST", path, {"difference": 5}, OWNER)
        self.assertEqual((more.status, more.json()["stock"]), (200, before + 5))
        less = self.visitor.ask("POST", path, {"difference": -5}, OWNER)
        self.assertEqual((less.status, less.json()["stock"]), (200, before))
        reply = self.visitor.ask("POST", path, {"difference": -before - 1}, OWNER)
        self.assertEqual((reply.status, reply.json()["code"]), (422, "stock"))
        self.assertEqual(self.visitor.ask("POST", "/admin/products/999/stock", {"difference": 1}, OWNER).status, 404)

    def test_a_paid_order_is_shipped(self):
        order = self.order(6)
        path = f"/admin/orders/{order['id']}/ship"
        self.assertEqual(self.visitor.ask("POST", path).status, 401)
        reply = self.visitor.ask("POST", path, None, OWNER)
        self.assertEqual((reply.status, reply.json()["code"]), (409, "order_state"))
        self.assertEqual(self.visitor.pay(order, "ship").status, 201)
        for _ in range(2):
            reply = self.visitor.ask("POST", path, None, OWNER)
            self.assertEqual((reply.status, reply.json()["state"]), (200, "shipped"))
        self.assertEqual(self.visitor.ask("POST", "/admin/orders/999/ship", None, OWNER).status, 404)

    def test_a_customer_cancels_his_own_order_and_no_other(self):
        before = self.visitor.ask("GET", "/api/products/7").json()["stock"]
        order = self.order(7)
        path = f"/api/orders/{order['id']}/cancel"
        stranger = Visitor(self.client())
        self.assertEqual(stranger.ask("POST", path).status, 404)
        self.assertEqual(self.client().get(path, self.visitor.cookie, method="POST").reply().status, 403)
        reply = self.visitor.ask("POST", path)
        self.assertEqual((reply.status, reply.json()["state"]), (200, "cancelled"))
        self.assertEqual(self.visitor.ask("GET", "/api/products/7").json()["stock"], before)
        other = self.order(7)
        reply = stranger.ask("POST", f"/api/orders/{other['id']}/cancel?key={other['key']}")
        self.assertEqual((reply.status, reply.json()["state"]), (200, "cancelled"))

    def test_the_owner_cancels_what_is_not_paid(self):
        order = self.order(8)
        path = f"/admin/orders/{order['id']}/cancel"
        self.assertEqual(self.visitor.ask("POST", path).status, 401)
        reply = self.visitor.ask("POST", path, None, OWNER)
        self.assertEqual((reply.status, reply.json()["state"]), (200, "cancelled"))
        paid = self.order(8)
        self.visitor.pay(paid, "cancel")
        reply = self.visitor.ask("POST", f"/admin/orders/{paid['id']}/cancel", None, OWNER)
        self.assertEqual((reply.status, reply.json()["code"]), (409, "order_state"))


class Limits(unittest.TestCase):
    def test_what_does_not_fit_is_told_by_its_row_and_the_rest_outlives_a_kill(self):
        with tempfile.TemporaryDirectory(prefix="zerog-shop-") as folder:
            flags = (*prepare(folder), *prepare_keys(folder))
            with Service("storefront", *flags) as service, service.client() as client:
                # 40 products are there, 256 fit.
                text = HEAD + rows(216, 1001) + rows(30, 2001)
                answer = client.post("/admin/import", text.encode(), CSV, OWNER).reply().json()
                self.assertEqual((answer["imported"], answer["error_count"]), (216, 30))
                self.assertEqual(answer["errors"][0], {
                    "row": 218, "line": 218, "column": None,
                    "detail": "No more products fit: --products-max."})
                service.kill()
            with Service("storefront", *flags) as service:
                found = service.ask("/api/products?q=thing+1216").json()["products"]
                self.assertEqual([product["sku"] for product in found], ["T-1216"])


if __name__ == "__main__":
    unittest.main()

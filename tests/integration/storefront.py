#!/usr/bin/python3
"""The storefront: from the catalog to a paid order, over its journal."""

import json
import tempfile
import unittest
from pathlib import Path

from support import ROOT, ServiceCase, Service

GOOD, DECLINED, SILENT = "4242424242424242", "4000000000000002", "4000000000000119"
# A shop that is quick to fill: the limits of the one that ships are for 10,000 products.
SMALL = ("--products-max", 256, "--carts-max", 256, "--orders-max", 256, "--payments-max", 256,
         "--transactions-max", 64, "--keys-max", 256, "--slots", 64)
PRODUCTS = "sku,name,category,price,currency,stock\n" + "".join(
    f"T-{number},Thing {number},Things,{number}.50,EUR,10\n" for number in range(1, 41))
KEY = "a-key-of-the-shop-owner"


class Visitor:
    """A browser: it keeps its cookie, and speaks JSON."""

    def __init__(self, client):
        self.client = client
        self.cookie = None

    def ask(self, method, path, body=None, *fields):
        sent = ["X-Requested-With: storefront", *fields]
        if self.cookie:
            sent.append(self.cookie)
        if body is None:
            reply = self.client.get(path, *sent, method=method).reply()
        else:
            reply = self.client.post(path, json.dumps(body).encode(), "Content-Type: application/json", *sent,
                                     method=method).reply()
        value = reply.field("Set-Cookie")
        if value:
            self.cookie = "Cookie: " + value.split(";")[0]
        return reply

    def put(self, product, quantity):
        return self.ask("PUT", f"/api/cart/lines/{product}", {"quantity": quantity})

    def check_out(self):
        total = self.ask("GET", "/api/cart").json()["total_minor"]
        return self.ask("POST", "/api/checkout", {"confirmed_total_minor": total, "email": "a@example.org"})

    def pay(self, order, key, card=GOOD, amount=None):
        return self.ask("POST", f"/api/payments?key={order['key']}", {
            "order": order["id"], "amount_minor": amount or order["total_minor"], "currency": "EUR",
            "card": {"number": card, "month": 12, "year": 2030, "code": "123"}}, f"Idempotency-Key: {key}")


def prepare(folder):
    """A shop's files; the flags that go with them."""
    Path(folder, "products.csv").write_text(PRODUCTS, encoding="utf-8")
    return (*SMALL, "--store", f"journal:{folder}/data", "--products", f"{folder}/products.csv",
            "--pages", f"{ROOT}/apps/storefront/pages")


def prepare_keys(folder):
    keys = Path(folder, "keys")
    keys.write_text(f"owner {KEY}\n", encoding="utf-8")
    keys.chmod(0o600)
    return "--api-keys-file", keys


class Storefront(ServiceCase):
    PROGRAM = "storefront"

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="zerog-shop-")
        cls.addClassCleanup(folder.cleanup)
        cls.FLAGS = prepare(folder.name)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.visitor = Visitor(self.client())

    def test_the_pages_are_there_and_load_nothing_from_elsewhere(self):
        for path in ("/", "/product/1", "/cart", "/checkout", "/order/1"):
            reply = self.client().ask(path)
            self.assertEqual(reply.status, 200)
            self.assertIn("default-src 'self'", reply.field("Content-Security-Policy"))
        self.assertEqual(self.client().ask("/assets/shop.css").status, 200)

    def test_the_catalog_is_paged_searched_and_shown_by_category(self):
        first = self.visitor.ask("GET", "/api/products").json()
        self.assertEqual(len(first["products"]), 24)
        second = self.visitor.ask("GET", f"/api/products?cursor={first['next']}").json()
        self.assertEqual((len(second["products"]), second["next"]), (16, None))
        found = self.visitor.ask("GET", "/api/products?q=thing+17").json()["products"]
        self.assertEqual([product["sku"] for product in found], ["T-17"])
        self.assertEqual(self.visitor.ask("GET", "/api/categories").json(),
                         {"categories": [{"name": "Things", "count": 40}]})
        self.assertEqual(self.visitor.ask("GET", "/api/products?category=None").status, 404)
        self.assertEqual(self.visitor.ask("GET", "/api/products/9999").status, 404)

    def test_a_cart_holds_twenty_products_and_says_so(self):
        for product in range(1, 21):
            self.assertEqual(self.visitor.put(product, 1).status, 200)
        reply = self.visitor.put(21, 1)
        self.assertEqual((reply.status, reply.json()["code"], reply.json()["limit"]), (409, "cart_full", 20))
        self.assertEqual(len(self.visitor.put(20, 0).json()["lines"]), 19)

    def test_a_discount_is_taken_off(self):
        self.visitor.put(40, 2)
        cart = self.visitor.ask("PUT", "/api/cart/discount", {"code": "welcome10"}).json()
        self.assertEqual((cart["subtotal_minor"], cart["discount_minor"], cart["total_minor"]), (8100, 810, 7290))
        self.assertEqual(self.visitor.ask("PUT", "/api/cart/discount", {"code": "NOPE"}).status, 422)

    def test_what_another_site_sends_is_refused(self):
        reply = self.client().post("/api/cart/lines/1", b'{"quantity":1}', "Content-Type: application/json",
                                   method="PUT").reply()
        self.assertEqual((reply.status, reply.json()["code"]), (403, "foreign"))

    def test_an_order_is_paid_once_however_often_it_is_asked_for(self):
        self.visitor.put(3, 2)
        order = self.visitor.check_out().json()
        self.assertEqual((order["state"], order["total_minor"]), ("awaiting_payment", 700))
        first = self.visitor.pay(order, "key-1")
        self.assertEqual((first.status, first.json()["state"]), (201, "captured"))
        self.assertEqual(self.visitor.pay(order, "key-1").json(), first.json())
        other = self.visitor.pay(order, "key-1", amount=699)
        self.assertEqual((other.status, other.json()["code"]), (409, "idempotency_conflict"))
        self.assertEqual(self.visitor.pay(order, "key-2").status, 409)
        self.assertEqual(self.visitor.ask("GET", f"/api/orders/{order['id']}").json()["state"], "paid")
        self.assertEqual(self.visitor.ask("GET", "/api/products/3").json()["stock"], 8)

    def test_a_declined_card_leaves_the_order_to_be_paid_by_another(self):
        self.visitor.put(4, 1)
        order = self.visitor.check_out().json()
        declined = self.visitor.pay(order, "one", DECLINED)
        self.assertEqual((declined.status, declined.json()["decline_reason"]), (402, "declined"))
        self.assertEqual(self.visitor.pay(order, "two").status, 201)

    def test_a_card_that_cannot_be_one_is_refused_by_its_field(self):
        self.visitor.put(4, 1)
        order = self.visitor.check_out().json()
        reply = self.visitor.pay(order, "one", "4242424242424241")
        self.assertEqual((reply.status, reply.json()["field"]), (422, "card.number"))
        reply = self.visitor.ask("POST", "/api/payments", {
            "order": order["id"], "amount_minor": 1, "currency": "EUR",
            "card": {"number": GOOD, "month": 12, "year": 2030}})
        self.assertEqual((reply.status, reply.json()["code"]), (400, "idempotency_key"))

    def test_an_acquirer_without_a_word_is_asked_again(self):
        self.visitor.put(5, 1)
        order = self.visitor.check_out().json()
        self.assertEqual(self.visitor.pay(order, "slow", SILENT).status, 201)
        self.assertEqual(self.visitor.ask("GET", f"/api/orders/{order['id']}").json()["state"], "paid")

    def test_others_orders_are_not_shown(self):
        self.visitor.put(7, 1)
        order = self.visitor.check_out().json()
        stranger = Visitor(self.client())
        self.assertEqual(stranger.ask("GET", f"/api/orders/{order['id']}").status, 404)
        self.assertEqual(stranger.ask("GET", f"/api/orders/{order['id']}?key=0000000000000000").status, 404)
        self.assertEqual(stranger.ask("GET", f"/api/orders/{order['id']}?key={order['key']}").status, 200)

    def test_no_malloc_and_no_page_more_through_a_whole_purchase(self):
        before = self.client().ask("/memory.json").json()
        for number in range(5):
            visitor = Visitor(self.client())
            visitor.put(8 + number, 1)
            self.assertEqual(visitor.pay(visitor.check_out().json(), f"purchase-{number}").status, 201)
        after = self.client().ask("/memory.json").json()
        self.assertEqual(after["mallocs_since_seal"], 0)
        self.assertEqual(after["resident"], before["resident"])


class Owner(unittest.TestCase):
    """What only the shop's owner may do."""

    def test_only_who_has_a_key_refunds(self):
        with tempfile.TemporaryDirectory(prefix="zerog-shop-") as folder:
            flags = (*prepare(folder), *prepare_keys(folder))
            with Service("storefront", *flags) as service, service.client() as client:
                self.refund(Visitor(client))

    def refund(self, visitor):
        visitor.put(6, 1)
        order = visitor.check_out().json()
        payment = visitor.pay(order, "k").json()
        path = f"/api/payments/{payment['id']}/refund"
        self.assertEqual(visitor.ask("POST", path, {"amount_minor": 100}).status, 401)
        key = f"Authorization: Bearer {KEY}"
        part = visitor.ask("POST", path, {"amount_minor": 100}, key)
        self.assertEqual((part.status, part.json()["refunded_minor"]), (200, 100))
        self.assertEqual(visitor.ask("POST", path, {"amount_minor": 100000}, key).status, 422)


class Restart(unittest.TestCase):
    """What was acknowledged is there after kill -9."""

    def test_a_killed_shop_remembers_what_it_has_said(self):
        with tempfile.TemporaryDirectory(prefix="zerog-shop-") as folder:
            flags = prepare(folder)
            with Service("storefront", *flags) as service, service.client() as client:
                visitor = Visitor(client)
                visitor.put(3, 2)
                order = visitor.check_out().json()
                paid = visitor.pay(order, "key-1").json()
                service.kill()
            with Service("storefront", *flags) as service, service.client() as client:
                visitor = Visitor(client)
                self.assertEqual(visitor.pay(order, "key-1").json(), paid)
                found = visitor.ask("GET", f"/api/orders/{order['id']}?key={order['key']}").json()
                self.assertEqual((found["state"], len(found["payments"])), ("paid", 1))
                self.assertEqual(visitor.ask("GET", "/api/products/3").json()["stock"], 8)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""The storefront is killed in the middle of payments, again and again, and has lost none.

Each round eight clients shop and pay until the process is killed at a random moment. Started again,
it gives the same answer to every request that was answered before; what was not answered is asked
again with the same key until it is, and then everything that was ever paid is known, to the cent.
"""

import json
import os
import random
import signal
import struct
import tempfile
import threading
import time
import unittest

from support import IS_LONG, ROOT, Service, has_sanitizer, program, run

ROUNDS = 1000 if IS_LONG else 10
CLIENTS = 8
LOAD_SECONDS_MAX = 0.5
PRODUCTS = 40
STOCK_EACH = 50000
OLD_ANSWERS_MAX = 50  # of earlier rounds, picked anew after each restart
RECOVERY_SECONDS_MAX = 1.0
RECOVERY_RECORDS = 1000000 if IS_LONG else 100000
RECOVERY_STARTS = 3  # the best counts: others may be using the machine
PATIENCE_SECONDS = 20
# Nothing that was answered may make room for something else, and boots are to be quick.
ROOM = 400000 if IS_LONG else 16384
LIMITS = ("--products-max", 256, "--carts-max", 4096, "--orders-max", ROOM, "--payments-max", ROOM,
          "--keys-max", ROOM, "--transactions-max", 1024, "--slots", 1024)
SEED = int(os.environ.get("ZEROG_SEED", time.time_ns() % 1000000))

APPROVED, DECLINED, POOR = "4242424242424242", "4000000000000002", "4000000000009995"
CARDS = (APPROVED, APPROVED, APPROVED, DECLINED, POOR)
GUARD = "X-Requested-With: storefront"
JSON = "Content-Type: application/json"
RECORD = "Content-Type: application/x-zerog-payment"
ANSWER = struct.Struct("<IHHQqIHHI28x")
IN_FLIGHT = (202, 503)  # not the last word


def crc32c_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


CRC32C = tuple(crc32c_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def record(key, amount, card):
    """A payment without an order as its binary record: payments/payment_record.h."""
    head = struct.pack("<IHHQqHHBB2x20s4s48sQ12x", 0x5950475A, 1, 1, 0, amount, 978, 2035, 12, 0,
                       card.encode(), b"123", key.encode(), 0)
    return head + struct.pack("<I", crc32c(head))


class Answer:
    """What a request for a payment was told; equal when it is the same in every respect."""

    def __init__(self, reply):
        self.status = reply.status
        self.is_final = reply.status not in IN_FLIGHT
        if reply.field("Content-Type") == RECORD.split(": ")[1]:
            _, _, status, self.id, amount, state, _, reason, _ = ANSWER.unpack(reply.body)
            self.is_captured = status == 201
            self.amount = amount
            self.words = (status, self.id, amount, state, reason)
        else:
            payment = reply.json()
            self.id = payment.get("id", 0)
            self.is_captured = payment.get("state") == "captured"
            self.amount = payment.get("captured_minor", 0)
            self.words = (reply.status, self.id, payment.get("state"), self.amount,
                          payment.get("decline_reason"), payment.get("code"))

    def __eq__(self, other):
        return self.words == other.words

    def __repr__(self):
        return f"<{self.words}>"


class Payment:
    """A request for one, and what was said to it."""

    def __init__(self, target, body, fields, order=None):
        self.target = target
        self.body = body
        self.fields = fields
        self.order = order
        self.answer = None

    def ask(self, client):
        answer = Answer(client.post(self.target, self.body, *self.fields).reply())
        if answer.status == 503:
            return None
        return answer


class Order:
    """What was checked out; its key lets us see it when no session is left."""

    def __init__(self, order):
        self.id = order["id"]
        self.key = order["key"]
        self.total = order["total_minor"]
        self.pieces = sum(line["quantity"] for line in order["lines"])
        self.payments = []

    def path(self):
        return f"/api/orders/{self.id}?key={self.key}"


class Shopper(threading.Thread):
    """One client: shops and pays until the service is gone."""

    def __init__(self, book, number):
        super().__init__()
        self.book = book
        self.random = random.Random(f"{SEED} {book.round} {number}")
        self.name = f"{book.round}-{number}"
        self.cookie = []
        self.count = 0
        self.error = None

    def run(self):
        try:
            with self.book.service.client() as client:
                while True:
                    self.shop(client)
        except (OSError, EOFError):
            pass  # It was killed: that is what we are here for.
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.error = error

    def key(self):
        self.count += 1
        return f"{SEED}-{self.name}-{self.count}"

    def put(self, client, target, body):
        reply = client.post(target, json.dumps(body).encode(), JSON, GUARD, *self.cookie,
                            method="PUT").reply()
        if reply.field("Set-Cookie"):
            self.cookie = ["Cookie: " + reply.field("Set-Cookie").split(";")[0]]
        return reply

    def shop(self, client):
        if self.random.random() < 0.3:
            amount = self.random.randint(1, 100000)
            self.pay(client, Payment("/payments",
                                     record(self.key(), amount, self.random.choice(CARDS)),
                                     (RECORD,)))
            return
        order = self.check_out(client)
        while order is not None and self.random.random() < 0.9:
            card = self.random.choice(CARDS)
            body = {"order": order.id, "amount_minor": order.total, "currency": "EUR",
                    "card": {"number": card, "month": 12, "year": 2035, "code": "123"}}
            payment = Payment(f"/api/payments?key={order.key}", json.dumps(body).encode(),
                              (JSON, GUARD, f"Idempotency-Key: {self.key()}"), order)
            order.payments.append(payment)
            self.pay(client, payment)
            if payment.answer.is_captured:
                return

    def check_out(self, client):
        for _ in range(self.random.randint(1, 3)):
            reply = self.put(client, f"/api/cart/lines/{self.random.randint(1, PRODUCTS)}",
                             {"quantity": self.random.randint(1, 3)})
            if reply.status == 503:
                return None
        cart = client.ask("/api/cart", *self.cookie).json()
        reply = client.post("/api/checkout",
                            json.dumps({"confirmed_total_minor": cart["total_minor"],
                                        "email": "shopper@example.org"}).encode(),
                            JSON, GUARD, *self.cookie).reply()
        if reply.status == 503:
            return None
        if reply.status != 201:
            raise AssertionError(f"no order: {reply} {cart}")
        order = Order(reply.json())
        self.book.add_order(order)
        return order

    def pay(self, client, payment):
        self.book.add_payment(payment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while payment.answer is None:
            answer = payment.ask(client)
            if answer is not None and answer.is_final:
                payment.answer = answer
            elif time.monotonic() > deadline:
                raise AssertionError(f"no last word: {answer}")
        while self.random.random() < 0.2:
            again = payment.ask(client)
            if again is not None and again != payment.answer:
                raise AssertionError(f"asked again: {again}, not {payment.answer}")


class Book:
    """All that the clients have ever asked for, over every life of the service."""

    def __init__(self, service):
        self.service = service
        self.round = 0
        self.lock = threading.Lock()
        self.orders = {}
        self.payments = []

    def add_order(self, order):
        with self.lock:
            self.orders[order.id] = order

    def add_payment(self, payment):
        with self.lock:
            self.payments.append(payment)


class Kill(unittest.TestCase):
    def setUp(self):
        # pylint: disable=consider-using-with
        folder = tempfile.TemporaryDirectory(prefix="storefront-kill-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.random = random.Random(SEED)
        with open(self.path("products.csv"), "w", encoding="utf-8") as file:
            file.write("sku,name,category,price,currency,stock,colour,emoji\n")
            for number in range(PRODUCTS):
                file.write(f"K-{number},Thing {number},Things,{1 + number}.50,EUR,{STOCK_EACH},"
                           "aabbcc,*\n")
        self.service = None
        self.recoveries = []
        self.boots = []
        self.start()
        self.addCleanup(lambda: self.service.kill())  # pylint: disable=unnecessary-lambda
        self.book = Book(self.service)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        begin = time.monotonic()
        self.service = Service("storefront", "--store", f"journal:{self.path('data')}",
                               "--products", self.path("products.csv"), "--pages",
                               os.path.join(ROOT, "apps", "storefront", "pages"), *LIMITS,
                               "--acquirer-delay-ms", self.random.choice((0, 1, 5)))
        self.boots.append(time.monotonic() - begin)

    def audit(self):
        """What the shop says that it holds; it has added everything up anew, and it does."""
        with self.service.client() as client:
            # Who sits at the machine needs no key; a foreign Host would not be that.
            reply = client.send(b"GET /admin/audit HTTP/1.1\r\nHost: localhost\r\n\r\n").reply()
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def load_and_kill(self):
        self.book.service = self.service
        shoppers = [Shopper(self.book, number) for number in range(CLIENTS)]
        for shopper in shoppers:
            shopper.start()
        time.sleep(self.random.uniform(0.02, LOAD_SECONDS_MAX))
        self.service.signal(signal.SIGKILL)
        self.service.wait()
        for shopper in shoppers:
            shopper.join()
            self.assertIsNone(shopper.error, f"seed {SEED}, round {self.book.round}")
        self.service.kill()

    def settle(self, client, payment):
        """The last word to what was not answered: it has happened once, or not at all."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while payment.answer is None:
            answer = payment.ask(client)
            if answer is not None and answer.is_final:
                payment.answer = answer
            elif time.monotonic() > deadline:
                self.fail(f"seed {SEED}: no last word: {answer}")

    def check_answers(self, client, payments):
        for payment in payments:
            again = payment.ask(client)
            self.assertEqual(again, payment.answer,
                             f"seed {SEED}, round {self.book.round}: {payment.body}")

    def check_orders(self, client, orders):
        for order in orders:
            seen = client.ask(order.path()).json()
            captured = [payment.answer for payment in order.payments if payment.answer
                        and payment.answer.is_captured]
            self.assertLessEqual(len(captured), 1, f"seed {SEED}: order {order.id} paid twice")
            self.assertEqual(seen["total_minor"], order.total)
            self.assertEqual(seen["state"] == "paid", bool(captured),
                             f"seed {SEED}: {seen}, {order.payments}")
            if captured:
                self.assertEqual([payment["id"] for payment in seen["payments"]],
                                 [captured[0].id])
                self.assertEqual(captured[0].amount, order.total)

    def check_sums(self):
        audit = self.audit()
        paid = {}
        for payment in self.book.payments:
            answer = payment.answer
            if answer.is_captured:
                self.assertNotIn(answer.id, paid, f"seed {SEED}: two keys, one payment")
                paid[answer.id] = answer.amount
        self.assertEqual(audit["captured_minor"], sum(paid.values()), f"seed {SEED}")
        self.assertEqual(audit["captured"], len(paid), f"seed {SEED}")
        self.assertEqual(audit["refunded_minor"], 0)
        self.assertEqual(audit["transactions"], 0)
        sold = [order.pieces for order in self.book.orders.values()
                if any(payment.answer and payment.answer.is_captured
                       for payment in order.payments)]
        stock = audit["stock"]
        self.assertEqual(audit["orders_paid"], len(sold), f"seed {SEED}")
        self.assertEqual(stock["sold"], sum(sold), f"seed {SEED}")
        self.assertEqual(stock["supplied"], PRODUCTS * STOCK_EACH)
        self.assertEqual(stock["available"] + stock["reserved"] + stock["sold"],
                         stock["supplied"])
        return audit

    def check_round(self, payments_before):
        fresh = self.book.payments[payments_before:]
        answered = [payment for payment in fresh if payment.answer is not None]
        old = self.book.payments[:payments_before]
        with self.service.client() as client:
            self.check_answers(client, answered)
            self.check_answers(client, self.random.sample(old, min(OLD_ANSWERS_MAX, len(old))))
            for payment in fresh:
                self.settle(client, payment)
            self.check_answers(client, [payment for payment in fresh if payment not in answered])
            self.check_orders(client, {payment.order for payment in fresh if payment.order})
        audit = self.check_sums()
        self.recoveries.append((audit["journal"]["recovery_us"] / 1e6,
                                audit["journal"]["recovered_records"]))

    def test_killed_at_any_moment_no_payment_is_lost_and_none_is_made_twice(self):
        for number in range(ROUNDS):
            self.book.round = number
            payments_before = len(self.book.payments)
            self.load_and_kill()
            self.start()
            self.book.service = self.service
            self.check_round(payments_before)
        with self.service.client() as client:
            self.check_answers(client, self.book.payments)
            self.check_orders(client, self.book.orders.values())
        self.assertGreater(len(self.book.orders), ROUNDS)
        longest, records = max(self.recoveries)
        print(f"# seed {SEED}: {ROUNDS} kills, {len(self.book.payments)} payments, "
              f"{len(self.book.orders)} orders; recovery {longest * 1e3:.1f} ms at most "
              f"({records} records), boot {max(self.boots):.2f} s at most")
        if not has_sanitizer("storefront"):
            self.assertLess(longest, RECOVERY_SECONDS_MAX)
        self.assertEqual(self.service.stop(), 0, self.service.log())


class Recovery(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(program("payments-recover")), "payments-recover is not built")
    def test_a_shop_of_many_records_is_back_within_a_second(self):
        with tempfile.TemporaryDirectory(prefix="storefront-kill-") as folder:
            status, _, errors = run("payments-recover", "fill", folder, RECOVERY_RECORDS)
            self.assertEqual(status, 0, errors)
            times = []
            for _ in range(RECOVERY_STARTS):
                # It ends well only when every record was applied, and all sums are right.
                status, output, errors = run("payments-recover", "recover", folder,
                                             RECOVERY_RECORDS)
                self.assertEqual(status, 0, errors)
                times.append(float(output.split()[0]))
        print(f"# {RECOVERY_RECORDS} records: {min(times):.3f} s at best of {times}")
        if not has_sanitizer("storefront"):
            self.assertLess(min(times), RECOVERY_SECONDS_MAX)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""The description of the storefront's interface: it is complete, and the service does what it says."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from storefront import DECLINED, KEY, SILENT, Visitor, prepare, prepare_keys
from support import ROOT, Service, ServiceCase, run

OWNER = f"Authorization: Bearer {KEY}"
METHODS = ("get", "put", "post", "delete")
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
# There where the charts' program is installed.
OPTIONAL = {"GET /assets/vendor", "GET /assets/vendor/{path}"}
DOCUMENT = json.loads(Path(ROOT, "apps/storefront/api/openapi.json").read_text(encoding="utf-8"))


def resolved(value):
    """What a reference stands for."""
    while "$ref" in value:
        place = DOCUMENT
        for name in value["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        value = place
    return value


def operations():
    """(method, path, the path's description, the operation)"""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item, item[method]


def fault(schema, value, place="it"):
    """What is the matter with a value, strictly: members that nobody has described are faults. Or None."""
    schema = resolved(schema)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
                         for kind in kinds):
        return f"{place} is no {kinds}: {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{place} is none of {schema['enum']}: {value!r}"
    if isinstance(value, list) and "items" in schema:
        found = [fault(schema["items"], item, f"{place}[{index}]") for index, item in enumerate(value)]
        return next((text for text in found if text), None)
    if isinstance(value, dict) and "properties" in schema:
        for name in schema["required"]:
            if name not in value:
                return f"{place}.{name} is missing"
        for name, member in value.items():
            if name not in schema["properties"]:
                return f"{place}.{name} is not described"
            found = fault(schema["properties"][name], member, f"{place}.{name}")
            if found:
                return found
    return None


class Document(unittest.TestCase):
    def test_it_describes_the_routes_there_are_and_no_others(self):
        status, stdout, stderr = run("storefront", "--routes")
        self.assertEqual((status, stderr), (0, ""))
        # A parameter's type is told in its schema, and that it may have slashes in its sentence.
        routes = {re.sub(r"\{(\w+)[^}]*\}", r"{\1}", line) for line in stdout.splitlines()}
        described = {f"{method} {path}" for method, path, _, _ in operations()}
        self.assertEqual(routes - described, set(), "not described")
        self.assertEqual(described - routes - OPTIONAL, set(), "described, but not there")

    def test_each_parameter_of_a_path_is_described(self):
        for method, path, item, operation in operations():
            parameters = [resolved(value) for value in item.get("parameters", []) + operation.get("parameters", [])]
            named = {value["name"] for value in parameters if value["in"] == "path"}
            self.assertEqual(named, set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}")
            for value in parameters:
                self.assertIn("schema", value)
                self.assertTrue(value.get("required") or value["in"] != "path", value["name"])

    def test_references_lead_somewhere_and_all_components_are_used(self):
        used = set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', json.dumps(DOCUMENT)))
        for reference in used:
            resolved({"$ref": f"#/components/{reference}"})
        there = {f"{kind}/{name}" for kind in ("parameters", "responses", "schemas")
                 for name in DOCUMENT["components"][kind]}
        self.assertEqual(there, used)

    def test_security_names_schemes_that_there_are(self):
        for method, path, _, operation in operations():
            for way in operation.get("security", []):
                self.assertLessEqual(set(way), set(DOCUMENT["components"]["securitySchemes"]), f"{method} {path}")

    def test_examples_are_what_their_schemas_say(self):
        for method, path, _, operation in operations():
            bodies = [resolved(value) for value in operation["responses"].values()]
            bodies += [operation["requestBody"]] if "requestBody" in operation else []
            for body in bodies:
                for content in body.get("content", {}).values():
                    if "example" in content:
                        self.assertIsNone(fault(content["schema"], content["example"]), f"{method} {path}")

    def test_every_json_answer_has_an_example(self):
        for method, path, _, operation in operations():
            for status, response in operation["responses"].items():
                content = resolved(response).get("content", {}).get("application/json")
                if content and "properties" in resolved(content["schema"]):
                    self.assertIn("example", content, f"{method} {path} {status}")


class Answers(ServiceCase):
    """Every operation is asked for; what comes is what the document says."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="zerog-shop-")
        cls.addClassCleanup(folder.cleanup)
        cls.service = Service("storefront", *prepare(folder.name), *prepare_keys(folder.name))
        cls.asked = set()

    @classmethod
    def tearDownClass(cls):
        cls.service.kill()

    def setUp(self):
        super().setUp()
        self.visitor = Visitor(self.client())

    def check(self, method, template, status, reply):
        """The reply, whose status, type and members have to be described."""
        operation = DOCUMENT["paths"][template][method.lower()]
        what = f"{method} {template}: {reply}"
        self.assertEqual(reply.status, status, what)
        self.assertIn(str(status), operation["responses"], what)
        contents = resolved(operation["responses"][str(status)]).get("content", {})
        if contents:
            kind = reply.field("Content-Type").split(";")[0]
            content = contents.get(kind, contents.get("*/*"))
            self.assertIsNotNone(content, what)
            if kind.endswith("json"):
                self.assertIsNone(fault(content["schema"], reply.json()), what)
        if status < 400:
            self.asked.add(f"{method} {template}")
        return reply

    def ask(self, method, template, status, body=None, *fields, number=1, query=""):
        path = re.sub(r"\{id\}", str(number), template) + query
        return self.check(method, template, status, self.visitor.ask(method, path, body, *fields))

    def order(self, product):
        self.ask("PUT", "/api/cart/lines/{id}", 200, {"quantity": 1}, number=product)
        total = self.ask("GET", "/api/cart", 200).json()["total_minor"]
        return self.ask("POST", "/api/checkout", 201, {"confirmed_total_minor": total, "email": "a@example.org"}).json()

    def pay(self, order, status, key, **changes):
        card = {"number": changes.pop("number", "4242424242424242"), "month": 12, "year": 2030, "code": "123"}
        body = {"order": order["id"], "amount_minor": order["total_minor"], "currency": "EUR", "card": card, **changes}
        return self.ask("POST", "/api/payments", status, body, f"Idempotency-Key: {key}").json()

    def test_1_catalog_pages_and_service(self):
        for path in ("/", "/cart", "/checkout", "/dashboard", "/openapi.json", "/healthz"):
            self.ask("GET", path, 200)
        for path in ("/product/{id}", "/order/{id}"):
            self.ask("GET", path, 200)
        for path in ("/metrics", "/memory", "/memory.json", "/leaks", "/memory/events", "/admin/audit"):
            self.ask("GET", path, 401)
            self.check("GET", path, 200, self.client().ask(path, OWNER))
        self.ask("GET", "/memory", 200, None, OWNER, query="?format=json")
        self.check("GET", "/assets", 404, self.client().ask("/assets"))
        self.check("GET", "/assets/{path}", 200, self.client().ask("/assets/shop.css"))
        self.check("GET", "/assets/{path}", 404, self.client().ask("/assets/none.css"))
        self.ask("GET", "/api/products", 200, query="?q=thing")
        self.ask("GET", "/api/products", 400, query="?cursor=x")
        self.ask("GET", "/api/products", 404, query="?category=None")
        self.ask("GET", "/api/products/{id}", 200)
        self.ask("GET", "/api/products/{id}", 404, number=999)
        self.ask("GET", "/api/categories", 200)
        self.assertEqual(self.client().ask("/openapi.json").json(), DOCUMENT)

    def test_2_cart(self):
        lines = "/api/cart/lines/{id}"
        self.ask("GET", "/api/cart", 200)
        self.ask("PUT", lines, 200, {"quantity": 2})
        self.ask("PUT", lines, 422, {"quantity": 1001})
        self.ask("PUT", lines, 404, {"quantity": 1}, number=999)
        self.ask("PUT", lines, 409, {"quantity": 90})
        self.check("PUT", lines, 403, self.client().post(
            "/api/cart/lines/1", b'{"quantity":1}', "Content-Type: application/json", method="PUT").reply())
        self.check("PUT", lines, 415, self.client().post(
            "/api/cart/lines/1", b'{"quantity":1}', "X-Requested-With: test", method="PUT").reply())
        self.check("PUT", lines, 400, self.client().post(
            "/api/cart/lines/1", b'{"quantity', "Content-Type: application/json", "X-Requested-With: test",
            method="PUT").reply())
        self.ask("PUT", "/api/cart/discount", 200, {"code": "WELCOME10"})
        self.ask("PUT", "/api/cart/discount", 422, {"code": "NOPE"})
        self.ask("DELETE", "/api/cart/discount", 200)
        self.ask("DELETE", lines, 200)
        self.ask("POST", "/api/checkout", 422, {})

    def test_3_orders_and_payments(self):
        order = self.order(3)
        self.ask("GET", "/api/orders/{id}", 200, number=order["id"])
        self.ask("GET", "/api/orders/{id}", 404, number=999)
        self.pay(order, 402, "declined", number=DECLINED)
        self.pay(order, 422, "bad", number="4242424242424241")
        self.ask("POST", "/api/payments", 422, {"order": order["id"]}, "Idempotency-Key: x")
        payment = self.pay(order, 201, "held", capture=False)
        self.pay(order, 409, "held", capture=False, amount_minor=1)
        number = payment["id"]
        self.ask("GET", "/api/payments/{id}", 200, number=number)
        self.ask("GET", "/api/payments/{id}", 404, number=999)
        steps = "/api/payments/{id}/"
        self.ask("POST", steps + "capture", 401, {}, number=number)
        self.ask("POST", steps + "capture", 200, {}, OWNER, number=number)
        self.ask("POST", steps + "void", 409, {}, OWNER, number=number)
        self.ask("POST", steps + "refund", 200, {"amount_minor": 100}, OWNER, number=number)
        self.ask("POST", steps + "refund", 422, {"amount_minor": 10**9}, OWNER, number=number)
        self.ask("POST", "/admin/orders/{id}/ship", 200, None, OWNER, number=order["id"])
        self.ask("POST", "/admin/orders/{id}/cancel", 409, None, OWNER, number=order["id"])
        other = self.pay(self.order(4), 201, "let-go", capture=False)
        self.ask("POST", steps + "void", 200, {}, OWNER, number=other["id"])
        self.pay(self.order(5), 201, "slow", number=SILENT)
        self.ask("POST", "/api/orders/{id}/cancel", 200, number=self.order(6)["id"])
        self.ask("POST", "/api/orders/{id}/cancel", 404, number=999)
        self.ask("POST", "/admin/orders/{id}/cancel", 200, None, OWNER, number=self.order(7)["id"])
        self.ask("POST", "/admin/orders/{id}/ship", 401, number=1)

    def test_4_a_changed_price_is_told(self):
        self.ask("PUT", "/api/cart/lines/{id}", 200, {"quantity": 1}, number=8)
        self.client().post("/admin/import", b"sku,name,category,price,stock\nT-8,Thing 8,Things,99.00,10\n",
                           "Content-Type: text/csv", OWNER).reply()
        reply = self.ask("POST", "/api/checkout", 409, {"confirmed_total_minor": 850, "email": "a@example.org"})
        self.assertEqual(reply.json()["changes"], [{"product": 8, "was_minor": 850, "is_minor": 9900}])

    def test_5_admin_and_the_binary_record(self):
        def send(text, *fields):
            return self.client().post("/admin/import", text, *fields).reply()

        self.check("POST", "/admin/import", 200, send(
            b"sku,name,category,price\nT-9,Thing 9,Things,1.00\nT-9,Thing 9,Things,x\n",
            "Content-Type: text/csv", OWNER))
        self.check("POST", "/admin/import", 401, send(b"", "Content-Type: text/csv"))
        self.check("POST", "/admin/import", 415, send(b"", OWNER))
        self.ask("POST", "/admin/products/{id}/stock", 200, {"difference": 1}, OWNER)
        self.ask("POST", "/admin/products/{id}/stock", 422, {"difference": -10**8}, OWNER)
        self.ask("POST", "/admin/products/{id}/stock", 404, {"difference": 1}, OWNER, number=999)
        self.check("POST", "/payments", 422, self.client().post("/payments", bytes(128)).reply())

    def test_6_nothing_was_left_out(self):
        described = {f"{method} {path}" for method, path, _, _ in operations()}
        # A record that is good is the payment record's own test; the folder has no page.
        self.assertEqual(described - self.asked - OPTIONAL, {"POST /payments", "GET /assets"})


if __name__ == "__main__":
    unittest.main()

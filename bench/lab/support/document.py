"""The document that every peer serves at /json, byte for byte."""

import json

ITEM_COUNT = 48


def document():
    """The bytes that a peer has to send, as text."""
    items = [{"id": number, "name": f"item {number}", "price_minor": number * 137,
              "currency": "EUR", "in_stock": number % 2 == 1}
             for number in range(1, ITEM_COUNT + 1)]
    return json.dumps({"message": "Hello", "items": items}, separators=(",", ":"))

#!/usr/bin/python3
"""The catalog that ships is the one that the generator writes, and as large as it may be."""

import csv
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import products  # noqa: E402

SIZE_MAX = 1000000  # bytes
NAME_SIZE_MAX = 63


class ProductsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(products.ROOT, products.FILE), encoding="utf-8", newline="") as file:
            cls.text = file.read()
        cls.rows = list(csv.DictReader(io.StringIO(cls.text)))

    def test_the_shipped_file_is_the_generators(self):
        written = io.StringIO()
        products.write(written)
        self.assertTrue(self.text == written.getvalue(), "write it anew: tools/data/products.py")

    def test_there_are_10000_and_no_sku_or_name_twice(self):
        self.assertEqual(len(self.rows), products.COUNT)
        for column in ("sku", "name"):
            self.assertEqual(len({row[column] for row in self.rows}), products.COUNT)

    def test_it_is_no_larger_than_it_may_be(self):
        self.assertLess(len(self.text.encode()), SIZE_MAX)
        self.assertLessEqual(max(len(row["name"].encode()) for row in self.rows), NAME_SIZE_MAX)

    def test_every_category_has_its_share(self):
        for category in products.CATEGORIES:
            self.assertGreater(sum(row["category"] == category for row in self.rows), 500)


if __name__ == "__main__":
    unittest.main()

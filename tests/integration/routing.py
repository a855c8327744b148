#!/usr/bin/python3
"""Path parameters and query values, as a handler is given them."""

import unittest

from support import ServiceCase


class Routing(ServiceCase):
    PROGRAM = "test_service"

    def setUp(self):
        self.connection = self.client()

    def parameters(self, target):
        return self.connection.ask(target).json()["parameters"]

    def value(self, name, query):
        return self.connection.ask(f"/value/{name}?{query}").body

    def test_parameter_is_one_segment(self):
        self.assertEqual(self.parameters("/dump/one"), {"first": "one"})
        self.assertEqual(self.parameters("/dump/one/two"), {"first": "one", "second": "two"})
        self.assertEqual(self.connection.ask("/dump/one/two/three").status, 404)

    def test_parameter_is_not_empty(self):
        self.assertEqual(self.connection.ask("/dump/").status, 404)

    def test_static_segment_wins_over_a_parameter(self):
        self.assertEqual(self.parameters("/dump/one/fixed"), {"first": "one"})
        self.assertEqual(self.parameters("/dump/one/fixe"), {"first": "one", "second": "fixe"})

    def test_rest_takes_slashes(self):
        self.assertEqual(self.parameters("/files/a/b/c.txt"), {"rest": "a/b/c.txt"})
        self.assertEqual(self.parameters("/files/"), {"rest": ""})

    def test_parameters_are_percent_decoded(self):
        self.assertEqual(self.parameters("/dump/a%20b%C3%A9%2Fc"), {"first": "a bé/c"})
        self.assertEqual(self.parameters("/files/a%2Fb/%7Bc%7D"), {"rest": "a/b/{c}"})

    def test_plus_is_a_plus_in_a_path(self):
        self.assertEqual(self.parameters("/dump/a+b"), {"first": "a+b"})

    def test_path_is_shown_as_sent(self):
        self.assertEqual(self.connection.ask("/dump/%61").json()["path"], "/dump/%61")

    def test_query_value(self):
        self.assertEqual(self.value("a", "a=1&b=2"), b"1")
        self.assertEqual(self.value("b", "a=1&b=2"), b"2")

    def test_first_of_equal_names_counts(self):
        self.assertEqual(self.value("a", "a=1&a=2"), b"1")

    def test_query_is_decoded(self):
        self.assertEqual(self.value("a", "a=x+y%26%3D%2B"), b"x y&=+")
        self.assertEqual(self.value("the%20name", "the+name=1"), b"1")

    def test_name_without_value_is_empty(self):
        self.assertEqual(self.value("a", "b&a&c"), b"")
        self.assertEqual(self.value("a", "a="), b"")

    def test_value_may_hold_an_equals_sign(self):
        self.assertEqual(self.value("a", "a=b=c"), b"b=c")

    def test_name_is_the_whole_name(self):
        for query in ("", "&&", "ab=1", "b=a", "%61b=1"):
            with self.subTest(query=query):
                self.assertEqual(self.connection.ask("/value/a?" + query).status, 404)


if __name__ == "__main__":
    unittest.main()

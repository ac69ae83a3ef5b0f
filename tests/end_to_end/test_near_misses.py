"""Near misses: which names are taken for which."""

from __future__ import annotations

import pytest

from target_dotdigital.near_misses import did_you_mean, nearly_equal, nearly_equal_stream


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Customers", "customers"),
        ("customer_s", "customers"),
        ("customer", "customers"),
        ("custmoers", "customers"),
        ("customers2", "customers"),
        ("poeple", "people"),
        ("contacts", "contracts"),
        ("FIRSTNAM", "FIRSTNAME"),
        (" Spring  Segment", "Spring segment"),
    ],
)
def test_names_are_nearly_equal(name: str, known: str) -> None:
    assert nearly_equal(name, ["elsewhere", known]) == known
    assert nearly_equal(known, [name]) == name


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("a", "b"),
        ("orders", "order_items"),
        ("orders_2023", "orders_2024"),
        ("leads", "people"),
        ("users", "orders"),
        ("customers", "customers"),
        ("", "a"),
    ],
)
def test_names_are_clearly_two(name: str, known: str) -> None:
    assert nearly_equal(name, [known]) is None
    assert nearly_equal_stream(name, [known]) is None


@pytest.mark.parametrize("whole", ["shop-Customers", "public.customers", "db-public_customers"])
def test_a_schema_in_front_makes_a_stream_a_near_one(whole: str) -> None:
    assert nearly_equal_stream(whole, ["orders", "customers"]) == "customers"
    assert nearly_equal_stream("customers", ["orders", whole]) == whole
    assert nearly_equal(whole, ["customers"]) is None


def test_two_schemas_are_two() -> None:
    assert nearly_equal_stream("public-customers", ["shop-customers"]) is None
    assert nearly_equal_stream("order_items", ["items"]) is None


def test_the_name_that_differs_least_is_proposed() -> None:
    known = ["Spring segments", "spring segment", "Autumn segment"]
    assert did_you_mean("Spring Segment", known) == " Did you mean 'spring segment'?"
    assert did_you_mean("mail", ["email", "name"]) == " Did you mean 'email'?"
    assert did_you_mean("zzz", known) == ""
    assert did_you_mean(5, known) == did_you_mean("", known) == ""

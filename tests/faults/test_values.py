"""F44, F48 to F52 and F71: what the rows hold. It arrives exactly, or its row alone is rejected."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.faults.fault_case import fault
from tests.faults.input_rows import CANARY, PROPERTIES, email, landed, people, row, with_states
from tests.support.messages import record, schema, state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.fault_case import FaultCase

ADDRESSES: dict[str, tuple[object, str | None]] = {
    # What the row holds, and the address that arrives; None for one that cannot.
    "upper case and spaces": (f"  {CANARY.upper()}@Example.COM ", f"{CANARY}@example.com"),
    "plus tag": (f"{CANARY}+tag@example.com", f"{CANARY}+tag@example.com"),
    "apostrophe": (f"o'{CANARY}@example.com", f"o'{CANARY}@example.com"),
    "unicode domain": (f"{CANARY}@exämple.com", f"{CANARY}@exämple.com"),
    "Kelvin sign": (f"{CANARY}\u212a@example.com", None),
    "missing": (None, None),
    "blank": ("   ", None),
    "no at": (f"{CANARY}.example.com", None),
    "two ats": (f"{CANARY}@{CANARY}@example.com", None),
    "too long": (f"{CANARY * 25}@example.com", None),
    "no dot": (f"{CANARY}@example", None),
    "two lines": (f"{CANARY}@example.com\nbcc:x", None),
    "quoted": (f'"{CANARY} x"@example.com', None),
}


@fault("F44", *ADDRESSES)
def test_an_address_arrives_exactly_or_is_rejected_alone(case: FaultCase, variant: str) -> None:
    sent, arrives = ADDRESSES[variant]
    rows = [*people(2), row(5, email=sent), *with_states([6])]
    expected = landed(rows, [5])
    if arrives is None:
        case.left_out = [5]
    else:
        expected[arrives] = {"ROW": 5, "FIRSTNAME": f"{CANARY} 5"}
    case.expected = expected
    ended = case.run(rows)
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    code = "missing" if variant in {"missing", "blank"} else "invalid"
    assert (f"rejected by code: identifier.{code} 1" in ended.counts()) == (arrives is None)


REJECTED = object()

VALUES: dict[str, tuple[str, Mapping[str, tuple[object, object]]]] = {
    # By fault: the data field, and by name what a row holds and what arrives.
    "F48": (
        "IS_MEMBER",
        {
            "no": ("no", False),
            "0 as a text": ("0", False),
            "false as a text": ("false", False),
            "nothing": ("", REJECTED),
            "0": (0, False),
            "off": ("OFF", False),
            "2": (2, REJECTED),
            "a word": (CANARY, REJECTED),
            "yes": ("yes", True),
        },
    ),
    "F49": (
        "BIRTHDAY",
        {
            "29 February 2023": ("2023-02-29", REJECTED),
            "29 February 2024": ("2024-02-29", "2024-02-29T00:00:00Z"),
            "an offset": ("2024-06-01T01:30:00+02:00", "2024-05-31T23:30:00Z"),
            "no time": ("2024-06-01", "2024-06-01T00:00:00Z"),
            "no offset": ("2024-06-01T12:00:00", "2024-06-01T12:00:00Z"),
            "an epoch": (1_717_200_000, REJECTED),
            "a word": (CANARY, REJECTED),
            "hour 25": ("2024-06-01T25:00:00Z", REJECTED),
        },
    ),
    "F50": (
        "LOYALTY_POINTS",
        {
            "1e308": (1e308, REJECTED),
            "19 digits": (1234567890123456789, REJECTED),
            "18 digits": (123456789012345678, 123456789012345678),
            "a decimal as a text": ("12.50", 12.5),
            "nine decimals": (json.loads("0.123456789"), 0.123456789),
            "ten decimals": (json.loads("0.1234567891"), 0.123456789),
            "a word": (CANARY, REJECTED),
            "true": (True, REJECTED),
        },
    ),
    "F51": (
        "LASTNAME",
        {
            "1,000 characters": ("x" * 1000, "x" * 1000),
            "1,001 characters": ("x" * 1001, REJECTED),
            "emoji": ("\U0001f600 Zo\u00eb", "\U0001f600 Zo\u00eb"),
            "CR and LF": ("a\r\nb\tc", "a\r\nb\tc"),
            "NUL": ("a\0b", "a\0b"),
            "half a pair": ("\ud83d", REJECTED),
        },
    ),
}
TYPED: dict[str, Any] = {**PROPERTIES, "value": {}}


def _assert_values(case: FaultCase, number: str, variant: str) -> None:
    field, values = VALUES[number]
    sent, arrives = values[variant]
    fields = {"FIRSTNAME": "first_name", "ROW": "row", field: "value"}
    rows = [
        schema(properties=TYPED),
        *with_states([1, 2]),
        row(5, value=sent),
        *with_states([6]),
    ]
    if arrives is REJECTED:
        case.left_out = [5]
    case.expected = landed(rows, case.left_out)
    if arrives is not REJECTED:
        case.expected[email(5)][field] = arrives
    case.settings["streams"] = {"people": {"fields": fields}}
    ended = case.run(rows)
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    codes = [code for code in ("field.type", "field.too_long") if code in ended.counts()]
    assert bool(codes) == (arrives is REJECTED)


@fault("F48", *VALUES["F48"][1])
def test_what_is_no_for_a_boolean_is_never_true(case: FaultCase, variant: str) -> None:
    _assert_values(case, "F48", variant)


@fault("F49", *VALUES["F49"][1])
def test_a_date_is_the_exact_instant_or_a_reject(case: FaultCase, variant: str) -> None:
    _assert_values(case, "F49", variant)


@fault("F50", *VALUES["F50"][1])
def test_a_number_keeps_its_digits_or_is_rejected(case: FaultCase, variant: str) -> None:
    _assert_values(case, "F50", variant)


@fault("F50", "NaN", "Infinity")
def test_a_number_that_is_none_in_json_is_one_rows_fault(case: FaultCase, variant: str) -> None:
    bad = json.dumps(row(5)).replace(f'"{CANARY} 5"', variant)
    case.left_out = [5]
    ended = case.run([*people(2), bad, *with_states([6])])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    assert "rejected 1" in ended.counts()


@fault("F51", *VALUES["F51"][1])
def test_a_text_arrives_exactly_or_is_rejected(case: FaultCase, variant: str) -> None:
    _assert_values(case, "F51", variant)


@fault("F52", "null", "absent", "empty")
def test_null_absent_and_empty_are_three_things(case: FaultCase, variant: str) -> None:
    name: dict[str, str | None] = {"null": None, "empty": ""}
    held: dict[str, Any] = {"first_name": name[variant]} if variant in name else {}
    second = record(row=5, email=email(1), **held)
    rows = [*people(2), second, state({"row": 5})]
    kept: dict[str, Any] = {
        "null": {},
        "absent": {"FIRSTNAME": f"{CANARY} 1"},
        "empty": {"FIRSTNAME": ""},
    }
    case.expected = {**landed(people(2)), email(1): {"ROW": 5, **kept[variant]}}
    # In an import of its own, and joined with the earlier row.
    for size in (1, 10):
        ended = case.run(rows, batch_size_rows=size)
        assert (ended.status, ended.states[-1]) == (0, {"row": 5})
        case.assert_contents(rows)


DECIMALS: dict[str, tuple[str, object, bool]] = {
    # The number as the tap writes it, what arrives, and whether it is told to be rounded.
    "a third": ("33.333333333333336", 33.333333333, True),
    "a half of the last place": ("0.0000000005", 0, True),
    "less than nothing": ("-0.0000000001", 0, True),
    "all digits of a double": (f"{Decimal(0.1)}", 0.1, False),  # noqa: RUF032
    "nine decimals": ("0.123456789", 0.123456789, False),
    "carried to 19 digits": ("999999999999999999.9999999999", REJECTED, False),
}


@fault("F71", *DECIMALS, *(f"exact: {each}" for each in DECIMALS))
def test_late_decimals_are_rounded_and_counted_or_rejected(case: FaultCase, variant: str) -> None:
    name = variant.removeprefix("exact: ")
    is_exact = name != variant
    number, arrives, is_rounded = DECIMALS[name]
    if is_exact and name != "nine decimals":
        arrives, is_rounded = REJECTED, False
    fields = {"FIRSTNAME": "first_name", "ROW": "row", "LOYALTY_POINTS": "value"}
    case.settings["streams"] = {"people": {"fields": fields, "exact_numbers": is_exact}}
    sent = json.dumps(row(5, value=0)).replace('"value": 0', f'"value": {number}')
    rows = [schema(properties={**PROPERTIES, "value": {"type": "number"}}), *with_states([1, 2])]
    if arrives is REJECTED:
        case.left_out = [5]
    case.expected = landed([*rows, row(5), *with_states([6])], case.left_out)
    if arrives is not REJECTED:
        case.expected[email(5)]["LOYALTY_POINTS"] = arrives
    ended = case.run([*rows, sent, *with_states([6])])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    assert ("field.type 1" in ended.counts()) == (arrives is REJECTED)
    told = (
        "rounded to 9 decimals: LOYALTY_POINTS 1 row. To reject such rows, set exact_numbers: true"
    )
    assert ended.stderr.count(told) == is_rounded

"""Record values in data fields: exact or refused, and no reason repeats a value."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.values.field_values import DATA_FIELD_TYPES, Rounded, converter
from tests.support.builders import attempt

MODEST = settings(max_examples=150, deadline=None)
CANARY = "Zq7Canary"
TOO_LONG = "field.too_long"
ILL_TYPED = "field.type"
BEYOND_STR_DIGITS = 10**5000
"""Python refuses to spell out integers of more than 4,300 digits, with a ValueError."""


def convert(field_type: str, value: object, **more: bool) -> object:
    return converter("AGE", field_type, "age", **more)(value)


def refusal(field_type: str, value: object, **more: bool) -> RowRejectedError:
    with pytest.raises(RowRejectedError) as caught:
        convert(field_type, value, **more)
    return caught.value


def exact_number(value: object) -> str:
    return number(value, exact_numbers=True)


def number(value: object, **more: bool) -> str:
    sent = convert("Numeric", value, **more)
    assert isinstance(sent, msgspec.Raw)
    return bytes(sent).decode()


TEXTS = [
    ("", ""),
    (" kept as it is ", " kept as it is "),
    ("line\r\nline\ttab\x00nul", "line\r\nline\ttab\x00nul"),
    ("Zoë 李 \U0001f600", "Zoë 李 \U0001f600"),
    ("e\u0301", "e\u0301"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-12, "-12"),
    (10**30 + 1, "1000000000000000000000000000001"),
    (Decimal("1.10"), "1.1"),
    (Decimal("1E+3"), "1000"),
    (Decimal("123456789012345678901234567890.5"), "123456789012345678901234567890.5"),
    (0.1, "0.1"),
    (1e21, "1000000000000000000000"),
    (["red", 2, True, None, Decimal("1.5")], "red,2,true,1.5"),
    (dt.date(2024, 2, 29), "2024-02-29"),
    ("x" * 1000, "x" * 1000),
    ("\U0001f600" * 500, "\U0001f600" * 500),
    (Decimal("1E+999"), "1" + "0" * 999),
]


@pytest.mark.parametrize(("value", "sent"), TEXTS, ids=lambda part: ascii(part)[:30])
def test_a_text_field_takes_the_value_as_it_is(value: object, sent: str) -> None:
    assert convert("String", value) == sent


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": CANARY}, ILL_TYPED),
        ([CANARY, [CANARY]], ILL_TYPED),
        ([{"a": CANARY}], ILL_TYPED),
        (math.nan, ILL_TYPED),
        (math.inf, ILL_TYPED),
        (Decimal("-Infinity"), ILL_TYPED),
        (b"bytes", ILL_TYPED),
        ("x" * 1001, TOO_LONG),
        ("\U0001f600" * 501, TOO_LONG),
        ("\U0001f600" + "x" * 999, TOO_LONG),
        (["x" * 500, "y" * 500], TOO_LONG),
        (int("9" * 1001), TOO_LONG),
        (Decimal("0." + "1" * 1000), TOO_LONG),
    ],
    ids=lambda part: ascii(part)[:30],
)
def test_a_text_field_refuses_what_would_not_arrive_whole(value: object, code: str) -> None:
    assert refusal("String", value).code == code


NUMBERS = [
    (0, "0"),
    (-0.0, "0"),
    (7, "7"),
    (-7, "-7"),
    (10**18 - 1, "9" * 18),
    (-(10**18 - 1), "-" + "9" * 18),
    (Decimal("999999999999999999.999999999"), "999999999999999999.999999999"),
    (Decimal("0.000000001"), "0.000000001"),
    (Decimal("1.500"), "1.5"),
    (Decimal("1.2300000000000000000000"), "1.23"),
    (Decimal("1E+3"), "1000"),
    (Decimal("0E+999999"), "0"),
    (0.1, "0.1"),
    (1e17, "100000000000000000"),
    (" 12.50 ", "12.5"),
    ("+5", "5"),
    (".5", "0.5"),
    ("5.", "5"),
    ("1e3", "1000"),
    ("0123", "123"),
    ("123456789012345678.123456789", "123456789012345678.123456789"),
]


@pytest.mark.parametrize(("value", "sent"), NUMBERS, ids=repr)
def test_a_numeric_field_takes_a_number_with_every_digit(value: object, sent: str) -> None:
    assert number(value) == sent


@pytest.mark.parametrize(
    "value",
    [
        10**18,
        -(10**18),
        1e308,
        Decimal("999999999999999999.9999999995"),
        -999999999999999999.9999999999,
        math.nan,
        math.inf,
        -math.inf,
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        True,
        False,
        "",
        " ",
        "1,5",
        "1 000",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "1e99999999999",
        "1e9999",
        "--1",
        "1.2.3",
        "\u0661\u0662",
        "\uff11",
        "1\n2",
        f"12{CANARY}",
        [1],
        {"a": 1},
    ],
    ids=ascii,
)
def test_a_numeric_field_refuses_what_is_too_large_or_no_number(value: object) -> None:
    assert refusal("Numeric", value).code == ILL_TYPED


DOUBLE_OF_A_TENTH = Decimal(0.1)  # noqa: RUF032 - with all digits of the double
MANY_DECIMALS: list[tuple[object, str]] = [
    # What is sent of it; all but a double's digits are told to be rounded.
    (Decimal("33.333333333333336"), "33.333333333"),
    (33.333333333333336, "33.333333333"),
    ("33.333333333333336", "33.333333333"),
    (Decimal("0.0000000005"), "0"),
    (Decimal("0.0000000015"), "0.000000002"),
    (Decimal("0.00000000250000000001"), "0.000000003"),
    (Decimal("-0.0000000001"), "0"),
    (Decimal("0.9999999999"), "1"),
    (Decimal("99999999999999999.9999999999"), "100000000000000000"),
    (5e-324, "0"),
    (Decimal("1E-999999"), "0"),
    (Decimal("0." + "1" * 5000), "0.111111111"),
    (Decimal(1 / 3), "0.333333333"),
]


@pytest.mark.parametrize(("value", "sent"), MANY_DECIMALS, ids=lambda part: ascii(part)[:30])
def test_decimals_that_dotdigital_does_not_keep_are_rounded_half_even(
    value: object, sent: str
) -> None:
    rounded = converter("AGE", "Numeric", "age")(value)
    assert isinstance(rounded, Rounded)
    assert bytes(rounded.sent).decode() == sent
    assert refusal("Numeric", value, exact_numbers=True).code == ILL_TYPED


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (DOUBLE_OF_A_TENTH, "0.1"),
        (str(DOUBLE_OF_A_TENTH), "0.1"),
        (Decimal(-1234.56), "-1234.56"),  # noqa: RUF032
        (Decimal(1e-9), "0.000000001"),  # noqa: RUF032
    ],
    ids=["0.1", "0.1 as a text", "-1234.56", "1e-9"],
)
def test_all_digits_of_a_double_are_what_is_usually_written_of_it(value: object, sent: str) -> None:
    assert number(value) == sent
    assert refusal("Numeric", value, exact_numbers=True).code == ILL_TYPED


@pytest.mark.parametrize("value", [2**59, Decimal(2**59), f"{2**59}.000000000000"])
def test_a_whole_number_keeps_its_digits_although_it_is_a_double(value: object) -> None:
    assert number(value) == "576460752303423488"


@MODEST
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_and_all_of_its_digits_are_sent_alike(value: float) -> None:
    sent, of_all_digits = (
        attempt(converter("AGE", "Numeric", "age"), each) for each in (value, Decimal(value))
    )
    if isinstance(sent, RowRejectedError):
        assert isinstance(of_all_digits, RowRejectedError)
    elif abs(value) < 2**42:  # beyond, all digits of some are few enough to be sent
        assert of_all_digits == sent


@MODEST
@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.floats())
def test_a_numeric_field_loses_nothing_but_late_decimals_and_tells_it(
    value: Decimal | float,
) -> None:
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    sent = attempt(converter("AGE", "Numeric", "age"), value)
    if isinstance(sent, Rounded):
        kept = Decimal(bytes(sent.sent).decode())
        assert kept != exact
        assert abs(kept - exact) <= Decimal("5E-10")
    elif isinstance(sent, msgspec.Raw):
        plain = Decimal(bytes(sent).decode())
        assert plain == exact or float(plain) == float(exact)
    else:
        assert isinstance(sent, RowRejectedError)
        assert not exact.is_finite() or abs(exact) >= 10**18 - 1


@MODEST
@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.floats())
def test_an_exact_numeric_field_never_loses_a_digit(value: Decimal | float) -> None:
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    sent = attempt(exact_number, value)
    if isinstance(sent, RowRejectedError):
        # Refused only for a reason: it is not finite, or needs more digits than there are.
        assert not exact.is_finite() or (
            abs(exact) >= 10**18 or exact != exact.quantize(Decimal("1E-9"))
        )
    else:
        assert Decimal(sent) == exact
        assert "e" not in sent.lower()
        assert msgspec.json.decode(sent, type=Decimal) == exact


@MODEST
@given(st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_a_number_as_text_never_loses_a_digit(text: str) -> None:
    sent = attempt(exact_number, text)
    assert isinstance(sent, RowRejectedError) or Decimal(sent) == Decimal(text)


DATES = [
    ("2024-02-29", "2024-02-29T00:00:00Z"),
    ("2023-12-31T23:59:59Z", "2023-12-31T23:59:59Z"),
    ("2023-12-31t23:59:59z", "2023-12-31T23:59:59Z"),
    ("2023-12-31 23:59", "2023-12-31T23:59:00Z"),
    ("2023-12-31 23:59:59 +02:00", "2023-12-31T21:59:59Z"),
    ("2024-01-01T00:30:00+0100", "2023-12-31T23:30:00Z"),
    ("2023-12-31T23:30:00-05", "2024-01-01T04:30:00Z"),
    ("2024-03-10T12:00:00+05:45", "2024-03-10T06:15:00Z"),
    ("2024-03-10T12:00:00-00:00", "2024-03-10T12:00:00Z"),
    ("2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00.123456789Z"),
    ("2024-01-01T00:00:00,5+01:00", "2023-12-31T23:00:00.5Z"),
    ("2024-01-01T00:00:00.000000", "2024-01-01T00:00:00Z"),
    ("0001-01-01", "0001-01-01T00:00:00Z"),
    (" 2024-01-01\n", "2024-01-01T00:00:00Z"),
    (dt.date(2024, 1, 2), "2024-01-02T00:00:00Z"),
    (
        dt.datetime(2024, 1, 2, 3, 4, 5, 600, tzinfo=dt.timezone(dt.timedelta(hours=3))),
        "2024-01-02T00:04:05.0006Z",
    ),
]


@pytest.mark.parametrize(("value", "sent"), DATES, ids=lambda part: ascii(part)[:40])
def test_a_date_field_takes_the_instant_in_utc(value: object, sent: str) -> None:
    assert convert("Date", value) == sent


@pytest.mark.parametrize(
    "value",
    [
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "0000-01-01",
        "2024-01-01T24:00:00",
        "2024-01-01T23:60:00",
        "2024-01-01T23:59:60Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+05:60",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2024-01-01T12",
        "2024-1-1",
        "20240101",
        "01/02/2024",
        "2024-W01-1",
        "\u0662\u0660\u0662\u0664-01-01",
        "yesterday",
        "",
        f"2024-01-01{CANARY}",
        1704067200,
        1704067200.5,
        Decimal(1704067200),
        "1704067200",
        True,
        ["2024-01-01"],
        {"date": "2024-01-01"},
    ],
    ids=ascii,
)
def test_a_date_field_refuses_what_is_no_clear_instant(value: object) -> None:
    assert refusal("Date", value).code == ILL_TYPED


OFFSETS = st.builds(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)), st.integers(-1439, 1439)
)


@MODEST
@given(st.datetimes(timezones=st.none() | OFFSETS))
def test_a_date_is_the_exact_instant_or_refused(moment: dt.datetime) -> None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)
    sent = attempt(convert, "Date", moment.isoformat())
    if isinstance(sent, RowRejectedError):
        with pytest.raises(OverflowError):
            aware.astimezone(dt.timezone.utc)
        return
    assert isinstance(sent, str)
    assert sent.endswith("Z")
    main, _, fraction = sent.removesuffix("Z").partition(".")
    read = dt.datetime.fromisoformat(f"{main}+00:00")
    exact = aware.astimezone(dt.timezone.utc)
    assert read.replace(microsecond=int(fraction.ljust(6, "0"))) == exact


TRUE_WORDS = ("true", "t", "yes", "y", "on", "1")
FALSE_WORDS = ("false", "f", "no", "n", "off", "0")


@pytest.mark.parametrize(
    "value", [True, 1, 1.0, Decimal("1.00"), *TRUE_WORDS, " YES\n", "True"], ids=ascii
)
def test_a_boolean_field_is_true_for_what_clearly_says_so(value: object) -> None:
    assert convert("Boolean", value) is True


@pytest.mark.parametrize(
    "value", [False, 0, -0.0, Decimal("0E+5"), *FALSE_WORDS, " No ", "FALSE"], ids=ascii
)
def test_a_boolean_field_is_false_for_what_clearly_says_so(value: object) -> None:
    assert convert("Boolean", value) is False


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "2", "-1", "1.0", "null", "none", "ok", "oui", "\uff11", "ye\u017f", "tru e"),
        *(2, -1, 0.5, math.nan, Decimal("1.1"), [], [True], {"a": True}, CANARY),
    ],
    ids=ascii,
)
def test_a_boolean_field_refuses_everything_else(value: object) -> None:
    assert refusal("Boolean", value).code == ILL_TYPED


@MODEST
@given(st.text() | st.integers() | st.floats() | st.decimals(allow_nan=False))
def test_nothing_becomes_true_unless_it_clearly_means_it(value: object) -> None:
    result = attempt(convert, "Boolean", value)
    meant = value.strip().lower() in TRUE_WORDS if isinstance(value, str) else value == 1
    assert result is meant or (not meant and isinstance(result, RowRejectedError))


@MODEST
@given(st.text(max_size=1100))
def test_a_text_arrives_exactly_or_is_too_long(text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if units > 1000:
        assert refusal("String", text).code == TOO_LONG
    else:
        assert convert("String", text) == text


@pytest.mark.parametrize("field_type", sorted(DATA_FIELD_TYPES))
@pytest.mark.parametrize(
    "value",
    [CANARY * 200, [CANARY * 200], [CANARY, {"a": CANARY}], {CANARY: CANARY}],
    ids=["long", "long array", "array", "object"],
)
def test_no_reason_repeats_the_value(field_type: str, value: object) -> None:
    error = refusal(field_type, value)
    assert CANARY not in f"{error} {error.reason} {error.code} {error!r}"
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("field_type", sorted(DATA_FIELD_TYPES))
def test_an_integer_that_python_does_not_spell_out_is_refused(field_type: str) -> None:
    """A stream map's `10 ** 5000` is one."""
    assert refusal(field_type, BEYOND_STR_DIGITS).code in {ILL_TYPED, TOO_LONG}


def test_the_reason_names_the_property_the_field_and_the_type() -> None:
    error = refusal("Numeric", CANARY)
    assert "'age'" in error.reason
    assert "Numeric data field AGE" in error.reason

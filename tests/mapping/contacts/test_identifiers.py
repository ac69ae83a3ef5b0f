"""Identifiers: what is sent, what is refused, and which two mean the same contact."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.contacts.emails import are_plain_emails, canonical_email, email
from target_dotdigital.mapping.contacts.identifiers import checker, normalise
from tests.support.builders import attempt

MODEST = settings(max_examples=150, deadline=None)
CANARY = "zq7canary"


def check(identifier: str, value: object) -> str | int:
    return checker(identifier, "the_property")(value)


def refusal(identifier: str, value: object) -> RowRejectedError:
    with pytest.raises(RowRejectedError) as caught:
        check(identifier, value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("ann@example.com", "ann@example.com"),
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann@example.com\n", "ann@example.com"),
        ("\tann@example.com\r\n", "ann@example.com"),
        ("\u00a0ann@example.com\u3000", "ann@example.com"),
        ("ann+news@example.com", "ann+news@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("a.b-c_d!#$%&*/=?^`{|}~@example.co.uk", "a.b-c_d!#$%&*/=?^`{|}~@example.co.uk"),
        ("1@2.example.com", "1@2.example.com"),
        ("a@XN--bcher-kva.example", "a@bücher.example"),
        ("a@bu\u0308cher.example", "a@bücher.example"),
        ("a@b\xfccher.xn--p1ai", "a@b\xfccher.\u0440\u0444"),
        ("a@xn--strae-oqa.de", "a@stra\xdfe.de"),
        ("a@strasse.de", "a@strasse.de"),
        ("a@xn--i-7iq.ws", "a@xn--i-7iq.ws"),  # a heart: IDNA 2008 knows none
        ("xn--bcher-kva@example.com", "xn--bcher-kva@example.com"),
        ("zoe\u0308@example.com", "zo\xeb@example.com"),
        ("\u039f\u0394\u039f\u03a3@example.com", "\u03bf\u03b4\u03bf\u03c3@example.com"),
        ("Ann@Bücher.DE", "ann@bücher.de"),
        ("Zoë@example.com", "zoë@example.com"),
        ("用户@例子.广告", "用户@例子.广告"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
        (f"a@{'b' * 63}.com", f"a@{'b' * 63}.com"),
    ],
    ids=lambda part: ascii(part)[:45],
)
def test_an_address_is_sent_trimmed_and_lower_cased(value: str, sent: str) -> None:
    assert check("email", value) == sent
    assert check("email", sent) == sent


@pytest.mark.parametrize(
    "value",
    [
        "no-at-sign",
        "@",
        "@example.com",
        "ann@",
        "ann@@example.com",
        "ann@b@example.com",
        f"{'a' * 308}@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.com",
        f"a@{'.'.join(['b' * 60] * 5)}.com",
        '"ann smith"@example.com',
        '"ann@home"@example.com',
        "Ann Smith <ann@example.com>",
        "mailto:",
        "ann smith@example.com",
        "ann@example.com,bob@example.com",
        "ann@example.com;bob@example.com",
        "ann@example.com bob@example.com",
        "ann@example.com\nbcc:bob@example.com",
        "ann@localhost",
        "ann@example",
        "ann@example..com",
        "ann@.example.com",
        "ann@example.com.",
        ".ann@example.com",
        "ann.@example.com",
        "ann..b@example.com",
        "ann@-example.com",
        "ann@example-.com",
        "ann@exam_ple.com",
        "ann@192.0.2.1",
        "ann@[192.0.2.1]",
        "an\x00n@example.com",
        "ann@exam\u200bple.com",
        "ann\ud800@example.com",
        "ann@ex\udfffample.com",
        "ann@example.com\u202e",
        "\ufeffann@example.com",
        "\u212aen@example.com",
        "ann@\u212aen.com",
        "\u0130an@example.com",
        "ru\u017fs@example.com",
        "\uff21nn@example.com",
        "ann@\uff45xample.com",
        "ann\uff20example.com",
        "ann@example\u3002com",
        "ann@example\uff0ecom",
        "ann@exam\u00adple.com",
        "\ufb01nn@example.com",
        "\u1fefnn@example.com",
        5,
        True,
        1.5,
        Decimal(1),
        ["ann@example.com"],
        {"email": "ann@example.com"},
    ],
    ids=lambda value: f"{ascii(value)[:45]} {len(str(value))}",
)
def test_what_is_no_address_is_refused(value: object) -> None:
    assert refusal("email", value).code == "identifier.invalid"


@MODEST
@given(
    st.lists(
        st.sampled_from(["a", "1", ".", "-", "_", "+", "@", "@a.com", "xn--", "A", "a" * 62]),
        max_size=7,
    ).map("".join)
)
def test_an_address_that_is_plain_among_others_stays_as_it_is_alone(address: str) -> None:
    if are_plain_emails(f"{address}\nann@example.com\n"):
        assert email(address) == address


@MODEST
@given(st.emails())
def test_a_plain_address_is_never_refused_and_never_changed_but_in_case(address: str) -> None:
    local, _, domain = address.partition("@")
    if len(local) > 64 or not re.search(r"\.[a-z]{2,}$", domain, re.IGNORECASE):
        return
    assert check("email", f" {address}\n") == address.lower()


@MODEST
@given(st.text(alphabet=st.characters(), max_size=40), st.sampled_from(["", "@example.com", "@"]))
def test_any_text_is_an_address_as_it_is_or_refused(text: str, end: str) -> None:
    value = text + end
    sent = attempt(check, "email", value)
    if isinstance(sent, str):
        assert sent == canonical_email(value.strip())
        assert sent.isascii() == value.strip().isascii() or "xn--" in value.lower()
        assert sent.count("@") == 1
        assert not re.search(r"[\s\x00-\x1f,;<>]", sent)
    else:
        assert isinstance(sent, RowRejectedError)
        assert sent.code == "identifier.invalid"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("447400123456", "447400123456"),
        ("+447700900123", "447700900123"),
        ("00447700900123", "447700900123"),
        ("0044 7700 900123", "447700900123"),
        ("+6505551234", "6505551234"),
        (" +44 7700 900123\n", "447700900123"),
        ("+44 (0)7700 900-123", "447700900123"),
        ("+1 (212) 555-1234", "12125551234"),
        ("+39 06 1234 5678", "390612345678"),
        (447400123456, "447400123456"),
        (12125551234, "12125551234"),
    ],
    ids=repr,
)
def test_a_mobile_number_is_sent_as_the_digits_of_its_international_form(
    value: object, sent: str
) -> None:
    assert check("mobileNumber", value) == sent


@pytest.mark.parametrize(
    "value",
    [
        "07700900123",
        "07400123456",
        "6505551234",
        6505551234,
        "447700900123",  # of a range for films: without a + nothing says that it is a number
        "+0044 7400 123456",
        "000447400123456",
        "00",
        "+",
        "++447700900123",
        "+44",
        "+447700900123456789",
        "+49679862635048292",
        "+4914",
        "+999 123456789",
        "447700900123 ext 5",
        "447700900123x5",
        "447700900123/447700900124",
        "4477OO9OO123",
        "\u0664\u0664\u0667\u0667\u0660\u0660\u0669\u0660\u0660\u0661\u0662\u0663",
        "+44\ud8007700900123",
        CANARY,
        -447700900123,
        10**5000,
        447700900123.5,
        Decimal("447700900123.5"),
        True,
        ["447700900123"],
    ],
    ids=lambda value: "huge" if isinstance(value, int) and value > 10**20 else ascii(value)[:40],
)
def test_what_is_no_mobile_number_is_refused(value: object) -> None:
    assert refusal("mobileNumber", value).code == "identifier.invalid"


@pytest.mark.parametrize(
    ("country", "value", "sent"),
    [
        ("GB", "07400 123456", "447400123456"),
        ("GB", 7400123456, "447400123456"),
        ("GB", "447400123456", "447400123456"),
        ("GB", "(0)7400-123456", "447400123456"),
        ("GB", "+1 650 555 1234", "16505551234"),
        ("GB", "0033 6 12 34 56 78", "33612345678"),
        ("US", "6505551234", "16505551234"),
        ("US", "(650) 555-1234", "16505551234"),
        ("US", "1 650 555 1234", "16505551234"),
        ("US", "4792345678", "14792345678"),  # with a + it would be Norwegian
        ("FR", "06 12 34 56 78", "33612345678"),
        ("DE", "0151 23456789", "4915123456789"),
        ("DE", "4915123456789", "4915123456789"),  # 04915 is Leer
        ("IT", "312 345 6789", "393123456789"),
        ("IT", "393123456789", "393123456789"),
    ],
)
def test_a_national_number_is_one_of_its_country(country: str, value: object, sent: str) -> None:
    assert checker("mobileNumber", "phone", country)(value) == sent


@pytest.mark.parametrize(
    ("country", "value"),
    [
        ("GB", "6505551234"),
        ("GB", "16505551234"),
        ("GB", "33612345678"),
        ("GB", "07400"),
        ("US", "5551234"),
        ("US", "07400123456"),
        ("US", "447400123456"),
        ("GB", "+44"),
        ("GB", "07400123456x5"),
    ],
)
def test_a_number_of_another_country_needs_its_plus(country: str, value: str) -> None:
    with pytest.raises(RowRejectedError) as caught:
        checker("mobileNumber", "phone", country)(value)
    assert caught.value.code == "identifier.invalid"
    assert value not in caught.value.reason


def test_the_reason_says_what_a_number_without_a_country_needs() -> None:
    assert refusal("mobileNumber", "6505551234").reason == (
        "Property 'the_property' is not a valid mobileNumber: without + or 00, it is not a valid "
        "international number. For national numbers, set mobile_country"
    )
    with pytest.raises(RowRejectedError, match=r"'phone' is .* mobile_country GB"):
        checker("mobileNumber", "phone", "GB")("6505551234")


@pytest.mark.parametrize(
    ("value", "sent"),
    [(7, 7), ("7", 7), (" 007\n", 7), (0, 0), (10**18 - 1, 10**18 - 1), (Decimal(12), 12)],
    ids=repr,
)
def test_a_contact_id_is_sent_as_an_integer(value: object, sent: int) -> None:
    found = check("contactId", value)
    assert (found, type(found)) == (sent, int)


@pytest.mark.parametrize(
    "value",
    [
        *(
            -1,
            "-1",
            "+1",
            "1.0",
            "1e3",
            1.5,
            Decimal("1.5"),
            Decimal("1E+999999"),
            10**18,
            10**5000,
        ),
        *(True, "\u0661", "\uff11", "1_0", "1 0", "0x1", CANARY, [1], {"id": 1}),
    ],
    ids=lambda value: "huge" if isinstance(value, int) and value > 10**20 else ascii(value),
)
def test_what_is_no_contact_id_is_refused(value: object) -> None:
    assert refusal("contactId", value).code == "identifier.invalid"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("C-1", "C-1"),
        (" C-1\n", "C-1"),
        ("kept Case", "kept Case"),
        ("007", "007"),
        (7, "7"),
        (10**30, "1" + "0" * 30),
        ("x" * 256, "x" * 256),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_custom_identifier_is_sent_as_text_in_its_own_case(value: object, sent: str) -> None:
    assert check("customerNumber", value) == sent


@pytest.mark.parametrize(
    "value",
    ["x" * 257, True, 1.5, Decimal("1.5"), 10**5000, ["C-1"], {"id": "C-1"}],
    ids=["long", "boolean", "float", "decimal", "huge", "array", "object"],
)
def test_what_is_no_custom_identifier_is_refused(value: object) -> None:
    assert refusal("customerNumber", value).code == "identifier.invalid"


@pytest.mark.parametrize("identifier", ["email", "mobileNumber", "contactId", "customerNumber"])
@pytest.mark.parametrize(
    "value",
    [CANARY * 60, [CANARY], {CANARY: CANARY}],
    ids=["long", "array", "object"],
)
def test_no_reason_repeats_the_value(identifier: str, value: object) -> None:
    error = refusal(identifier, value)
    assert CANARY not in f"{error} {error!r}"
    assert error.reason == f"Property 'the_property' is not a valid {identifier}"
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize(
    ("identifier", "sent", "reported"),
    [
        ("email", "ann@example.com", "Ann@Example.COM"),
        ("email", "ann@example.com", " ann@example.com\r\n"),
        ("email", "zoë@bücher.de", "ZOË@BÜCHER.DE"),
        ("email", "ann@bücher.de", "Ann@XN--BCHER-KVA.de"),
        ("email", "ann@xn--strae-oqa.de", "ann@straße.de"),
        ("email", "zoë@example.com", "zoe\u0308@example.com"),
        ("mobileNumber", "447700900123", "+44 7700 900123"),
        ("mobileNumber", "447700900123", 447700900123),
        ("contactId", 7, "7"),
        ("contactId", 7, " 7 "),
        ("customerNumber", "C-1", " C-1 "),
        ("customerNumber", "7", 7),
    ],
    ids=repr,
)
def test_a_report_in_another_spelling_means_the_same_contact(
    identifier: str, sent: object, reported: object
) -> None:
    assert normalise(identifier, sent) == normalise(identifier, reported)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("email", "ann@example.com"), ("email", "anne@example.com")),
        (("email", "a.nn@example.com"), ("email", "ann@example.com")),
        (("email", "ann+x@example.com"), ("email", "ann@example.com")),
        (("email", "a@xn--0000000000000.de"), ("email", "a@xn--0000000000001.de")),
        (("email", "xn--bcher-kva@example.com"), ("email", "bücher@example.com")),
        (("mobileNumber", "447700900123"), ("mobileNumber", "447700900124")),
        (("email", "\u212aen@example.com"), ("email", "ken@example.com")),
        (("email", "a@stra\xdfe.de"), ("email", "a@strasse.de")),
        (("customerNumber", "c-1"), ("customerNumber", "C-1")),
        (("customerNumber", "\u212a1"), ("customerNumber", "K1")),
        (("customerNumber", "\xe91"), ("customerNumber", "e\u03011")),
        (("customerNumber", "007"), ("customerNumber", "7")),
        (("contactId", 447700900123), ("mobileNumber", "447700900123")),
        (("customerNumber", "ann@example.com"), ("email", "ann@example.com")),
    ],
    ids=[
        "name",
        "dot",
        "tag",
        "no punycode",
        "local part",
        "number",
        "Kelvin sign",
        "sharp s",
        "case",
        "Kelvin sign in a custom one",
        "composed or not",
        "zeros",
        "kind",
        "custom",
    ],
)
def test_two_contacts_are_never_taken_for_one(
    one: tuple[str, object], other: tuple[str, object]
) -> None:
    assert normalise(*one) != normalise(*other)


@MODEST
@given(st.text() | st.integers())
def test_every_accepted_identifier_is_its_own_normal_form(value: object) -> None:
    for identifier in ("email", "mobileNumber", "contactId", "customerNumber"):
        sent = attempt(check, identifier, value)
        if isinstance(sent, RowRejectedError):
            continue
        assert normalise(identifier, sent) == f"{identifier}:{sent}"
        assert normalise(identifier, str(sent).upper()) == normalise(identifier, str(sent)) or (
            identifier == "customerNumber"
        )

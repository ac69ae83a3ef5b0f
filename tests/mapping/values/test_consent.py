"""Preferences and consents: sent as they are, whole, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError, SettingsError
from target_dotdigital.mapping.contact_mapping import ContactMapping
from target_dotdigital.mapping.contacts.contact import Contact
from target_dotdigital.settings.stream_schema import CONSENT_KEYS, MERGE_OPTIONS
from tests.support.builders import WILD_VALUES, attempt, contents, marked, stream_settings
from tests.support.dotdigital.account.import_checks import open_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY = "Zq7Canary"
WHOLE = {
    "text": "Yes, send me the newsletter",
    "url": "https://www.example.com/signup?x=1#form",
    "date_time_consented": "2024-02-29T12:30:00+02:00",
    "ip_address": "192.0.2.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
}
SENT = {
    "text": "Yes, send me the newsletter",
    "url": "https://www.example.com/signup?x=1#form",
    "dateTimeConsented": "2024-02-29T10:30:00Z",
    "ipAddress": "192.0.2.7",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
}
NAMES = dict(
    zip(CONSENT_KEYS, ["text", "url", "dateTimeConsented", "ipAddress", "userAgent"], strict=True)
)
PREFERENCES = {7: "news", 12: "offers"}


def mapping(**changes: Any) -> ContactMapping:
    names = ("email", *CONSENT_KEYS, *PREFERENCES.values(), "by")
    schema: dict[str, Any] = {"properties": {name: {} for name in names}}
    chosen = {
        "consent": {key: key for key in CONSENT_KEYS},
        "preferences": PREFERENCES,
        "fields": {},
        **changes,
    }
    return ContactMapping(stream_settings(**chosen), schema, {}, None)


def sent(record: Mapping[str, object], **changes: Any) -> dict[str, Any]:
    return contents(mapping(**changes).contact({"email": "ann@example.com", **record}))


def refusal(record: Mapping[str, object], **changes: Any) -> RowRejectedError:
    with pytest.raises(RowRejectedError) as caught:
        sent(record, **changes)
    return caught.value


# Preferences.


@pytest.mark.parametrize(
    ("value", "opted_in"),
    [(True, True), (False, False), ("yes", True), (" No ", False), (1, True), (0, False)],
    ids=repr,
)
def test_a_preference_is_sent_as_a_boolean(value: object, opted_in: bool) -> None:  # noqa: FBT001
    assert sent({"news": value})["preferences"] == [{"id": 7, "isOptedIn": opted_in}]


@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
def test_a_preference_that_is_null_or_absent_is_left_out(merge_option: str) -> None:
    assert "preferences" not in sent({"news": None}, merge_option=merge_option)
    both = sent({"news": None, "offers": False}, merge_option=merge_option)
    assert both["preferences"] == [{"id": 12, "isOptedIn": False}]


@pytest.mark.parametrize("value", ["", " ", "maybe", 2, -1, 0.5, "null", [], [True], {}], ids=repr)
def test_a_preference_without_a_clear_yes_or_no_is_refused(value: object) -> None:
    error = refusal({"news": value})
    assert error.code == "field.type"
    assert "'news'" in error.reason
    assert "preference 7" in error.reason


# Consents.


def test_a_whole_consent_is_sent() -> None:
    assert sent(WHOLE)["consentRecords"] == [SENT]


@pytest.mark.parametrize(
    "empty", [{}, dict.fromkeys(CONSENT_KEYS), dict.fromkeys(CONSENT_KEYS, "")]
)
def test_a_row_that_tells_of_no_consent_is_sent_without(empty: dict[str, Any]) -> None:
    assert "consentRecords" not in sent(empty)
    assert "consentRecords" not in sent({**empty, "text": " \t\n"})


@given(
    st.sets(st.sampled_from(CONSENT_KEYS), min_size=1, max_size=4),
    st.sampled_from([None, "", "  ", CANARY]),
)
@settings(deadline=None)
def test_half_a_consent_is_refused_and_all_that_it_lacks_is_named(
    missing: set[str], value: str | None
) -> None:
    record: dict[str, Any] = {key: each for key, each in WHOLE.items() if key not in missing}
    if value != CANARY:  # which stands for an absent property
        record |= dict.fromkeys(missing, value)
    error = refusal(record)
    assert error.code == "field.type"
    named = {key for key in CONSENT_KEYS if f"property '{key}' is empty" in error.reason}
    assert named == missing


WRONG: dict[str, list[object]] = {
    "text": [5, True, ["a"], {"a": 1}],
    "url": [
        *("example", "www.example.com/signup", "https://", "https:///signup", "https:// a.org"),
        *("http://[example", "//example.com", "https://example.com/a b", "https://a\n.example.com"),
        *("https://example.com/\x00", "https://?x", "https://:80", 5, ["https://example.com"]),
        "https://example.com/\ud800",
        "javascript:alert(1)",
    ],
    "date_time_consented": [
        *("yesterday", "2023-02-29", "2023-02-30T00:00:00Z", "2024-02-29T25:00:00Z", 1_700_000_000),
        *("2024-02", "29.02.2024", True, ["2024-02-29"], "0001-01-01T00:00:00+23:59"),
    ],
    "ip_address": [
        *("192.0.2", "192.0.2.256", "192.0.2.7:443", "192.0.2.7, 192.0.2.8", "192.0.2.0/24"),
        *("localhost", "::1%eth0", "2001:db8::g", "[::1]", "1::2::3", "010.1.1.1", 3221225991),
        *(True, "unknown", ["192.0.2.7"], "\u0661.1.1.1"),
    ],
    "user_agent": [5, False, ["a"]],
}


@pytest.mark.parametrize(
    ("part", "value"),
    [(part, value) for part, values in WRONG.items() for value in values],
    ids=ascii,
)
def test_a_consent_with_a_wrong_part_is_refused(part: str, value: object) -> None:
    error = refusal({**WHOLE, part: value})
    assert error.code == "field.type"
    assert f"property '{part}' is not a" in error.reason
    assert error.reason.count("property") == 1


def test_all_that_is_wrong_with_a_consent_is_named_at_once() -> None:
    record = {**WHOLE, "url": None, "ip_address": "x", "user_agent": "x" * 1_001}
    error = refusal(record)
    assert error.code == "field.type"
    for part in ("url", "ip_address", "user_agent"):
        assert f"'{part}'" in error.reason
    assert "'text'" not in error.reason


@pytest.mark.parametrize("part", ["text", "url", "user_agent"])
def test_a_part_of_a_consent_may_be_as_long_as_a_text_field(part: str) -> None:
    value = f"{WHOLE[part]}/{'x' * 1_000}"
    fits = value[:1_000]
    assert sent({**WHOLE, part: fits})["consentRecords"][0][NAMES[part]] == fits
    error = refusal({**WHOLE, part: value[:1_001]})
    assert (error.code, part in error.reason) == ("field.too_long", True)


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ("ip_address", " 2001:db8::7 ", "2001:db8::7"),
        ("ip_address", "::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("date_time_consented", "2024-02-29", "2024-02-29T00:00:00Z"),
        ("date_time_consented", "2024-02-29 10:00:00.123456789", "2024-02-29T10:00:00.123456789Z"),
        ("url", " HTTP://Example.com:8080 ", "HTTP://Example.com:8080"),
        ("url", "android-app://com.example/x", "android-app://com.example/x"),
        ("url", "https://[::1]:8080/?a=[b]", "https://[::1]:8080/?a=%5Bb%5D"),
        ("url", "https://example.com/ü?q={a}|b", "https://example.com/%C3%BC?q=%7Ba%7D%7Cb"),
        ("url", "https://example.com/50%?a=%zz&b=%2f", "https://example.com/50%25?a=%25zz&b=%2f"),
        ("text", " Yes,\n\u201csend\u201d \U0001f600 ", " Yes,\n\u201csend\u201d \U0001f600 "),
    ],
    ids=ascii,
)
def test_a_part_of_a_consent_arrives_exactly(part: str, value: str, expected: str) -> None:
    assert sent({**WHOLE, part: value})["consentRecords"][0][NAMES[part]] == expected


def test_half_a_surrogate_pair_is_refused() -> None:
    assert refusal({**WHOLE, "text": "Yes \ud800"}).code == "field.type"


def test_properties_inside_objects_can_be_named() -> None:
    consent = {key: f"by.{key}" for key in CONSENT_KEYS}
    record = {"by": {**WHOLE, "news": True}}
    found = sent(record, consent=consent, preferences={7: "by.news"})
    assert found["consentRecords"] == [SENT]
    assert found["preferences"] == [{"id": 7, "isOptedIn": True}]
    assert "consentRecords" not in sent({"by": None}, consent=consent, preferences={})


def test_properties_that_the_schema_lacks_are_all_named_at_once() -> None:
    consent = {key: f"no_{key}" for key in CONSENT_KEYS}
    with pytest.raises(SettingsError) as caught:
        mapping(consent=consent, preferences={7: "no_news"}, address_book_property="by")
    for name in (*consent.values(), "no_news", "preference 7"):
        assert name in caught.value.message


# Anything.


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*CONSENT_KEYS, "news"), WILD_VALUES)))
@settings(max_examples=300, deadline=None)
def test_whatever_a_row_holds_what_is_sent_is_whole(record: dict[str, Any]) -> None:
    compiled = mapping()
    made = attempt(compiled.contact, {"email": "ann@example.com", **record})
    if isinstance(made, RowRejectedError):
        assert made.code in {"field.type", "field.too_long"}
        return
    assert isinstance(made, Contact)
    # The test server's own reading of the contract.
    (contact,) = open_envelope(b'{"contacts":[%s]}' % made.body).contacts
    assert ("preferences" in contact) == (record.get("news") is not None)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys((*CONSENT_KEYS, *PREFERENCES.values()), WILD_VALUES)
    )
)
@settings(max_examples=200, deadline=None)
def test_no_reason_repeats_a_value(record: dict[str, Any]) -> None:
    compiled = mapping()
    wild = {name: marked(value, CANARY) for name, value in record.items()}
    made = attempt(compiled.contact, {"email": "ann@example.com", **wild})
    if isinstance(made, RowRejectedError):
        assert CANARY not in f"{made} {made!r}"
        assert made.__context__ is None or made.__suppress_context__
    else:
        assert CANARY not in repr(made)

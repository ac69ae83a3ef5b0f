"""Two rows of one contact, joined: the account ends as if both had been sent in turn."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.loading.imports import Import
from target_dotdigital.loading.queue import overlapping_key
from target_dotdigital.mapping.contacts.contact import Contact, OwnSource, collapse
from target_dotdigital.mapping.contacts.limits import MAX_CONSENT_RECORDS, MAX_LISTS
from target_dotdigital.settings.stream_schema import MERGE_OPTIONS
from tests.support.builders import contact, contents

if TYPE_CHECKING:
    from target_dotdigital.settings.stream_schema import MergeOption

NAMES = ("FIRSTNAME", "AGE", "VIP")
VALUES = (
    st.sampled_from(["Ann", "Zoë \U0001f600", " ", '"\\\n\x00', "0"])
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.decimals(-(10**9), 10**9, places=9)
    | st.sampled_from([Decimal("123456789012345678.123456789"), Decimal("0.000000001")])
)
MANY_LISTS = frozenset(range(1, 100))
CONSENTS = [
    {"text": text, "dateTimeConsented": "2024-02-29T10:00:00Z"} for text in ("Yes", "Certainly")
]
CHANNEL = st.fixed_dictionaries(
    {},
    optional={
        "emailType": st.sampled_from(["html", "plainText"]),
        "optInType": st.sampled_from(["single", "double"]),
        "status": st.just("subscribed"),
    },
)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def apply(
    account: dict[str, Any], body: bytes, merge_option: MergeOption, *, is_wide: bool = False
) -> dict[str, Any]:
    """What becomes of an account's contact: the model that everything is compared with."""
    sent = _decode(body)
    after = deepcopy(account)
    after["identifiers"].update(sent["identifiers"])
    after["lists"] |= set(sent.get("lists", ()))
    properties = {
        ("channel", *each) for each in sent.get("channelProperties", {}).get("email", {}).items()
    }
    properties |= {
        ("preference", each["id"], each["isOptedIn"]) for each in sent.get("preferences", ())
    }
    for kind, name, value in properties:
        # Whether the option covers these is not documented: joined rows must do either way.
        if not (is_wide and merge_option == "overwriteIfEmpty"):
            after[kind][name] = value
        else:
            after[kind].setdefault(name, value)
    after["consents"] = [*after["consents"], *sent.get("consentRecords", ())]
    for name, value in sent.get("dataFields", {}).items():
        is_empty, was_empty = value in {None, ""}, after["fields"].get(name, "") == ""
        if merge_option == "overwrite" and value is None:
            after["fields"].pop(name, None)
        elif (
            merge_option == "overwrite"
            or (merge_option == "overwriteIfNotEmpty" and not is_empty)
            or (merge_option == "overwriteIfEmpty" and was_empty)
        ):
            after["fields"][name] = value
    return after


@st.composite
def contacts(draw: st.DrawFn, merge_option: MergeOption) -> Contact:
    """A contact as the mapping makes it: nothing empty unless it overwrites."""
    values = VALUES | st.sampled_from([None, ""]) if merge_option == "overwrite" else VALUES
    others = draw(st.fixed_dictionaries({}, optional={"customerNumber": st.sampled_from("AB")}))
    made = contact("ann@example.com", others=others)
    body: dict[str, Any] = contents(made)
    if fields := draw(st.dictionaries(st.sampled_from(NAMES), values)):
        body["dataFields"] = fields
    if channel := draw(CHANNEL):
        body["channelProperties"] = {"email": channel}
    if lists := draw(st.sets(st.integers(101, 103), max_size=2) | st.just(MANY_LISTS)):
        body["lists"] = sorted(lists)
    if preferences := draw(st.dictionaries(st.integers(1, 3), st.booleans())):
        body["preferences"] = [{"id": each, "isOptedIn": on} for each, on in preferences.items()]
    if consents := draw(st.lists(st.sampled_from(CONSENTS), max_size=3)):
        body["consentRecords"] = consents
    made.source = OwnSource(_encode(body), made.rows)
    return made


@pytest.mark.parametrize("is_wide", [False, True], ids=["fields", "everything"])
@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_joined_contacts_have_the_effect_of_both_in_turn(
    merge_option: MergeOption, data: st.DataObject, *, is_wide: bool
) -> None:
    rows = data.draw(st.lists(contacts(merge_option), min_size=2, max_size=6))
    before = {
        "identifiers": {"email": "ann@example.com"},
        "lists": data.draw(st.sets(st.integers(101, 103))),
        "channel": data.draw(CHANNEL),
        "preference": data.draw(st.dictionaries(st.integers(1, 3), st.booleans())),
        "consents": [],
        "fields": data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES | st.just(""))),
    }
    in_turn = before
    for row in rows:
        in_turn = apply(in_turn, row.body, merge_option, is_wide=is_wide)
    first = Import(merge_option, 1, 0.0)
    for row in deepcopy(rows):
        assert first.take(row, 10, 10**6, lambda: Import(merge_option, 1, 0.0))
    after = before
    sent = [each.contacts["email:ann@example.com"] for each in first.chain]
    for each in sent:
        after = apply(after, each.body, merge_option, is_wide=is_wide)
        body = contents(each)
        assert len(body.get("consentRecords", ())) <= MAX_CONSENT_RECORDS
        assert len(body.get("lists", ())) <= MAX_LISTS
        assert body.get("preferences") != []
    assert after == in_turn
    assert [line for each in sent for line in each.rows] == [
        line for row in rows for line in row.rows
    ]
    # Whoever takes over any identifier waits for the last import that has to do with it.
    assert set(sent[-1].identities) == {identity for row in rows for identity in row.identities}


def joined(*rows: Contact, merge_option: MergeOption = "overwrite") -> Contact:
    whole = rows[0]
    for row in rows[1:]:
        found = collapse(whole, row, merge_option)
        assert found is not None
        whole = found
    return whole


def parts(merge_option: MergeOption, *rows: Contact) -> list[dict[str, Any]]:
    """What is sent for a contact's rows, one import after the other."""
    first = Import(merge_option, 1, 0.0)
    for row in rows:
        assert first.take(row, 10, 10**6, lambda: Import(merge_option, 1, 0.0))
    return [contents(each.contacts[rows[0].key]) for each in first.chain]


def test_lists_are_united_in_order_and_named_once() -> None:
    whole = joined(
        contact("ann@example.com", lists=[102, 101]), contact("ann@example.com", lists=[101, 103])
    )
    assert contents(whole)["lists"] == [102, 101, 103]


def test_no_list_is_no_empty_array() -> None:
    whole = joined(contact("ann@example.com"), contact("ann@example.com"))
    assert contents(whole) == contents(contact("ann@example.com"))


def test_what_only_one_stream_says_about_the_channel_is_kept() -> None:
    """Two streams may load the same contact with channel settings of their own."""
    whole = joined(
        contact("ann@example.com", channelProperties={"email": {"emailType": "html"}}),
        contact("ann@example.com", channelProperties={"email": {"optInType": "single"}}),
    )
    assert contents(whole)["channelProperties"] == {
        "email": {"emailType": "html", "optInType": "single"}
    }


def test_a_null_of_the_later_row_is_still_a_null() -> None:
    whole = joined(
        contact("ann@example.com", {"FIRSTNAME": "Ann", "AGE": None}),
        contact("ann@example.com", {"FIRSTNAME": None, "AGE": 7}),
    )
    assert contents(whole)["dataFields"] == {"FIRSTNAME": None, "AGE": 7}


def test_an_identifier_that_was_replaced_still_finds_the_contact() -> None:
    """Rows of whoever has the old number now must not overtake this contact."""
    first = Import("overwrite", 1, 0.0)
    for number in ("447700900001", "447700900002"):
        row = contact("ann@example.com", others={"mobileNumber": number})
        assert first.take(row, 10, 10**6, lambda: Import("overwrite", 2, 0.0))
    before, after = first.chain
    assert contents(before.contacts["email:ann@example.com"])["identifiers"]["mobileNumber"] == (
        "447700900001"
    )
    (last,) = after.contacts.values()
    assert contents(last)["identifiers"]["mobileNumber"] == "447700900002"
    assert last.identities == (
        "email:ann@example.com",
        "mobileNumber:447700900001",
        "mobileNumber:447700900002",
    )
    taker = contact("bob@example.com", others={"mobileNumber": "447700900001"})
    assert [overlapping_key(each, taker) for each in first.chain] == ["email:ann@example.com"] * 2


def test_of_a_preference_the_last_row_wins() -> None:
    whole = joined(
        contact("ann@example.com", preferences=[{"id": 7, "isOptedIn": True}]),
        contact(
            "ann@example.com",
            preferences=[{"id": 9, "isOptedIn": True}, {"id": 7, "isOptedIn": False}],
        ),
    )
    assert contents(whole)["preferences"] == [
        {"id": 7, "isOptedIn": False},
        {"id": 9, "isOptedIn": True},
    ]


def test_consents_are_all_kept_five_at_a_time() -> None:
    rows = [contact("ann@example.com", consentRecords=[{"text": f"{n}"}]) for n in range(12)]
    sent = [[each["text"] for each in part["consentRecords"]] for part in parts("overwrite", *rows)]
    assert sent == [["0", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11"]]


def test_the_same_consent_twice_is_two_records() -> None:
    """So it is without an import in common, too."""
    rows = [contact("ann@example.com", consentRecords=[CONSENTS[0]]) for _ in range(2)]
    assert contents(joined(*rows))["consentRecords"] == [CONSENTS[0]] * 2


def test_a_hundred_and_first_list_goes_into_the_next_import() -> None:
    rows = [contact("ann@example.com", lists=[number]) for number in range(1, 102)]
    first, second = parts("overwrite", *rows)
    assert (first["lists"], second["lists"]) == (list(range(1, 101)), [101])


def test_what_comes_after_a_row_that_could_not_be_joined_does_not_overtake_it() -> None:
    rows = [
        *(contact("ann@example.com", consentRecords=[CONSENTS[0]]) for _ in range(5)),
        contact("ann@example.com", {"AGE": 1}, consentRecords=[CONSENTS[1]]),
        contact("ann@example.com", {"AGE": 2}),
    ]
    first, second = parts("overwrite", *rows)
    assert "dataFields" not in first
    assert second["dataFields"] == {"AGE": 2}


@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
@pytest.mark.parametrize("is_first", [True, False])
def test_an_opt_out_of_either_row_stays(merge_option: MergeOption, *, is_first: bool) -> None:
    out = {"email": {"status": "unsubscribed"}, "sms": {"status": "unsubscribed"}}
    other: dict[str, Any] = {"email": {"emailType": "html", "optInType": "verifiedDouble"}}
    earlier, later = (out, other) if is_first else (other, out)
    joined = collapse(
        contact("ann@example.com", channelProperties=earlier),
        contact("ann@example.com", channelProperties=later),
        merge_option,
    )
    assert joined is not None
    email = {"emailType": "html", "status": "unsubscribed"}
    assert contents(joined)["channelProperties"] == {**out, "email": email}


def test_subscribed_does_not_undo_an_opt_out() -> None:
    out, back = (
        contact("ann@example.com", channelProperties={"email": {"status": status}})
        for status in ("unsubscribed", "subscribed")
    )
    for pair in ((out, back), (back, out)):
        joined = collapse(*pair, "overwrite")
        assert joined is not None
        channels = contents(joined)["channelProperties"]
        assert channels == {"email": {"status": "unsubscribed"}}


@pytest.mark.parametrize(("flags", "expected"), [((True, True), True), ((True, False), False)])
def test_a_contact_is_left_out_only_if_all_its_rows_say_so(
    flags: tuple[bool, bool], *, expected: bool
) -> None:
    one, two = contact("ann@example.com"), contact("ann@example.com")
    one.only_if_known, two.only_if_known = flags
    for pair in ((one, two), (two, one)):
        joined = collapse(*pair, "overwrite")
        assert joined is not None
        assert joined.only_if_known is expected

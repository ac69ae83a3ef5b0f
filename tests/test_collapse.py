"""Two rows of one contact, joined: the account ends as if both had been sent in turn."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.contacts import Contact, collapse
from target_dotdigital.settings_schema import MERGE_OPTIONS
from tests.building import contact, contents

if TYPE_CHECKING:
    from target_dotdigital.settings_schema import MergeOption

NAMES = ("FIRSTNAME", "AGE", "VIP")
VALUES = (
    st.sampled_from(["Ann", "Zoë \U0001f600", " ", '"\\\n\x00', "0"])
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.decimals(-(10**9), 10**9, places=9)
    | st.sampled_from([Decimal("123456789012345678.123456789"), Decimal("0.000000001")])
)
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


def apply(account: dict[str, Any], body: bytes, merge_option: MergeOption) -> dict[str, Any]:
    """What becomes of an account's contact: the model that everything is compared with."""
    sent = _decode(body)
    after = deepcopy(account)
    after["identifiers"].update(sent["identifiers"])
    after["lists"] |= set(sent.get("lists", ()))
    after["channel"].update(sent.get("channelProperties", {}).get("email", {}))
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
    if lists := draw(st.sets(st.integers(101, 103), max_size=1)):
        body["lists"] = list(lists)
    made.body = _encode(body)
    return made


@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_joined_contacts_have_the_effect_of_both_in_turn(
    merge_option: MergeOption, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(contacts(merge_option), min_size=2, max_size=4))
    before = {
        "identifiers": {"email": "ann@example.com"},
        "lists": data.draw(st.sets(st.integers(101, 103))),
        "channel": data.draw(CHANNEL),
        "fields": data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES | st.just(""))),
    }
    in_turn, joined = before, rows[0]
    for row in rows:
        in_turn = apply(in_turn, row.body, merge_option)
    for row in rows[1:]:
        joined = collapse(joined, row, merge_option)
    assert apply(before, joined.body, merge_option) == in_turn
    assert joined.rows == tuple(line for row in rows for line in row.rows)
    assert set(joined.identities) == {identity for row in rows for identity in row.identities}
    assert joined.key == "email:ann@example.com"


def test_lists_are_united_in_order_and_named_once() -> None:
    joined = collapse(
        contact("ann@example.com", lists=[102, 101]),
        contact("ann@example.com", lists=[101, 103]),
        "overwrite",
    )
    assert contents(joined)["lists"] == [102, 101, 103]


def test_no_list_is_no_empty_array() -> None:
    joined = collapse(contact("ann@example.com"), contact("ann@example.com"), "overwrite")
    assert contents(joined) == contents(contact("ann@example.com"))


def test_what_only_one_stream_says_about_the_channel_is_kept() -> None:
    """Two streams may load the same contact with channel settings of their own."""
    joined = collapse(
        contact("ann@example.com", channelProperties={"email": {"emailType": "html"}}),
        contact("ann@example.com", channelProperties={"email": {"optInType": "single"}}),
        "overwrite",
    )
    assert contents(joined)["channelProperties"] == {
        "email": {"emailType": "html", "optInType": "single"}
    }


def test_a_null_of_the_later_row_is_still_a_null() -> None:
    joined = collapse(
        contact("ann@example.com", {"FIRSTNAME": "Ann", "AGE": None}),
        contact("ann@example.com", {"FIRSTNAME": None, "AGE": 7}),
        "overwrite",
    )
    assert contents(joined)["dataFields"] == {"FIRSTNAME": None, "AGE": 7}


def test_an_identifier_that_was_replaced_still_finds_the_contact() -> None:
    """Rows of whoever has the old number now must not overtake this contact."""
    joined = collapse(
        contact("ann@example.com", others={"mobileNumber": "447700900001"}),
        contact("ann@example.com", others={"mobileNumber": "447700900002"}),
        "overwrite",
    )
    assert joined.identities == (
        "email:ann@example.com",
        "mobileNumber:447700900001",
        "mobileNumber:447700900002",
    )
    assert contents(joined)["identifiers"]["mobileNumber"] == "447700900002"

"""Nobody is opted in again unless the settings say so."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.loading.batching import Batches
from target_dotdigital.loading.imports import Import, import_body
from target_dotdigital.mapping.contact_mapping import ContactMapping
from target_dotdigital.settings.stream_schema import (
    CONSENT_KEYS,
    EMAIL_TYPES,
    MERGE_OPTIONS,
    OPT_IN_TYPES,
)
from tests.support.builders import WILD_VALUES, attempt, downstream, stream_settings
from tests.support.clock import FakeClock
from tests.support.dotdigital.account.account import Account
from tests.support.dotdigital.account.import_checks import open_envelope
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.network import settings as account_settings
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_dotdigital.loading.removals import Removal
    from target_dotdigital.settings.settings import StreamSettings
    from tests.support.dotdigital.server import DotdigitalServer

PROPERTIES = [
    *("email", "id", "status", "emailStatus", "resubscribe", "resubscribeOptions", "subscribed"),
    *("channelProperties", "channelProperties.email.status", "optInType", "preferences", "lists"),
    *("mergeOption", "consentRecords", "identifiers"),
]
FIELDS = {
    "STATUS": "String",
    "RESUBSCRIBE": "Boolean",
    "CHANNELPROPERTIES": "String",
    "OPTINTYPE": "String",
    "SUBSCRIBED": "Boolean",
    "LASTSUBSCRIBED": "Date",
}
EMAILS = ["out@example.com", " OUT@Example.com", "gone@example.com", "new@example.com"]
OPTED_OUT = {"out@example.com": "unsubscribed", "gone@example.com": "suppressed"}
NUMBERS = {"out@example.com": "1", "gone@example.com": "2"}
SUGGESTIVE = st.sampled_from(
    [
        *("subscribed", "Subscribed", True, "yes", "", None, "2024-02-29T10:00:00Z"),
        *("https://example.com", "192.0.2.7", 7, [101, 102], "Newsletter"),
        {"email": {"status": "subscribed", "resubscribeOptions": {}}},
        {"status": "subscribed"},
    ]
)
NAMES = st.sampled_from(PROPERTIES)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"email": st.sampled_from(EMAILS), "id": st.sampled_from(["1", "2", "3"])},
        optional=dict.fromkeys(PROPERTIES[2:], SUGGESTIVE | WILD_VALUES),
    ),
    min_size=1,
    max_size=8,
)
BY_EMAIL = {"email": "email"}
BY_ID = {"customerNumber": "id", "email": "email"}


@st.composite
def streams(draw: st.DrawFn) -> StreamSettings:
    """Any settings of a stream but `resubscribe: true`."""
    match = draw(st.sampled_from(["email", "customerNumber"]))
    by_row = draw(st.booleans())
    fields = st.dictionaries(st.sampled_from(list(FIELDS)), NAMES, max_size=4)
    whole = st.fixed_dictionaries(dict.fromkeys(CONSENT_KEYS, NAMES))
    return stream_settings(
        match_identifier=match,
        identifiers=BY_EMAIL if match == "email" else BY_ID,
        fields=draw(st.none() | fields),
        merge_option=draw(st.sampled_from(MERGE_OPTIONS)),
        email_type=draw(st.sampled_from([None, *EMAIL_TYPES])),
        email_opt_in_type=draw(st.sampled_from([None, *OPT_IN_TYPES])),
        preferences=draw(st.dictionaries(st.integers(1, 3), NAMES, max_size=2)),
        consent=draw(st.none() | whole),
        address_book_property="lists" if by_row else None,
        resubscribe=False,
    )


def an_account() -> Account:
    account = Account()
    account.custom_identifiers.add("customerNumber")
    account.data_fields |= FIELDS
    for email, status in OPTED_OUT.items():
        account.add_contact(
            email, email_status=status, identifiers={"customerNumber": NUMBERS[email]}
        )
    return account


def bodies(stream: StreamSettings, rows: list[dict[str, Any]], size: int) -> Iterator[bytes]:
    """What is sent for a stream's rows, in imports of so many contacts at most."""
    described: dict[str, Any] = {"properties": {name: {} for name in PROPERTIES}}
    book_id = None if stream.address_book_property else 101
    compiled = ContactMapping(stream, described, FIELDS, book_id, lambda _: 102)

    sent: list[Import] = []

    def take(load: Import | Removal) -> None:
        assert isinstance(load, Import)
        sent.append(load)

    limits = account_settings("http://127.0.0.1", batch_size_rows=size)
    batches = Batches(limits, FakeClock(), take, downstream())
    for number, row in enumerate(rows):
        made = attempt(compiled.contact, row)
        if isinstance(made, RowRejectedError):
            event(made.code)
            continue
        assert batches.join(made, stream.merge_option, number)
    batches.flush()
    for each in sent:
        yield bytes(import_body(stream.merge_option, list(each.contacts.values()), BytesIO()))


def keys_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            if key != "dataFields":  # a data field may have any name: it is no status
                yield from keys_of(each)
    if isinstance(value, list):
        for each in value:
            yield from keys_of(each)


@given(st.lists(st.tuples(streams(), ROWS, st.integers(1, 5)), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_no_rows_under_any_settings_opt_anybody_in_again(
    loads: list[tuple[StreamSettings, list[dict[str, Any]], int]],
) -> None:
    account = an_account()
    before = {
        contact.identifiers["customerNumber"]: contact.email_status
        for contact in account.contacts.values()
    }
    asks_first = False
    for stream, rows, size in loads:
        asks_first = asks_first or stream.email_opt_in_type == "verifiedDouble"
        for body in bodies(stream, rows, size):
            envelope = open_envelope(body)
            event("sent")
            assert not {"status", "resubscribeOptions"} & set(keys_of(envelope.contacts))
            account.finish(account.accept(envelope).index)
    after = {
        contact.identifiers.get("customerNumber"): contact.email_status
        for contact in account.contacts.values()
    }
    for number, status in before.items():
        # Asked for confirmation by mail, the person decides.
        assert after[number] == status or (asks_first and after[number] == "pendingOptIn")


# Through the command line.

STATUS_LIKE: dict[str, Any] = {
    "email": {"type": "string"},
    "status": {"type": "string"},
    "news": {"type": "boolean"},
}
STREAM: dict[str, Any] = {
    "preferences": {"7": "news"},
    "email_type": "plainText",
    "email_opt_in_type": "single",
}
ROW: dict[str, Any] = {"email": "out@example.com", "status": "subscribed", "news": True}


@pytest.mark.parametrize("resubscribe", [False, True])
def test_a_status_is_sent_if_and_only_if_the_settings_say_so(
    server: DotdigitalServer, tmp_path: Path, *, resubscribe: bool
) -> None:
    server.add_contact("out@example.com", email_status="unsubscribed")
    config = settings_for(server, streams={"people": {**STREAM, "resubscribe": resubscribe}})
    ended = load(config, tmp_path, schema(properties=STATUS_LIKE), record(**ROW), state(1))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    (contact,) = server.calls_of(IMPORT)[0].contacts
    channel = {"emailType": "plainText", "optInType": "single"}
    status = {"status": "subscribed"} if resubscribe else {}
    assert contact["channelProperties"] == {"email": {**channel, **status}}
    found = server.contact("out@example.com")
    assert found is not None
    assert found.email_status == ("subscribed" if resubscribe else "unsubscribed")
    assert (found.email_type, found.opt_in_type) == ("plainText", "single")
    assert found.preferences == {7: True}


def test_that_requests_are_mailed_is_warned_of_once(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {name: {"email_opt_in_type": "verifiedDouble"} for name in ("people", "others")}
    ended = load(
        settings_for(server, streams={**streams, "third": {"email_opt_in_type": "double"}}),
        tmp_path,
        *(schema(name) for name in ("people", "others", "third", "people")),
        record(email="new@example.com"),
        record("third", email="other@example.com"),
    )
    (warning,) = [line for line in ended.stderr.splitlines() if "verifiedDouble" in line]
    assert "WARNING" in warning
    assert "'people', 'others'" in warning
    assert "third" not in warning

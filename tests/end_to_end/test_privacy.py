"""No record value and no credential in any output, at DEBUG, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.canary import ARRANGEMENTS, CANARY, DEBUG, INPUTS, SCHEMA
from tests.support.messages import record, schema
from tests.support.target.command import FinishedRun, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

CONSENT = {
    "text": f"Yes, {CANARY}",
    "url": f"https://example.com/{CANARY}",
    "date_time_consented": "2024-02-29T10:00:00Z",
    "ip_address": "192.0.2.177",
    "user_agent": CANARY,
}
AGREED = {
    "people": {
        "match_identifier": "customerNumber",
        "identifiers": {"customerNumber": "number", "email": "email", "mobileNumber": "phone"},
        "fields": {},
        "preferences": {"7": "news"},
        "consent": {part: f"consent.{part}" for part in CONSENT},
        "address_book_property": "books",
    }
}


def _assert_silent(ended: FinishedRun, server: DotdigitalServer) -> None:
    printed = ended.stdout + ended.stderr
    assert CANARY not in printed
    for secret in (server.username, server.password, "cmVhbCBzZWNyZXQ"):
        assert secret not in printed


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_is_repeated(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ended = load(settings_for(server), tmp_path, *INPUTS[name], environment=DEBUG)
    assert "Traceback" not in ended.stderr
    _assert_silent(ended, server)


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_no_leaver_is_repeated(server: DotdigitalServer, tmp_path: Path, on_delete: str) -> None:
    # Who leaves an address book is looked up by a URL that holds the address.
    config = settings_for(server, streams={"people": {"on_delete": on_delete}})
    row = record(email=f"{CANARY}@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z")
    ended = load(config, tmp_path, SCHEMA, row, environment=DEBUG)
    assert ended.status == 0
    _assert_silent(ended, server)


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_no_answer_is_repeated(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ARRANGEMENTS[name](server)
    ended = load(settings_for(server), tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert "Traceback" not in ended.stderr
    _assert_silent(ended, server)


def test_nothing_of_what_people_agreed_to_is_repeated(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.custom_identifiers.add("customerNumber")
    server.address_books[7_654_321] = f"{CANARY} book"
    good: dict[str, Any] = {
        "email": f"{CANARY}@example.com",
        "books": [f"{CANARY} book", 101],
        "news": True,
        "consent": CONSENT,
    }
    rows = [
        good,
        good | {"number": f"{CANARY}2"},  # the address belongs to the first
        *(good | {"news": each} for each in (CANARY, [CANARY], {CANARY: CANARY})),
        *(good | {"consent": each} for each in (CANARY, {"text": CANARY})),
        *(good | {"consent": {**CONSENT, part: f" {CANARY} 192.0.2.177"}} for part in CONSENT),
        *(good | {"books": each} for each in (f"{CANARY}s", [f"{CANARY}s"], {CANARY: 1}, None)),
        *(good | {"phone": each} for each in (CANARY, [CANARY])),
    ]
    columns: dict[str, Any] = {
        name: {} for name in ("number", "email", "phone", "books", "news", "consent")
    }
    messages = [record(**{"number": f"{CANARY}1", **row}) for row in rows]
    config = settings_for(server, streams=AGREED, max_reject_percent=100)
    ended = load(config, tmp_path, schema(properties=columns), *messages, environment=DEBUG)
    assert "Traceback" not in ended.stderr
    assert "dotdigital.duplicateIdentifier 1, field.type" in ended.counts()
    _assert_silent(ended, server)
    assert "192.0.2.177" not in ended.stderr
    assert "7654321" not in ended.stderr


def test_a_stream_map_that_fails_repeats_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    maps = {"people": {"first_name": "int(first_name)", "email": "email"}}
    config = settings_for(server, stream_maps=maps)
    ended = load(config, tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert ended.counts().endswith("rejected by code: record.invalid 1\n"[:-1])
    _assert_silent(ended, server)


def test_wrong_settings_are_named_and_not_repeated(tmp_path: Path) -> None:
    config = {
        "username": [CANARY],
        "password": 1234567890123,
        "region": CANARY,
        "max_active_imports": CANARY,
        "streams": {"people": {"match_identifer": CANARY, "merge_option": CANARY}},
    }
    ended = load(config, tmp_path, environment=DEBUG)
    assert ended.status == 1
    for name in ("username", "password", "region", "max_active_imports", "streams.people"):
        assert f"{name}" in ended.stderr
    assert CANARY not in ended.stderr
    assert "1234567890123" not in ended.stderr

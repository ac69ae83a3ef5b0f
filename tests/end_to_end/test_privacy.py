"""No record value and no credential in any output, at DEBUG, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.canary import ARRANGEMENTS, CANARY, DEBUG, INPUTS, SCHEMA
from tests.support.dotdigital.answers import v3_error
from tests.support.messages import record, schema
from tests.support.target.command import FinishedRun, load, settings_for
from tests.support.target.commands import command, found

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


@pytest.mark.parametrize("fault", [None, "quoted"])
def test_no_command_repeats_whom_it_is_about(
    server: DotdigitalServer, tmp_path: Path, fault: str | None
) -> None:
    """Of --verify, --replay and --undo, and what they leave is for its owner alone."""
    stream = {
        "sync_mode": "mirror",
        "max_removal_percent": 100,
        "opt_out": {"email": "out"},
        "opt_out_new": "skip",
    }
    paths = {name: str(tmp_path / name) for name in ("report.json", "people.csv", "people.singer")}
    config = settings_for(
        server,
        streams={"people": stream},
        report_path=paths["report.json"],
        rejects_csv=paths["people.csv"],
        rejects_path=paths["people.singer"],
        max_reject_percent=100,
    )
    columns: dict[str, Any] = {"email": {}, "first_name": {}, "out": {}}
    messages = (
        schema(properties=columns),
        record(email=f"{CANARY}1@example.com", first_name=CANARY),
        record(email=f"{CANARY}2@example.com", first_name=CANARY, out=True),
        record(email=f"{CANARY}3@example.com", out=CANARY),
    )
    server.add_contact(f"{CANARY}4@example.com", lists=(102,))
    _assert_silent(load(config, tmp_path, *messages, environment=DEBUG), server)
    (undo_file,) = tmp_path.glob("leavers.*")
    with server.edited(f"{CANARY}1@example.com") as contact:
        contact.data_fields["FIRSTNAME"] = f"{CANARY}s"
    server.add_contact(f"{CANARY}5@example.com", lists=(102,))
    missing = record(email=f"{CANARY}6@example.com")
    if fault is not None:  # it quotes what it was asked for
        refused = v3_error(400, f"contacts:{CANARY} x", f"{CANARY} is wrong")
        server.answer_next("GET /contacts/v3/{identifier}/{value}", refused, times=None)
    verified = command(config, tmp_path, "--verify", messages=(*messages, missing), debug=True)
    assert verified.status == 1
    assert found(verified)["extra"] == 1
    replayed = command(config, tmp_path, "--replay", paths["people.singer"], debug=True)
    undone = command(config, tmp_path, "--undo", str(undo_file), debug=True)
    assert undone.status == 0, undone.stderr
    for ended in (verified, replayed, undone):
        assert "Traceback" not in ended.stderr
        _assert_silent(ended, server)
    for path in tmp_path.iterdir():
        if path.name != "config.json":
            assert path.stat().st_mode & 0o777 == 0o600, path.name
            has_people = path.name.startswith("people.")
            assert has_people or CANARY not in path.read_text(), path.name


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

"""The rejects file goes back into the target, and only the repaired rows leave it."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from tests.support.messages import record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

ROWS = (
    schema(key_properties=["id"]),
    record(id=1, email="ann@example.com", first_name="Ann"),
    record(id=2, email="bob at example.com", first_name="Bob"),
    record(id=3, email=None, first_name="Cid"),
    record(id=4, email="dan@example.com", first_name="Dan"),
    record(id="five", email="eve@example.com", first_name="Eve"),
    state({"row": 5}),
)


def test_rejected_rows_are_replayed_after_a_repair(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.reject("dan@example.com", "SuppressedByDomain")
    rejects = tmp_path / "rejects.singer"
    config = settings_for(server, rejects_path=str(rejects), max_reject_percent=100)
    first = load(config, tmp_path, *ROWS)
    assert (first.status, first.states) == (0, [{"row": 5}])
    assert first.counts().startswith(
        "read 5 = imported 1 + rejected 4 + collapsed 0 + skipped 0; rejected by code: "
        "dotdigital.suppressedByDomain 1, identifier.invalid 1, identifier.missing 1, "
        "record.invalid 1"
    )
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    messages = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [message["type"] for message in messages] == ["SCHEMA", *["RECORD"] * 4]

    server.rejected.clear()
    repaired = rejects.read_text().replace("bob at example", "bob@example").replace('"five"', "5")
    second = load(config, tmp_path, repaired.rstrip("\n"))
    assert second.status == 0
    assert second.counts().startswith("read 4 = imported 3 + rejected 1 + collapsed 0 + skipped 0")
    assert {email: each.data_fields["FIRSTNAME"] for email, each in server.contacts.items()} == {
        "ann@example.com": "Ann",
        "bob@example.com": "Bob",
        "dan@example.com": "Dan",
        "eve@example.com": "Eve",
    }
    # The one that is still bad is in the new file, once; the first file is kept beside it.
    (_, left) = (json.loads(line) for line in rejects.read_text().splitlines())
    assert left["record"]["id"] == 3
    assert left["record"]["_sdc_reject_code"] == "identifier.missing"
    assert len(list(tmp_path.glob("rejects.singer*"))) == 2
    sent = [field for call in server.calls if call.body for field in call.json["contacts"]]
    assert not any("_sdc" in json.dumps(contact).lower() for contact in sent)


def test_every_row_of_a_refused_contact_is_kept(server: DotdigitalServer, tmp_path: Path) -> None:
    """The older row holds what the newer one lacks."""
    server.reject("ann@example.com")
    rejects = tmp_path / "rejects.singer"
    ended = load(
        settings_for(server, rejects_path=str(rejects), max_reject_percent=100),
        tmp_path,
        schema(),
        record(id=1, email="ann@example.com", first_name="Ann"),
        record(id=2, email="ANN@example.com"),
    )
    assert ended.status == 0
    assert ended.counts().startswith("read 2 = imported 0 + rejected 2 + collapsed 0 + skipped 0")
    assert len(rejects.read_text().splitlines()) == 3


def test_a_file_that_cannot_be_written_is_found_before_anything_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    config = settings_for(server, rejects_path=str(tmp_path / "file" / "rejects.singer"))
    ended = load(config, tmp_path, *ROWS)
    assert (ended.status, ended.stdout) == (1, "")
    assert "rejects_path" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert server.calls == []

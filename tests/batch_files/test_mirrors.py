"""Mirrors and deletes, from files: as from RECORD messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batches import batch, batch_of, parquet_of
from tests.support.messages import activate, gone, rows, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

BOOK = 102
DELETABLE = {"email": {"type": "string"}, "_sdc_deleted_at": {"type": ["string", "null"]}}


def members(server: DotdigitalServer) -> set[str]:
    found = server.contents().items()
    return {key.partition("@")[0] for key, each in found if BOOK in each["lists"]}


def mirror(server: DotdigitalServer) -> dict[str, Any]:
    for name in ("ada", "ben", "old"):
        server.add_contact(f"{name}@example.com", {}, lists=(BOOK,))
    streams = {"people": {"sync_mode": "mirror", "max_removal_percent": 100}}
    return settings_for(server, streams=streams, rejects_path="rejects.singer")


@pytest.mark.parametrize("write", [batch_of, parquet_of])
def test_those_whom_a_file_holds_stay(server: DotdigitalServer, tmp_path: Path, write: Any) -> None:  # noqa: ANN401
    message = write(tmp_path / "people", rows(["ada", "cleo", "no address"]))
    ended = load(mirror(server), tmp_path, schema(), *rows(["ben"]), message, state({"row": 4}))
    assert (ended.status, ended.states) == (0, [{"row": 4}]), ended.stderr
    assert members(server) == {"ada", "ben", "cleo"}


def test_versions_of_batches_count(server: DotdigitalServer, tmp_path: Path) -> None:
    messages = [
        batch_of(tmp_path / "1", rows(["ada", "cleo"]), version=1),
        batch_of(tmp_path / "2", rows(["ben", "dee"]), version=2),
        {**rows(["eve"])[0], "version": 2},
        activate(2),
        state({"row": 5}),
    ]
    ended = load(mirror(server), tmp_path, schema(), *messages)
    assert (ended.status, ended.states) == (0, [{"row": 5}]), ended.stderr
    assert members(server) == {"ben", "dee", "eve"}


@pytest.mark.parametrize("version", [None, 1])
def test_nobody_leaves_if_a_file_is_missing(
    server: DotdigitalServer, tmp_path: Path, version: int | None
) -> None:
    more: dict[str, Any] = {} if version is None else {"version": version}
    there = batch_of(tmp_path / "there", rows(["ada"]), **more)
    both = batch(*there["manifest"], tmp_path / "missing", **more)
    ended = load(mirror(server), tmp_path, schema(), both, activate(1), state({"row": 9}))
    assert (ended.status, ended.states) == (1, [])
    assert "file 2 of 2 does not exist" in ended.stderr
    assert members(server) == {"ada", "ben", "old"}


def test_an_empty_batch_is_no_reason_to_empty_an_address_book(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """As a stream without a RECORD is none."""
    found = []
    for message in (batch(), batch_of(tmp_path / "empty", [])):
        config = mirror(server)
        ended = load(config, tmp_path, schema(), message, state({"row": 0}))
        alone = load(config, tmp_path, schema(), state({"row": 0}))
        assert (ended.status, ended.states) == (alone.status, alone.states), ended.stderr
        found.append(members(server))
    assert found == [{"ada", "ben", "old"}] * 2


@pytest.mark.parametrize("write", [batch_of, parquet_of])
def test_marked_rows_leave(server: DotdigitalServer, tmp_path: Path, write: Any) -> None:  # noqa: ANN401
    server.add_contact("ada@example.com", {}, lists=(BOOK,))
    config = settings_for(server, streams={"people": {"on_delete": "remove"}})
    people = [{**each, "record": {**each["record"], "_sdc_deleted_at": None}} for each in rows("b")]
    message = write(tmp_path / "people", [*people, *gone(["ada"])])
    ended = load(config, tmp_path, schema(properties=DELETABLE), message, *gone(["b"]), *rows("c"))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"c"}
    assert {*server.contents()} == {f"{each}@example.com" for each in ("ada", "b", "c")}


def test_the_sdks_batches_have_no_version_and_its_streams_have_one(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    message = batch_of(tmp_path / "1", rows(["ada", "cleo"]))
    messages = [activate(7), message, activate(7), state({"row": 2})]
    ended = load(mirror(server), tmp_path, schema(), *messages)
    assert (ended.status, ended.states) == (0, [{"row": 2}]), ended.stderr
    assert members(server) == {"ada", "cleo"}

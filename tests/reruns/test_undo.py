"""`--undo`: those whom a mirror took out are put back, with the run's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.messages import rows, schema
from tests.support.mirrors import BOOK, fill, members, mirror, run, undo_files
from tests.support.target.command import TargetProcess
from tests.support.target.commands import command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


def test_whoever_left_is_back_as_they_were(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid", "dan")
    before = server.contents()
    # The run's own settings drop every stream but its own, and make what is missing.
    maps = {"people": {"email": "email", "__else__": None}}
    config = mirror(server, stream_maps=maps, create_address_book=True, report_path="report.json")
    assert run(config, tmp_path, schema(), *rows(["ann", "dan"])).status == 0
    assert members(server) == {"ann", "dan"}
    with server.edited("bob@example.com") as bob:
        bob.email_status = before["bob@example.com"]["email_status"] = "unsubscribed"
    (path,) = undo_files(tmp_path)
    ended = command(config, tmp_path, "--undo", str(path))
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert f"puts 2 contacts back into address book {BOOK}" in ended.stderr
    assert members(server) == {"ann", "bob", "cid", "dan"}
    after, before_ann = server.contents(), before.pop("ann@example.com")
    assert after.pop("ann@example.com")["lists"] == before_ann["lists"]
    assert after == before
    assert path.exists()


def test_the_file_may_have_another_name_but_not_another_content(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob")
    config = mirror(server)
    run(config, tmp_path, schema(), *rows(["ann"]))
    (path,) = undo_files(tmp_path)
    path = path.rename(tmp_path / "kept")
    assert command(config, tmp_path, "--undo", "kept").status == 0
    assert members(server) == {"ann", "bob"}
    # One of an older version says it in its name alone.
    path.write_text(path.read_text().replace(f', "address_book": {BOOK}', ""))
    ended = command(config, tmp_path, "--undo", str(path))
    assert (ended.status, ended.stdout) == (1, "")
    assert "does not say which address book" in ended.stderr
    named = path.rename(tmp_path / f"leavers.{BOOK}.20260101T000000.000000Z.singer")
    assert command(config, tmp_path, "--undo", str(named)).status == 0
    named.write_text(named.read_text().replace('"leavers"', '"people"'))
    ended = command(config, tmp_path, "--undo", str(named))
    assert ended.status == 1
    assert "--replay" in ended.stderr


def test_a_dry_run_says_who_would_be_back(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob")
    config = mirror(server)
    run(config, tmp_path, schema(), *rows(["ann"]))
    (path,) = undo_files(tmp_path)
    calls = len(server.calls)
    ended = command({**config, "dry_run": True}, tmp_path, "--undo", str(path))
    assert ended.status == 0, ended.stderr
    assert "would join" in ended.stderr
    assert {call.method for call in server.calls[calls:]} == {"GET"}
    assert members(server) == {"ann"}


@pytest.mark.parametrize("times", [1, 2])
def test_killed_and_done_again_everybody_is_back(
    server: DotdigitalServer, tmp_path: Path, times: int
) -> None:
    fill(server, "ann", "bob", "cid")
    config = mirror(server)
    run(config, tmp_path, schema(), *rows(["ann"]))
    (path,) = undo_files(tmp_path)
    server.hold_imports()
    accepted = len(server.imports)
    with TargetProcess(config, tmp_path, arguments=("--undo", str(path))) as target:
        server.wait_for_imports(accepted + 1)
        target.process.kill()
        target.end()
    server.release_all()
    for _ in range(times):
        assert command(config, tmp_path, "--undo", str(path)).status == 0
    assert members(server) == {"ann", "bob", "cid"}


def test_whoever_was_put_back_before_is_put_back_again(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """With `send: changes`, too: what was sent once is no reason to leave it out."""
    fill(server, "ann", "bob")
    config = mirror(server, send="changes", fingerprints_path="fingerprints")
    run(config, tmp_path, schema(), *rows(["ann"]))
    (path,) = undo_files(tmp_path)
    for _ in range(2):
        assert command(config, tmp_path, "--undo", str(path)).status == 0
        assert members(server) == {"ann", "bob"}
        with server.edited("bob@example.com") as bob:
            bob.lists.clear()

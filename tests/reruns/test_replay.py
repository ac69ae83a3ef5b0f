"""`--replay`: repaired rejects are loaded once more, by one command, and none of them is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import gone, record, rows, schema, state
from tests.support.target.command import TargetProcess, load, settings_for
from tests.support.target.commands import command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

NAMES = ("ann", "bob", "cid", "dan")


def rejected(server: DotdigitalServer, folder: Path, **settings: Any) -> dict[str, Any]:
    """Load rows of which two are rejected, and return the settings."""
    settings = {"rejects_path": str(folder / "rejects.singer"), **settings}
    config = settings_for(server, max_reject_percent=50, **settings)
    broken = [record(email=f"{name} at example.com", first_name=name) for name in ("cid", "dan")]
    ended = load(config, folder, schema(), *rows(["ann", "bob"], first_name="X"), *broken, state(1))
    assert ended.status == 0, ended.stderr
    path = config["rejects_path"]
    told = f"The rejected rows are in {path}. Repair that file, then load it with --replay {path}"
    assert told in ended.stderr
    return config


def repair(path: Path, *names: str) -> None:
    text = path.read_text()
    for name in names:
        text = text.replace(f"{name} at example", f"{name}@example")
    path.write_text(text)


def archived(folder: Path) -> list[str]:
    return [each.name for each in folder.glob("rejects.singer.*.replayed")]


def rejects(folder: Path) -> list[Path]:
    """Return the rejects files of replays."""
    return sorted(each for each in folder.glob("rejects.*.singer"))


def test_repaired_rows_are_loaded_and_the_file_is_put_away(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    text = path.read_text()
    ended = command(config, tmp_path, "--replay", str(path))
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert "loads 2 rows of stream 'people' (identifier.invalid 2)" in ended.stderr
    assert ended.counts().strip() == "read 2 = imported 2 + rejected 0 + collapsed 0 + skipped 0"
    assert set(server.contacts) == {f"{name}@example.com" for name in NAMES}
    assert not path.exists()
    (name,) = archived(tmp_path)
    assert (tmp_path / name).read_text() == text
    assert not rejects(tmp_path)
    assert "_sdc" not in json.dumps([call.json for call in server.calls if call.body])
    assert "example.com" not in ended.stderr


def test_what_is_rejected_again_goes_to_a_file_of_its_own(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid")
    ended = command(config, tmp_path, "--replay", "rejects.singer")
    assert ended.status == 0, ended.stderr
    (left,) = rejects(tmp_path)
    assert left.stat().st_mode & 0o777 == 0o600
    (_, row) = map(json.loads, left.read_text().splitlines())
    assert row["record"]["email"] == "dan at example.com"
    assert len(archived(tmp_path)) == 1
    # And that file goes the same way.
    repair(left, "dan")
    assert command(config, tmp_path, "--replay", str(left)).status == 0
    assert set(server.contacts) == {f"{name}@example.com" for name in NAMES}
    assert not rejects(tmp_path)


def test_a_replay_that_fails_leaves_the_file(server: DotdigitalServer, tmp_path: Path) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    text = path.read_bytes()
    ended = command(config, tmp_path, "--replay", str(path))  # nothing is repaired
    assert ended.status == 1
    assert "max_reject_percent" in ended.stderr
    assert path.read_bytes() == text
    assert not archived(tmp_path)


def test_a_dry_run_says_what_would_be_done(server: DotdigitalServer, tmp_path: Path) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    before, calls = server.contents(), len(server.calls)
    ended = command({**config, "dry_run": True}, tmp_path, "--replay", str(path))
    assert ended.status == 0, ended.stderr
    assert "Plan of a dry run" in ended.stderr
    assert {call.method for call in server.calls[calls:]} == {"GET"}
    assert server.contents() == before
    assert path.exists()


def test_nobody_leaves_a_mirror_for_a_replay_and_no_state_is_printed(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"sync_mode": "mirror", "max_removal_percent": 100}
    config = rejected(server, tmp_path, streams={"people": stream, "others": {}})
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    with path.open("a") as file:
        file.write(json.dumps(state("old")) + "\n")
    ended = command(config, tmp_path, "--replay", str(path))
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert {name for name, each in server.contacts.items() if 102 in each.lists} == {
        f"{name}@example.com" for name in NAMES
    }
    assert "'others'" not in ended.stderr  # a file of some rows has not all streams


def test_settings_hold_for_a_replay_too(server: DotdigitalServer, tmp_path: Path) -> None:
    """Stream maps see the rows as the tap sent them, and deleted rows leave."""
    maps = {"people": {"__alias__": "mapped", "email": "email", "first_name": "first_name.upper()"}}
    settings = {"stream_maps": maps, "streams": {"mapped": {"on_delete": "remove"}}}
    config = rejected(server, tmp_path, **settings)
    server.add_contact("eve@example.com", lists=(102,))
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    with path.open("a") as file:
        file.write(json.dumps(record(**gone(["eve"])[0]["record"], first_name="e")) + "\n")
    ended = command(config, tmp_path, "--replay", str(path))
    assert ended.status == 0, ended.stderr
    assert server.contacts["cid@example.com"].data_fields["FIRSTNAME"] == "CID"
    assert not server.contacts["eve@example.com"].lists


def test_killed_in_the_middle_nothing_is_lost(server: DotdigitalServer, tmp_path: Path) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    text = path.read_bytes()
    server.hold_imports()
    accepted = len(server.imports)
    with TargetProcess(config, tmp_path, arguments=("--replay", str(path))) as target:
        server.wait_for_imports(accepted + 1)
        target.process.kill()
        target.end()
    assert path.read_bytes() == text
    server.release_all()
    assert command(config, tmp_path, "--replay", str(path)).status == 0
    assert set(server.contacts) == {f"{name}@example.com" for name in NAMES}
    assert len(archived(tmp_path)) == 1


def test_another_file_of_the_same_name_is_left_alone(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    server.hold_imports()
    accepted = len(server.imports)
    with TargetProcess(config, tmp_path, arguments=("--replay", str(path))) as target:
        server.wait_for_imports(accepted + 1)
        path.rename(tmp_path / "aside")  # as a run does that writes its own
        path.write_text("rows of another run")
        server.release_all()
        ended = target.end()
    assert ended.status == 0, ended.stderr
    assert "was replaced meanwhile" in ended.stderr
    assert path.read_text() == "rows of another run"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"", "has no rows"),
        (b'{"type": "SCHEMA", "stream": "x"}\n', "has no rows"),
    ],
    ids=["missing", "empty", "no rows"],
)
def test_a_file_without_rows_ends_the_command(
    server: DotdigitalServer, tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "rejects.singer"
    if content is not None:
        path.write_bytes(content)
    ended = command(settings_for(server), tmp_path, "--replay", str(path))
    assert (ended.status, ended.stdout) == (1, "")
    assert told in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert not server.calls


def test_a_file_that_was_cut_off_stays(server: DotdigitalServer, tmp_path: Path) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    repair(path, "cid", "dan")
    path.write_bytes(path.read_bytes()[:-20])
    ended = command(config, tmp_path, "--replay", str(path))
    assert ended.status == 1
    assert path.exists()
    assert not archived(tmp_path)


@pytest.mark.parametrize("is_usable", [True, False], ids=["loaded", "refused"])
@pytest.mark.parametrize("option", ["--replay", "--undo"])
def test_the_file_is_closed_in_the_end(
    server: DotdigitalServer, tmp_path: Path, option: str, *, is_usable: bool
) -> None:
    """Meltano has Python warn of files that are left open: after the last line of a run."""
    path, stream = tmp_path / "leavers.102.now.singer", "leavers"
    row: dict[str, Any] = {"contactId": server.add_contact("ann@example.com")}
    if option == "--replay":
        path, stream = tmp_path / "rejects.singer", "people"
        row = {"email": "ann@example.com", "_sdc_reject_code": "identifier.invalid"}
    if not is_usable:
        row, stream = {"email": "ann@example.com"}, "others"
    described = schema(stream, {name: {"type": ["string", "integer"]} for name in row})
    lines = [described, {"type": "RECORD", "stream": stream, "record": row}]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    with TargetProcess(
        settings_for(server),
        tmp_path,
        arguments=(option, str(path)),
        environment={"PYTHONWARNINGS": "once"},
        fresh=True,
    ) as target:
        ended = target.end()
    assert ended.status == (0 if is_usable else 1), ended.stderr
    assert "ResourceWarning" not in ended.stderr

"""What can become of the file of fingerprints: in doubt everything is sent."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.errors import SettingsError, StorageError
from target_dotdigital.fingerprints import Fingerprints
from target_dotdigital.fingerprints.stored_file import _HEAD, StoredFile
from tests.fingerprints.test_only_changes import FAST, changes, sent
from tests.support.messages import rows, state
from tests.support.target.command import TargetProcess, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


def _stored(path: Path, *parts: bytes) -> None:
    file = StoredFile(path, is_read_only=False)
    file.replace([b"whole"])
    for part in parts:
        file.append([part], is_urgent=True)
    file.close()


def _read(path: Path) -> tuple[bytes | None, str | None]:
    file = StoredFile(path, is_read_only=True)
    file.close()
    return (None if file.data is None else bytes(file.data)), file.problem


def test_what_was_stored_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert _read(path) == (None, None)
    _stored(path, b"-and", b"-more")
    assert _read(path) == (b"whole-and-more", None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def _alter(path: Path, change: Callable[[bytes], bytes]) -> None:
    times = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_that_is_cut_anywhere_or_has_another_byte_is_not_relied_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    _stored(path, b"-and", b"-more")
    whole = path.read_bytes()
    for place in range(1, len(whole)):
        _alter(path, lambda _, place=place: whole[:place])  # type: ignore[misc]
        assert _read(path)[0] is None, place
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        _alter(path, lambda _, changed=changed: changed)  # type: ignore[misc]
        assert _read(path)[0] is None, place
    _alter(path, lambda _: whole)
    assert _read(path)[0] == b"whole-and-more"


def test_what_was_not_finished_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "file"
    _stored(path)
    _alter(path, lambda content: content + b"half of somethi")
    assert _read(path) == (b"whole", None)
    file = StoredFile(path, is_read_only=False)
    file.append([b"-and"], is_urgent=False)
    file.close()
    assert _read(path) == (b"whole-and", None)


def _restored_in_place(older: Path, path: Path) -> None:
    shutil.copyfile(older, path)
    shutil.copystat(older, path)


def _restored_as_a_new_file(older: Path, path: Path) -> None:
    shutil.copy2(older, older.with_suffix(".new"))
    older.with_suffix(".new").replace(path)


def made_a_day_ago(path: Path) -> None:
    """Let a file be as it was if it had been written a day ago, and not touched since."""
    content = path.read_bytes()
    magic, stamp, size, digest = _HEAD.unpack_from(content)
    stamp -= 86_400
    path.write_bytes(_HEAD.pack(magic, stamp, size, digest) + content[_HEAD.size :])
    os.utime(path, (stamp, stamp))


@pytest.mark.parametrize(
    "copy",
    [shutil.copy, shutil.copyfile, _restored_in_place, _restored_as_a_new_file, os.replace],
    ids=["cp", "contents", "cp -p", "with its time", "mv"],
)
def test_an_older_copy_is_not_relied_on(
    server: DotdigitalServer, tmp_path: Path, copy: Callable[[Path, Path], object]
) -> None:
    path, older = tmp_path / "fingerprints", tmp_path / "older"
    config = changes(server)
    load(config, tmp_path, FAST, *rows("ab", first_name="x"))
    shutil.copy2(path, older)
    made_a_day_ago(older)
    load(config, tmp_path, FAST, *rows("ab", first_name="y"))
    copy(older, path)
    ended = load(config, tmp_path, FAST, *rows("ab", first_name="x"))
    assert "it was changed, moved, or put back from a copy; everything is sent" in ended.stderr
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "x"
    load(config, tmp_path, FAST, *rows("ab", first_name="x"))
    assert sent(server) == ["a", "b"] * 3


FOREIGN = "it is not a fingerprints file of this version of target-dotdigital"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: content[:-7], "it is damaged"),
        (lambda content: content[:20], "it is damaged"),
        (lambda _: b"", None),
        (lambda _: b"something else altogether, and longer than a head would be", FOREIGN),
        (lambda _: b"short", FOREIGN),
        (lambda content: content.replace(b'"account":', b'"accoumt":'), "it is damaged"),
    ],
    ids=["cut", "cut in its head", "empty", "foreign", "foreign and short", "damaged"],
)
def test_a_file_that_cannot_be_used_means_that_everything_is_sent(
    server: DotdigitalServer,
    tmp_path: Path,
    change: Callable[[bytes], bytes],
    problem: str | None,
) -> None:
    config = changes(server)
    load(config, tmp_path, FAST, *rows("ab"))
    _alter(tmp_path / "fingerprints", change)
    ended = load(config, tmp_path, FAST, *rows("ab"), state(1))
    assert (ended.status, ended.states, sent(server)) == (0, [1], ["a", "b"] * 2)
    assert "everything is sent" in ended.stderr
    if problem is not None:
        assert f"fingerprints: {problem}; everything is sent" in ended.stderr
    load(config, tmp_path, FAST, *rows("ab"))
    assert sent(server) == ["a", "b"] * 2


def test_what_a_link_leads_to_is_never_an_older_file(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path, real = tmp_path / "fingerprints", tmp_path / "elsewhere" / "real"
    real.parent.mkdir()
    real.touch()
    for value in ("x", "y", "x"):
        path.unlink(missing_ok=True)
        path.symlink_to(real)
        load(changes(server), tmp_path, FAST, *rows("ab", first_name=value))
        load(changes(server), tmp_path, FAST, *rows("ab", first_name=value))
        assert path.is_symlink()
        assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == value
    assert sent(server) == ["a", "b"] * 3
    assert [each.name for each in real.parent.iterdir()] == ["real"]


def test_a_file_that_others_could_read_is_private_from_the_first_moment(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path = tmp_path / "fingerprints"
    load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"))
    path.chmod(0o644)
    file = StoredFile(path, is_read_only=False)
    assert path.stat().st_mode & 0o777 == 0o600
    file.close()
    assert file.data is not None
    load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"))
    assert sent(server) == ["a", "b"]


def test_a_lost_file_means_that_everything_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    load(changes(server), tmp_path, FAST, *rows("ab"))
    (tmp_path / "fingerprints").unlink()
    load(changes(server), tmp_path, FAST, *rows("ab"))
    assert sent(server) == ["a", "b"] * 2


def test_two_runs_at_once_do_not_share_a_file(server: DotdigitalServer, tmp_path: Path) -> None:
    config = changes(server)
    server.hold_imports()
    with TargetProcess(config, tmp_path) as first:
        first.send(FAST, *rows("a", first_name="x"))
        first.close_input()
        server.wait_for_imports(1)
        for more in ({}, {"dry_run": True}):
            second = load({**config, **more}, tmp_path, FAST, *rows("a", first_name="y"))
            assert (second.status, second.stdout) == (1, "")
            assert "fingerprints_path: another run uses fingerprints now" in second.stderr
        server.release_all()
        assert first.end().status == 0
    load(config, tmp_path, FAST, *rows("a", first_name="x"))
    assert sent(server) == ["a"]


def test_a_file_that_somebody_else_has_locked_ends_the_run(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    with (tmp_path / "fingerprints").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = load(changes(server), tmp_path, FAST, *rows("a"))
    assert (ended.status, sent(server)) == (1, [])


@pytest.mark.parametrize("kind", ["folder", "no folder"])
def test_a_file_that_cannot_be_written_ends_the_run_before_anything_is_sent(
    server: DotdigitalServer, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    path = {"folder": "there", "no folder": "file/fingerprints"}[kind]
    config = {**changes(server), "fingerprints_path": path}
    ended = load(config, tmp_path, FAST, *rows("a"))
    assert (ended.status, server.calls) == (1, [])
    assert f"fingerprints_path: {path}" in ended.stderr


def test_a_file_that_may_not_be_written_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="fingerprints cannot be written: Permission denied"):
        StoredFile(tmp_path / "fingerprints", is_read_only=False)


def test_on_a_full_disk_the_run_goes_on_and_the_next_one_sends_everything(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = changes(server, batch_size_rows=2)
    names = [f"p{number}" for number in range(40)]
    load(config, tmp_path, FAST, *rows(names, first_name="x"))
    size = (tmp_path / "fingerprints").stat().st_size
    with TargetProcess(config, tmp_path) as target:
        target.send(FAST)
        target.wait_for("Connected", "stderr")
        resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, (size + 100, size + 100))
        target.send(*rows(names[:20], first_name="y"), *rows(names[20:], first_name="x"))
        ended = target.end()
    assert ended.status == 0, ended.stderr
    assert "imported 20 + rejected 0 + collapsed 0 + skipped 0 + unchanged 20" in ended.counts()
    assert "the file is emptied, and the next run sends everything" in ended.stderr
    done = len(sent(server))
    load(config, tmp_path, FAST, *rows(names, first_name="x"))
    assert sorted(sent(server)[done:]) == sorted(names)
    assert {each["data_fields"]["FIRSTNAME"] for each in server.contents().values()} == {"x"}


def test_what_can_be_neither_written_nor_emptied_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StoredFile(tmp_path / "fingerprints", is_read_only=False)
    file.replace([b"whole"])

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("pwrite", "ftruncate"):
        monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="No space"):
        file.append([b"more"], is_urgent=True)
    with pytest.raises(OSError, match="No space"):
        file.empty()
    file.close()


def test_a_file_that_fails_just_after_it_was_put_in_place_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fingerprints"
    file = StoredFile(path, is_read_only=False)
    file.replace([b"older"])
    older = path.stat().st_ino
    write = os.pwrite

    def fail_in_place(*what: Any) -> int:
        if path.stat().st_ino != older:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*what)

    # A file system that copies what is written over needs room for that, too.
    monkeypatch.setattr(os, "pwrite", fail_in_place)
    with pytest.raises(OSError, match="No space"):
        file.replace([b"newer"])
    file.empty()
    file.close()
    assert _read(path) == (None, None)


def test_another_version_gets_everything(
    server: DotdigitalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(changes(server), tmp_path, FAST, *rows("a"))
    path = tmp_path / "fingerprints"

    class _Settings:
        send, send_all_every_days, dry_run = "changes", 7, True

    monkeypatch.setattr(
        "target_dotdigital.fingerprints.fingerprints.version", lambda _name: "another"
    )
    other = Fingerprints(_Settings(), path)  # type: ignore[arg-type]
    other._account = json.loads(path.read_bytes().partition(b'{"account":')[2].partition(b",")[0])
    other._load()
    other.close()
    assert other._file.problem == "it is of another version of target-dotdigital"


def test_a_lock_is_let_go_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "fingerprints"
    first = StoredFile(path, is_read_only=False)
    with pytest.raises(SettingsError, match="another run uses"):
        StoredFile(path, is_read_only=False)
    first.replace([b"anew"])
    with pytest.raises(SettingsError, match="another run uses"):
        StoredFile(path, is_read_only=False)
    first.close()
    assert _read(path) == (b"anew", None)

"""Faults where only changes are sent: nobody is skipped who is not there as the source has him."""

from __future__ import annotations

import os
import resource
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults.fault_case import stands_for
from tests.fingerprints.test_fingerprints_file import made_a_day_ago
from tests.fingerprints.test_only_changes import FAST, changes, sent
from tests.fingerprints.test_same_contents import compare
from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.routes import ACCOUNT_INFO
from tests.support.messages import rows, state
from tests.support.target.command import TargetProcess, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


def _cut(path: Path, _older: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def _emptied(path: Path, _older: Path) -> None:
    os.truncate(path, 0)


def _damaged(path: Path, _older: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def _lost(path: Path, _older: Path) -> None:
    path.unlink()


def _restored(path: Path, older: Path) -> None:
    shutil.copy2(older, path)


@stands_for("F78")
@pytest.mark.parametrize("change", [_cut, _emptied, _damaged, _lost, _restored])
def test_fingerprints_that_cannot_be_relied_on_mean_that_everything_is_sent(
    server: DotdigitalServer, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    path, older = tmp_path / "fingerprints", tmp_path / "older"
    load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"))
    shutil.copy2(path, older)
    made_a_day_ago(older)
    load(changes(server), tmp_path, FAST, *rows("ab", first_name="y"))
    change(path, older)
    ended = load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"), state(1))
    assert (ended.status, ended.states) == (0, [1])
    assert "everything is sent" in ended.stderr
    found = server.contents()
    assert {found[f"{each}@example.com"]["data_fields"]["FIRSTNAME"] for each in "ab"} == {"x"}


@stands_for("F78")
def test_fingerprints_of_another_account_mean_that_everything_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    load(changes(server), tmp_path, FAST, *rows("ab"))
    server.answer_next(ACCOUNT_INFO, reply(200, {"id": 98765, "properties": []}))
    ended = load(changes(server), tmp_path, FAST, *rows("ab"))
    assert "it is of another account; everything is sent" in ended.stderr
    assert sent(server) == ["a", "b"] * 2


@stands_for("F79")
def test_sigkill_skips_nobody_who_was_not_settled(tmp_path: Path) -> None:
    assert compare(tmp_path, 5, ["names", "others"], kill_share=1).kills > 0


@stands_for("F80")
def test_two_runs_at_once_do_not_share_fingerprints(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.hold_imports()
    with TargetProcess(changes(server), tmp_path) as first:
        first.send(FAST, *rows("a", first_name="x"))
        first.close_input()
        server.wait_for_imports(1)
        second = load(changes(server), tmp_path, FAST, *rows("a", first_name="y"))
        assert (second.status, len(server.imports)) == (1, 1)
        server.release_all()
        assert first.end().status == 0


@stands_for("F81")
def test_a_full_disk_empties_the_fingerprints(server: DotdigitalServer, tmp_path: Path) -> None:
    config = changes(server, batch_size_rows=1)
    load(config, tmp_path, FAST, *rows("abcd", first_name="x"))
    with TargetProcess(config, tmp_path) as target:
        target.send(FAST)
        target.wait_for("Connected", "stderr")
        resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, (10, 10))
        target.send(*rows("abcd", first_name="y"))
        ended = target.end()
    assert ended.status == 0, ended.stderr
    assert "the next run sends everything" in ended.stderr
    load(config, tmp_path, FAST, *rows("abcd", first_name="x"))
    found = {each["data_fields"]["FIRSTNAME"] for each in server.contents().values()}
    assert found == {"x"}


@stands_for("F81")
def test_fingerprints_that_cannot_be_written_end_the_run_before_anything_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    config = {**changes(server), "fingerprints_path": "file/fingerprints"}
    ended = load(config, tmp_path, FAST, *rows("a"))
    assert (ended.status, server.calls) == (1, [])

"""Failures before the first row: the message is the last thing printed, and no pipe breaks."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.singer.unread_input import drain
from tests.support.messages import record, schema
from tests.support.projects.meltano import MELTANO, Project
from tests.support.target.command import PATIENCE_SECONDS, TargetProcess, settings_for

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer

ROWS = [schema(), *(record(id=each, email=f"p{each}@example.com") for each in range(20_000))]
"""Many times what fits into a pipe."""

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a setting out of range": ({"max_active_imports": 99}, "max_active_imports"),
    "no such address book": ({"address_book": "Nowhere"}, "Nowhere"),
    "a rejects file that cannot be": ({"rejects_path": "config.json/rejects"}, "rejects_path"),
    "no such data field": (
        {"streams": {"people": {"fields": {"NOWHERE": "first_name"}}}},
        "NOWHERE",
    ),
    "no such property": (
        {"streams": {"people": {"fields": {"FIRSTNAME": "nowhere"}}}},
        "nowhere",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_tap_ends_in_peace_and_the_message_comes_last(
    server: DotdigitalServer, tmp_path: Path, mistake: str
) -> None:
    settings, told = MISTAKES[mistake]
    with TargetProcess(settings_for(server, **settings), tmp_path) as target:
        target.send(*ROWS)  # the pipe does not break
        ended = target.end()
    assert (ended.status, ended.stdout) == (1, "")
    assert told in ended.stderr.splitlines()[-1]
    assert "rows are settled" not in ended.stderr
    assert not server.imports


def test_a_tap_that_does_not_end_is_not_waited_for(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    started = time.monotonic()
    with TargetProcess(settings_for(server, max_active_imports=99), tmp_path) as target:
        target.process.wait(PATIENCE_SECONDS)
        ended = target.end()
    assert (ended.status, time.monotonic() - started > 4) == (1, True)
    assert "max_active_imports" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
@pytest.mark.parametrize("address_book", ["Nowhere", ""], ids=["connected", "not connected"])
def test_a_signal_ends_the_wait_for_the_tap(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int, address_book: str
) -> None:
    wrong = {"address_book": address_book} if address_book else {"max_active_imports": 99}
    with TargetProcess(settings_for(server, **wrong), tmp_path) as target:
        if address_book:
            target.send(schema())
            target.wait_for("Stream 'people': read 0", "stderr")
        else:
            target.wait_for("target-dotdigital v", "stderr")
        target.process.send_signal(number)
        target.process.wait(PATIENCE_SECONDS)
        ended = target.end()
    assert ended.status == status
    assert "Traceback" not in ended.stderr


def test_nothing_is_read_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_dotdigital.singer.unread_input.DRAIN_SECONDS", 3600.0)
    controller, terminal = pty.openpty()
    try:
        with os.fdopen(terminal) as source:
            assert drain(source) is None
    finally:
        os.close(controller)


CONTENTS: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "does not exist"),
    "cut": (b'{"username": "kanarienvogel",\n  "password": ', "line 2, column 15"),
    "a comma": (b'{"username": "kanarienvogel",}', "line 1, column"),
    "no object": (b'["kanarienvogel"]', "is not a JSON object"),
    "empty": (b"", "line 1, column 1"),
    "not UTF-8": ('{\n"username": "kanarienv\u00f6gel"}'.encode("latin-1"), "see line 2"),
    "nested": (b"[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["load", "test"])
def test_a_configuration_that_cannot_be_read_has_a_message_of_its_own(
    server: DotdigitalServer, tmp_path: Path, content: str, arguments: tuple[str, ...]
) -> None:
    written, told = CONTENTS[content]
    path = tmp_path / "second.json"
    if written is not None:
        path.write_bytes(written)
    more = ("--config", str(path), *arguments)
    with TargetProcess(settings_for(server), tmp_path, arguments=more) as target:
        ended = target.end()
    assert (ended.status, ended.stdout) == (1, "")
    last = ended.stderr.splitlines()[-1]
    assert f"--config: '{path}' " in last
    assert told in last
    assert "kanarienv" not in ended.stderr


def test_every_file_of_the_configuration_is_looked_at(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    more = ("--config", "nowhere.json", "--config", "ENV", "--config", ".")
    with TargetProcess(settings_for(server), tmp_path, arguments=more) as target:
        ended = target.end()
    assert ended.status == 1
    first, second = ended.stderr.splitlines()[-2:]
    assert "'nowhere.json' does not exist" in first
    assert "'.' is a folder" in second


TAP = """#!{python}
import json, sys
if "--discover" in sys.argv:
    print(json.dumps({{"streams": []}}))
else:
    for line in open("rows.singer"):
        sys.stdout.write(line)
"""

PROJECT: dict[str, Any] = {
    "default_environment": "test",
    "environments": [{"name": "test"}],
    "send_anonymous_usage_stats": False,
    "plugins": {
        "extractors": [{"name": "tap-rows", "namespace": "tap_rows", "executable": "./tap-rows"}],
        "loaders": [
            {
                "name": "target-dotdigital",
                "namespace": "target_dotdigital",
                "executable": str(Path(sys.executable).with_name("target-dotdigital")),
            }
        ],
    },
}


def test_under_meltano_the_mistake_is_told_and_no_broken_pipe(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    loader = PROJECT["plugins"]["loaders"][0]
    loader["config"] = settings_for(server, address_book="Nowhere")
    (tmp_path / "meltano.yml").write_text(json.dumps(PROJECT))
    (tmp_path / "tap-rows").write_text(TAP.format(python=sys.executable))
    (tmp_path / "tap-rows").chmod(0o755)
    (tmp_path / "rows.singer").write_text("".join(f"{json.dumps(each)}\n" for each in ROWS))
    ended = Project(tmp_path).attempt(MELTANO, "run", "--force", "tap-rows", "target-dotdigital")
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "Nowhere" in output
    assert "BrokenPipe" not in output
    assert "Broken pipe" not in output

"""How far a run is, while it runs: in the log, and live on a terminal."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import select
import struct
import termios
from fcntl import ioctl
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from typing_extensions import override

from target_dotdigital.events import Events
from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
from target_dotdigital.report.progress import (
    LOG_SECONDS,
    MAX_LIVE_STREAMS,
    UNCHANGED_LOG_SECONDS,
    Progress,
)
from target_dotdigital.terminal import is_terminal
from tests.support.canary import CANARY
from tests.support.clock import FakeClock
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

COLUMNS, LINES = 100, 24
PACE = 60
PROGRESS = re.compile(
    r"Progress: read (\d+), settled (\d+), rejected (\d+), active imports (\d+), (\d+) rows/s"
)
_CONTROL = re.compile(r"\r|\x1b\[1A|\x1b\[2K|\x1b\[\?25[hl]|\x1b\[[\d;]*m|\n|[^\r\x1b\n]+")
"""What Rich sends: where the cursor goes, whether it is seen, colours, and text."""


class Screen:
    """What a terminal shows of what is written to it: as much of one as the target asks for."""

    def __init__(self) -> None:
        self.lines = [""]
        self.row = 0
        self.has_cursor = True

    def write(self, text: str) -> None:
        column = len(self.lines[self.row])
        assert "".join(_CONTROL.findall(text)) == text, "an unknown control code"
        for part in _CONTROL.findall(text):
            if part == "\r":
                column = 0
            elif part == "\n":
                self.row, column = self.row + 1, 0
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part == "\x1b[1A":
                self.row -= 1
                assert self.row >= 0
            elif part == "\x1b[2K":
                self.lines[self.row] = ""
            elif part.startswith("\x1b[?25"):
                self.has_cursor = part[-1] == "h"
            elif not part.startswith("\x1b"):
                before = self.lines[self.row][:column].ljust(column)
                after = self.lines[self.row][column + len(part) :]
                self.lines[self.row] = before + part + after
                column += len(part)

    @property
    def shown(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    @override
    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> Screen:
        screen = Screen()
        screen.write(self.getvalue())
        return screen


@pytest.fixture(autouse=True)
def capable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def handler() -> Iterator[logging.StreamHandler[Any]]:
    """The log's way to a terminal."""
    handler = logging.StreamHandler(Terminal())
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


class Watched:
    """A progress on a fake clock, with streams to be counted."""

    def __init__(self, *names: str) -> None:
        self.clock = FakeClock()
        self.streams = [StreamCounts(name) for name in names]
        self.timeline = Events(self.clock)
        self.progress = Progress(self.streams, self.clock, self.timeline, 50)

    def pass_time(self, seconds: float, active: int = 0) -> None:
        self.clock.time += seconds
        self.progress.update(active)


# In the log.


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[int, ...]]:
    found = [PROGRESS.search(line) for line in caplog.messages]
    return [tuple(map(int, each.groups())) for each in found if each]


def test_a_line_every_ten_seconds_at_most(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched("people", "others")
    people, others = watched.streams
    for _ in range(100):
        people.read += 20
        people.imported += 10
        others.read += 1
        others.rejected["field.type"] += 1
        watched.pass_time(0.5, active=3)
    assert logged(caplog) == [
        (20 * each + each, 10 * each + each, each, 3, 22) for each in (20, 40, 60, 80, 100)
    ]


def test_while_nothing_changes_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched("people")
    watched.streams[0].read = 5
    for _ in range(18):
        assert watched.progress.seconds_left() <= LOG_SECONDS
        watched.pass_time(LOG_SECONDS)
    assert len(logged(caplog)) == 1 + int(17 * LOG_SECONDS / UNCHANGED_LOG_SECONDS)


@pytest.mark.parametrize("is_full", [False, True])
def test_it_is_told_while_the_tap_is_silent_and_while_the_queue_is_full(
    server: DotdigitalServer, tmp_path: Path, *, is_full: bool
) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=1, max_active_imports=2)
    with TargetProcess(config, tmp_path, pace=PACE) as target:
        people = [record(id=each, email=f"p{each}@example.com") for each in range(2 + 3 * is_full)]
        target.send(schema(), *people)
        server.wait_for_calls(IMPORT, 2)
        target.wait_for("active imports 2", "stderr", times=2)
        server.release_all()
        ended = target.end()
    assert ended.status == 0
    assert ended.counts().startswith(f"read {len(people)} = imported {len(people)} ")


def test_no_line_of_a_good_run_speaks_of_an_error(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    config = settings_for(server, report_path="report.html")
    with TargetProcess(config, tmp_path, pace=PACE) as target:
        target.send(schema(), record(id=1, email="ann@example.com"), state(1))
        target.wait_for("Progress:", "stderr")
        target.close_input()
        server.wait_for_calls(IMPORT, 1)
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.states) == (0, [1])
    assert not re.search("error|exception", ended.stderr, re.IGNORECASE)
    assert '"metric":"record_count"' in ended.stderr.replace(" ", "")


def test_a_short_run_tells_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(settings_for(server), tmp_path, schema(), record(id=1, email="ann@example.com"))
    assert ended.status == 0
    assert "Progress:" not in ended.stderr


# On a terminal.


def test_a_line_for_each_stream_is_written_anew_below_the_log(
    monkeypatch: pytest.MonkeyPatch, handler: logging.StreamHandler[Any]
) -> None:
    terminal = handler.stream
    monkeypatch.setattr("sys.stderr", terminal)
    logger = logging.getLogger("target-dotdigital")
    watched = Watched("people", "others")
    people, others = watched.streams
    logger.warning("before")
    people.read, people.imported = 20_000, 5_000
    watched.pass_time(1, active=2)
    logger.warning("between")
    others.read, others.imported, others.rejected["field.type"] = 4, 2, 2
    watched.pass_time(1, active=1)
    assert terminal.screen.shown == [
        "before",
        "between",
        "people ━━━━━╺━━━━━━━━━━━━━━ settled 5,000 of 20,000 read",
        "others ━━━━━━━━━━━━━━━━━━━━ settled 4 of 4 read, rejected 2 (50 %, limit 50 %)",
        "0:00:02, active imports 1, 2,502 rows/s",
    ]
    assert terminal.screen.has_cursor
    logger.warning("%s", long := "meanwhile " * 30 + "[bold]end")
    assert terminal.screen.shown[:3] == ["before", "between", long]
    watched.progress.hide()
    assert terminal.screen.shown == ["before", "between", long]
    watched.pass_time(1)
    watched.progress.close()
    logger.warning("after")
    assert terminal.screen.shown == ["before", "between", long, "after"]
    assert terminal.screen.has_cursor
    assert handler.stream is terminal


def test_a_hundred_streams_take_a_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    watched = Watched(*(f"stream_{each}" for each in range(100)))
    for each in watched.streams[:50]:
        each.read = each.imported = 7
    watched.streams[50].read = 9
    watched.pass_time(1)
    lines = terminal.screen.shown
    assert len(lines) == 2
    assert lines[0].startswith("stream_50 ")
    assert lines[1].startswith("99 more streams, 0:00:01")
    for each in watched.streams[40:]:
        each.read += 1
    watched.pass_time(1)
    assert len(terminal.screen.shown) == MAX_LIVE_STREAMS + 1


@pytest.mark.parametrize(
    "name", ["x" * 400, "名" * 200, "a\nb\x1b[2Jc\r", "\u0301" * 9, "[red]a[/] [b", "\x9b2J"]
)
def test_a_name_neither_wraps_nor_moves_the_cursor(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    watched = Watched(name)
    watched.streams[0].read = 1
    watched.pass_time(1)
    stream, end = terminal.screen.shown
    assert end.startswith("0:00:01")
    assert stream.endswith("settled 0 of 1 read")
    assert sum(1 + (each == "名") for each in stream if each != "\u0301") < COLUMNS
    assert "\x9b" not in terminal.getvalue()
    if name.startswith("["):
        assert stream.startswith(name)  # no markup


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("TERM", ""), ("NO_COLOR", "1")])
def test_a_terminal_that_wants_none_of_it_gets_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert is_terminal(Terminal())
    assert not is_terminal(io.StringIO())
    monkeypatch.setenv(variable, value)
    assert not is_terminal(Terminal())


def test_a_terminal_that_is_gone_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Terminal):
        @override
        def write(self, text: str, /) -> int:
            raise OSError(5, "gone")

    monkeypatch.setattr("sys.stderr", Gone())
    watched = Watched("people")
    watched.pass_time(1)
    watched.progress.close()


class OnTerminal(TargetProcess):
    """A target whose standard error is a terminal."""

    variables: ClassVar = {"TERM": "xterm"}

    @override
    def _start(
        self, command: Any, environment: Any, folder: Any, stdout: Any, stderr: Any = None
    ) -> Any:
        assert stderr is None
        self.main, side = pty.openpty()
        ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        with os.fdopen(side, "wb") as terminal:
            environment = {**self.variables, **environment}
            process = super()._start(command, environment, folder, stdout, terminal)
        process.stderr = io.BufferedReader(_Lines(self.main))
        return process


class _Lines(io.RawIOBase):
    """The other side of a terminal; it ends when nobody writes any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int:
        select.select([self._descriptor], [], [])
        try:
            read = os.read(self._descriptor, len(buffer))
        except OSError:  # what Linux says when the other side is closed
            return 0
        buffer[: len(read)] = read
        return len(read)

    @override
    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def test_on_a_real_terminal(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=2)
    with OnTerminal(config, tmp_path) as target:
        target.send(schema(), record(id=1, email=f"{CANARY}@example.com"))
        target.send(record(id=2, email="bob@example.com"), record(id=3, email="cid@example.com"))
        server.wait_for_calls(IMPORT, 1)
        target.close_input()
        server.wait_for_calls(IMPORT, 2)
        target.wait_for("settled 0 of 3 read", "stderr")
        server.release_all()
        ended = target.end()
    assert ended.status == 0
    assert CANARY not in ended.stderr
    assert "Progress:" not in ended.stderr
    screen = Screen()
    screen.write(ended.stderr.replace("\r\n", "\n"))
    left = screen.shown
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in left), left
    assert screen.has_cursor
    assert ended.counts().startswith("read 3 = imported 3 ")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_on_a_terminal_that_wants_plain_text(
    monkeypatch: pytest.MonkeyPatch,
    server: DotdigitalServer,
    tmp_path: Path,
    variables: dict[str, str],
) -> None:
    monkeypatch.setattr(OnTerminal, "variables", variables)
    monkeypatch.delenv("TERM")
    server.hold_imports()
    with OnTerminal(settings_for(server), tmp_path, pace=PACE) as target:
        target.send(schema(), record(id=1, email="ann@example.com"))
        target.close_input()
        target.wait_for("Progress: read 1, settled 0", "stderr")
        server.release_all()
        ended = target.end()
    assert ended.status == 0
    assert "\x1b" not in ended.stderr


def test_a_dry_runs_plan_is_in_colour_on_a_terminal(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.address_books[102] = "[red]Spring\x1b[2J"
    with OnTerminal(settings_for(server, dry_run=True), tmp_path) as target:
        target.send(schema(), record(id=1, email="ann@example.com"))
        ended = target.end()
    assert (ended.status, ended.stdout) == (0, "")
    assert "\x1b[1mPlan of a dry run" in ended.stderr
    assert "'[red]Spring?[2J' (ID 102)" in ended.stderr
    assert "\x1b[2J" not in ended.stderr

"""The log of a run: what happened, where, what to do, and no line without news."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_dotdigital.errors import (
    DataError,
    NetworkError,
    SettingsError,
    TargetDotdigitalError,
    joined,
)
from tests.support.messages import record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

ANN = record(email="ann@example.com")


@pytest.mark.parametrize(
    ("kind", "message", "line"),
    [
        (DataError, "Line 2 is cut", "Line 2 is cut. No row was read. [to act: fix the data]"),
        (SettingsError, "Did you?", "Did you? No row was read. [to act: fix the settings]"),
        (NetworkError, "It broke.", "It broke. No row was read. [to act: check the network]"),
    ],
)
def test_the_line_that_ends_a_run_is_of_sentences(
    kind: type[TargetDotdigitalError], message: str, line: str
) -> None:
    assert kind(message).line("No row was read.") == line
    assert str(kind(message)) == line.replace("No row was read. ", "")


def test_problems_are_joined_as_sentences() -> None:
    assert joined(["One", "Did you mean 'b'?", "Three"]) == "One. Did you mean 'b'? Three."


def test_a_run_that_fails_without_an_active_import_waits_for_none(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(settings_for(server), tmp_path, schema(), ANN, {"type": "GREETING"})
    assert ended.status == 1
    assert "Waiting up to" not in ended.stderr
    assert "active" not in ended.stderr


def test_a_run_that_fails_says_how_long_it_waits_for_active_imports(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=1, shutdown_grace_seconds=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), ANN, record(email="bob@example.com"))
        server.wait_for_imports(1)
        target.send({"type": "GREETING"})
        ended = target.end()
    assert ended.status == 1
    assert ended.stderr.count("Waiting up to 1 seconds for active imports") == 1


@pytest.mark.parametrize("named", ["Customers", 102])
def test_address_books_are_told_by_name_and_id(
    server: DotdigitalServer, tmp_path: Path, named: str | int
) -> None:
    ended = load(settings_for(server, address_book=named), tmp_path, schema(), ANN, state(1))
    assert ended.status == 0
    assert "Found address book 'Customers' (102)." in ended.stderr

"""Texts for people: shares beside limits, and names that are only names."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from target_dotdigital.terminal import is_terminal, percent, printable, text_for


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "0 %"),
        (0, 7, "0 %"),
        (1, 4, "25 %"),
        (1, 3, "33.4 %"),
        (2_001, 10_000, "20.1 %"),  # above a limit of 20
        (1, 1_000_000, "0.1 %"),
        (7, 7, "100 %"),
    ],
)
def test_a_share_is_rounded_up(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


def test_a_name_stays_on_its_line() -> None:
    assert printable("a\nb\x1b[2J\x9b\u202e") == "a?b?[2J??"


def test_plain_text_is_not_wrapped_and_knows_no_markup() -> None:
    line = "[red]word[/red] :smile: https://example.org 12 " * 20
    assert text_for(io.StringIO(), Text(line)) == f"{line.rstrip()}\n"


def test_what_is_no_stream_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    closed = io.StringIO()
    closed.close()
    assert not is_terminal(closed)
    assert not is_terminal(None)  # type: ignore[arg-type] # what Python has without a console

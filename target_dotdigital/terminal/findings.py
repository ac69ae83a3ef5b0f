"""What the checks of `--test` have found, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from target_dotdigital.terminal.texts import is_terminal, printable, text_for

if TYPE_CHECKING:
    from typing import TextIO

Verdict = Literal["OK", "WARN", "FAIL"]

_STYLES: Final = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


class Finding(NamedTuple):
    """What one check has found.

    Attributes:
        verdict: `OK`; `WARN`, with which a run can start; `FAIL`, with which it cannot.
        subject: What was checked.
        text: What was found and, unless it is OK, what to do.
    """

    verdict: Verdict
    subject: str
    text: str

    def line_for(self, stream: TextIO) -> str:
        """Return one line, in colour and wrapped on a terminal.

        Args:
            stream: Where it goes.
        """
        verdict, subject, text = f"{self.verdict:<4}", f"{self.subject}: ", printable(self.text)
        if not is_terminal(stream):
            return f"{verdict} {printable(subject)}{text}"
        from rich.table import Table  # noqa: PLC0415 - on a terminal alone
        from rich.text import Text  # noqa: PLC0415

        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(verdict, _STYLES[self.verdict]), Text.assemble((printable(subject), "bold"), text)
        )
        return text_for(stream, line).removesuffix("\n")


def result_of(failures: int, warnings: int) -> str:
    """Return the last line: whether a run can start.

    Args:
        failures: How many checks failed.
        warnings: How many warn.
    """
    result = f"{_counted(failures, 'problem')} to fix before a run can start"
    if not failures:
        result = "A run can start"
    if warnings:
        result += f" ({_counted(warnings, 'warning')})"
    return f"{result}. Nothing was written to Dotdigital."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

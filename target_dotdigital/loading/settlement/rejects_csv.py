"""The rejected rows as CSV, for people who open it in a spreadsheet. It is not loaded again."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.files import AppendedFile
from target_dotdigital.loading.settlement.reject_codes import reason_in_words
from target_dotdigital.singer_lines import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from target_dotdigital.errors import RowRejectedError
    from target_dotdigital.mapping import Row

MAX_COLUMNS: Final = 1_000
"""Spreadsheets have 1,024 or more. Further properties stand in `OTHERS`."""

OTHERS: Final = "other properties"
"""The column of what no SCHEMA declares, as JSON: a tap may send any number of such names."""

_FIRST_COLUMNS: Final = ("row", "stream", "code", "reason")
_BYTE_ORDER_MARK: Final = "\ufeff".encode()
"""Excel takes a file without it for one in the machine's own encoding."""

# Some spreadsheets divide a line at semicolons or tabs, and read wide signs as plain ones.
_FORMULA = re.compile(r"(^|[;\t\r\n])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\t\r])")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


class RejectsCsv(AppendedFile):
    """Writes rejected rows as CSV, under the union of all streams' columns.

    A line is as long as the columns that were known when it was written. New columns go to the end,
    so that only the first line has to be written again.
    """

    def __init__(self, path: Path) -> None:
        """Check that the file can be written, without touching it. Its directory is made.

        Args:
            path: The file.

        Raises:
            StorageError: It could not be written.
        """
        super().__init__("rejects_csv", path)
        self._columns: dict[str, object] = dict.fromkeys(_FIRST_COLUMNS, "")
        """By a column's heading, an empty cell."""
        self._declared: dict[str, tuple[bytes, dict[str, str]]] = {}
        """By stream, its last SCHEMA, and the heading of each property that it declares."""
        self._head = b""

    def write(self, row: Row, error: RowRejectedError) -> None:
        """Append a rejected row.

        Args:
            row: The row, with its line and its SCHEMA's.
            error: Why it was rejected.

        Raises:
            StorageError: The file cannot be written.
        """
        words = reason_in_words(error.code, error.rule)
        self.list_row(row, error.code, f"The row {words}: {error.reason}")

    def list_row(self, row: Row, code: str, reason: str) -> None:
        """Append a row, whatever is the matter with it.

        Args:
            row: The row, with its line and its SCHEMA's.
            code: What is the matter.
            reason: The same, as a sentence.

        Raises:
            StorageError: The file cannot be written.
        """
        if row.line is None or row.schema is None:
            return
        message = decode(row.line)
        declared = self._headings(message["stream"], row.schema)
        cells = {
            **self._columns,
            "row": row.number or "",
            "stream": harmless(row.counts.stream),
            "code": harmless(code),
            "reason": harmless(reason),
            **_cells(message["record"], declared),
        }
        for heading in cells:
            self._columns.setdefault(heading, "")
        self._write_head()
        self.append(_line(cells.values()))

    def _headings(self, stream: str, schema: bytes) -> dict[str, str]:
        known, headings = self._declared.get(stream, (b"", {}))
        if known != schema:
            names = {name: _heading(name) for name in decode(schema)["schema"]["properties"]}
            free = MAX_COLUMNS - len(self._columns)
            new = [each for each in dict.fromkeys(names.values()) if each not in self._columns]
            self._columns.update(dict.fromkeys(new[:free], ""))
            headings = {name: each for name, each in names.items() if each in self._columns}
            self._declared[stream] = (schema, headings)
        return headings

    def _write_head(self) -> None:
        """Write the first line, if it has changed."""
        head = _BYTE_ORDER_MARK + _line(self._columns)
        if head != self._head and self.size:
            self.replace_start(len(self._head), head)
        elif head != self._head:
            self.append(head)
        self._head = head


def harmless(text: str) -> str:
    """Return a text of which no spreadsheet makes a formula: an apostrophe stands before one.

    Args:
        text: A cell.
    """
    return _FORMULA.sub(r"\1\2'", text)


def _heading(name: str) -> str:
    """Return how a property's column is headed: never as one of the first columns."""
    is_taken = name.casefold() in {*_FIRST_COLUMNS, OTHERS}
    return harmless(f"{name} (of the row)" if is_taken else name)


def _cells(record: object, headings: dict[str, str]) -> dict[str, str]:
    if not isinstance(record, dict):
        return {OTHERS: _cell(record)}
    found = {headings[name]: _cell(value) for name, value in record.items() if name in headings}
    others = {
        name: value for name, value in record.items() if name not in headings and value is not None
    }
    return {**found, OTHERS: _cell(others)} if others else found


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    text = encode(value)
    return text if _NUMBER.fullmatch(text) else harmless(text)


def _line(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    # A text may hold half a surrogate pair, which UTF-8 has no bytes for.
    return text.getvalue().encode("utf-8", "replace")

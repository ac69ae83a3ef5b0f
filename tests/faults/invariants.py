"""The checker of I1 to I8, from the server's truth and not from what the target says of itself."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.faults.input_rows import CANARY, Row, rows_of
from tests.support.dotdigital.account.normal_forms import match_key
from tests.support.dotdigital.routes import IMPORT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from tests.support.dotdigital.answers import Call
    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

MAX_PEAK_MEGABYTES = 200
"""A run of a few rows needs less than half of it."""

_SUMMARY = re.compile(
    r"Stream '[^']*': read (\d+) = imported (\d+) \+ rejected (\d+) \+ collapsed (\d+) "
    r"\+ skipped (\d+)(?: \+ unsettled (\d+))?"
)


class SettledRows:
    """What is settled of an input, row by row, and whether every STATE came after that.

    A row is settled once an import of this run that holds its contact, in its own or a later state,
    has ended well, or once it stands in the rejects file.
    """

    def __init__(
        self,
        server: DotdigitalServer,
        messages: Iterable[Any],
        rejects: Path,
        *,
        skipped: Collection[int] = (),
        unnamed: Collection[int] = (),
    ) -> None:
        """Begin before the first row.

        Args:
            server: Where the rows go.
            messages: The input.
            rejects: The rejects file.
            skipped: Rows that are neither to be imported nor rejected.
            unnamed: Rows that Dotdigital refuses without naming them: counted, and no more.
        """
        self.rows = rows_of(messages)
        self.violations: list[str] = []
        self._server = server
        self._rejects = rejects
        self._excused = {*skipped, *unnamed}
        self._known: set[int] = set()
        self._older_file = _identity(rejects)
        self._read_imports = len(server.imports)
        self._latest: dict[str, int] = {}

    def look_at(self, line: str) -> None:
        """Judge a STATE in the moment in which it was printed (I1)."""
        value = json.loads(line)
        done = value.get("row") if isinstance(value, dict) else None
        if not isinstance(done, int):
            return  # a STATE that tells nothing of rows
        open_rows = self.unsettled(done)
        if open_rows:
            self.violations.append(f"STATE {done} although {open_rows[:9]} are unsettled")

    def unsettled(self, up_to: int | None = None) -> list[int]:
        """Return the numbers of the rows, up to one, that are not settled now."""
        wanted = [
            each
            for each in self.rows
            if (up_to is None or each.number <= up_to)
            and each.number not in self._known
            and each.number not in self._excused
        ]
        if not wanted:
            return []
        written = self._written()
        refused = self.rejected_rows()
        open_rows = []
        for each in wanted:
            if self._is_settled(each, written, refused):
                self._known.add(each.number)  # what is settled stays so
            else:
                open_rows.append(each.number)
        return open_rows

    def rejected_rows(self) -> list[int]:
        """Return the numbers of the rows in this run's rejects file, whole lines alone."""
        if _identity(self._rejects) in {None, self._older_file}:
            return []
        lines = self._rejects.read_text(encoding="utf-8").split("\n")[:-1]
        messages = [json.loads(line) for line in lines]
        return [each["record"]["row"] for each in messages if each["type"] == "RECORD"]

    @staticmethod
    def _is_settled(row: Row, written: dict[str, int], refused: list[int]) -> bool:
        return row.number in refused or written.get(row.key, 0) >= row.number

    def _written(self) -> dict[str, int]:
        """Return the latest row of each contact that the account has taken in."""
        with self._server.changed:
            imports = self._server.imports
            for each in imports[self._read_imports :]:
                for outcome in each.outcomes:
                    number = outcome.sent.get("dataFields", {}).get("ROW", 0)
                    if outcome.result != "failed":
                        key = match_key(outcome.sent).value
                        self._latest[key] = max(self._latest.get(key, 0), number)
            # One that has ended does not change: of thousands, not all are read at each STATE.
            while self._read_imports < len(imports) and not imports[self._read_imports].active:
                self._read_imports += 1
        return self._latest


def _identity(path: Path) -> int | None:
    """Return what tells a file from an older one of the same name; None if it is not there."""
    return path.stat().st_ino if path.exists() else None


def assert_counts(ended: FinishedRun, settled: SettledRows, unnamed: Collection[int] = ()) -> None:
    """I2: the counts add up, and are those of the rows that were read and of the rejects file."""
    found = [tuple(map(int, each)) for each in _numbers(ended.stderr)]
    for read, *parts in found:
        assert read == sum(parts), ended.stderr
    if ended.status == 0 and settled.rows:
        assert sum(each[0] for each in found) == len(settled.rows), ended.stderr
        assert not any(each[5] for each in found)
    if found:
        rejected = len(settled.rejected_rows()) + len(unnamed)
        assert sum(each[2] for each in found) == rejected, ended.stderr


def assert_success_is_one(
    ended: FinishedRun, settled: SettledRows, limit: int, unnamed: Collection[int] = ()
) -> None:
    """I8: after exit 0 everybody has arrived but for those who are rejected within the limit."""
    if ended.status != 0:
        return
    for read, _, rejected, *_ in (tuple(map(int, each)) for each in _numbers(ended.stderr)):
        assert rejected * 100 <= limit * read, ended.stderr
    refused = {*settled.rejected_rows(), *unnamed}
    if refused:
        assert f"{len(refused)} of {len(settled.rows)} rows (" in ended.stderr
    assert not settled.unsettled(), ended.stderr


def _numbers(text: str) -> list[tuple[str, ...]]:
    return [tuple(number or "0" for number in each) for each in _SUMMARY.findall(text)]


def assert_silence(ended: FinishedRun, server: DotdigitalServer, folder: Path) -> None:
    """I3: no record value and no credential in what was printed, or in any file that was left."""
    credentials = f"{server.username}:{server.password}"
    secrets = {
        CANARY,
        server.username,
        server.password,
        quote(server.password),
        base64.b64encode(credentials.encode()).decode().rstrip("="),
    }
    texts = {"stdout": ended.stdout, "stderr": ended.stderr}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith(("config.json", "rejects.singer", "input")):
            texts[path.name] = path.read_bytes().decode("utf-8", "replace")
    for where, text in texts.items():
        for secret in secrets:
            assert secret.lower() not in text.lower(), f"{secret} in {where}"
    assert "Traceback" not in ended.stderr, ended.stderr


def assert_nobody_was_wronged(
    before: dict[str, dict[str, Any]],
    server: DotdigitalServer,
    calls: Iterable[Call],
    writes: Collection[str] = (IMPORT,),
) -> None:
    """I5: no status is sent, none has changed, and everybody is still there.

    Args:
        before: The account's contents before the run.
        server: The account.
        calls: The run's.
        writes: Routes that the settings allow beside those that read.
    """
    after = server.contents()
    for key, contact in before.items():
        assert key in after
        assert after[key]["email_status"] == contact["email_status"]
        assert set(contact["lists"]) <= set(after[key]["lists"])
    assert {each.route for each in calls if each.method != "GET"} <= set(writes)
    for each in calls:
        assert b'"status"' not in each.body
        assert b"resubscribe" not in each.body

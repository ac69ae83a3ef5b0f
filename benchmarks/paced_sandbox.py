"""A load by the target's command line into the sandbox at Dotdigital's pace, on a hurried clock.

The sandbox has the Basic package's call limits. What it saw is read from its own log of calls and
from its database.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import requests

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.faults.rate_limits import BASIC
from target_dotdigital.sandbox.imports import DOTDIGITAL_PACE, MAXIMUM_ACTIVE_IMPORTS

LIST_ID: Final = 42
TIMEOUT_SECONDS: Final = 60.0

SWITCHES: Final = Switches(reset_header="seconds")
"""A time would be one of the hurried clock, and the `Date` beside it is not."""

_LOOK_SECONDS = 0.25
_SCHEMA = {
    "type": "SCHEMA",
    "stream": "customers",
    "key_properties": ["id"],
    "schema": {
        "properties": {
            "id": {"type": "integer"},
            "email": {"type": "string"},
            "first_name": {"type": ["string", "null"]},
        }
    },
}
_ROW = (
    '{"type": "RECORD", "stream": "customers", "record": {"id": %d, '
    '"email": "customer.number.%d@example.com", "first_name": "First%d"}}\n'
)


@dataclass
class Journal:
    """What the sandbox saw, in real seconds since 1970.

    Attributes:
        calls: When each came, its route, and how it was answered.
        imports: When each was accepted and finished, and of how many contacts.
    """

    calls: list[tuple[float, str, int]] = field(default_factory=list)
    imports: list[tuple[float, float, int]] = field(default_factory=list)

    def times(self, route: str) -> list[float]:
        """Return when a route was called."""
        return [at for at, called, _ in self.calls if called == route]


class CallWatcher:
    """Reads the sandbox's log of calls as the page does, until it is closed."""

    def __init__(self, url: str) -> None:
        """Start.

        Args:
            url: The sandbox's.
        """
        self._url = f"{url}/sandbox/page/requests"
        self._session = requests.Session()
        self._session.auth = ("any", "one")
        self._calls: dict[int, tuple[float, str, int]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> list[tuple[float, str, int]]:
        """Stop, and return the calls.

        Raises:
            RuntimeError: Some were not seen.
        """
        self._closed.set()
        self._thread.join()
        self._look()
        self._session.close()
        if len(self._calls) != max(self._calls, default=0):
            raise RuntimeError("more calls than are shown at a time came between two looks")
        return sorted(self._calls.values())

    def _watch(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        shown: list[dict[str, Any]] = self._session.get(self._url, timeout=TIMEOUT_SECONDS).json()[
            "calls"
        ]
        for call in shown:
            route = f"{call['method']} {call['route']}"
            self._calls[call["number"]] = (call["time"], route, call["status"])


def write_rows(path: Path, rows: int) -> None:
    """Write a customer stream."""
    with path.open("w") as out:
        out.write(json.dumps(_SCHEMA) + "\n")
        out.writelines(_ROW % (number, number, number % 997) for number in range(rows))


def load(rows: int, active: int, factor: float) -> tuple[float, Journal]:
    """Load rows; return the target's processor time, and what the sandbox saw.

    Args:
        rows: How many.
        active: How many imports are active at most.
        factor: How many seconds of the clock pass in a real one.

    Raises:
        RuntimeError: The target has failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "rows.singer", rows)
        began = time.time()
        options = Options(
            folder / "sandbox.db",
            address_books=[LIST_ID],
            slots=MAXIMUM_ACTIVE_IMPORTS,
            pace=DOTDIGITAL_PACE * factor,
            switches=SWITCHES,
            rate_limits=BASIC,
            clock=lambda: began + (time.time() - began) * factor,
        )
        with SandboxServer(options) as server:
            watcher = CallWatcher(server.url)
            try:
                cpu_seconds = _run_target(folder, server.url, active, factor)
            finally:
                calls = watcher.close()
        imports = _imports(folder / "sandbox.db")
        if sum(contacts for _, _, contacts in imports) != rows:
            raise RuntimeError(f"of {rows:,} rows, others than these arrived")
        return cpu_seconds, Journal(calls, imports)


def _run_target(folder: Path, url: str, active: int, factor: float) -> float:
    config = {
        "username": "any",
        "password": "one",
        "api_url": url,
        "max_active_imports": active,
        "streams": {"customers": {"address_book": LIST_ID, "fields": {"FIRSTNAME": "first_name"}}},
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "tests.support.target.fast_clock", "--config"]
    root = Path(__file__).parent.parent
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / "rows.singer").open("rb") as source, (folder / "log").open("wb") as log:
        process = subprocess.run(
            [*command, str(folder / "config.json")],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "FAST_CLOCK_PACE": str(factor), "PYTHONPATH": str(root)},
            cwd=folder,
            check=False,
        )
    if process.returncode:
        end = (folder / "log").read_text("utf-8", "replace")[-2_000:]
        raise RuntimeError(f"the target ended with status {process.returncode}:\n{end}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _imports(database: Path) -> list[tuple[float, float, int]]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT accepted, finished, contacts FROM import WHERE status = 'Finished'"
        ).fetchall()
    return [(_moment(accepted), _moment(finished), each) for accepted, finished, each in found]


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

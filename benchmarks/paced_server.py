"""A Dotdigital that works imports off at its public pace, on a hurried clock, and keeps nothing.

It has what decides how long a load takes: slots, in each of which an import takes as long as its
contacts do; a refusal when all of them are taken; and the Basic package's low and high calls a
minute, with the headers that tell of them. It is not the sandbox because that writes contacts
down: 9,000 a second and more, as a hurried load needs, are all that this machine can do, and then
the machine would be measured.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self, override

CONTACTS_A_SECOND = 1_000_000 / (3 * 60 * 60)
"""In each slot. The one public figure: up to three hours for up to a million."""

SLOTS = 25
"""Imports that an account may have active."""

LIMITS = {"low": 35, "high": 600}
"""Calls a minute in the Basic package. Only the first number is public."""

WINDOW_SECONDS = 60.0
LIST_ID = 42

_ADDRESS_BOOK = {"id": LIST_ID, "name": "Customers", "visibility": "Private", "contacts": 0}
_MARK = b'"matchIdentifier"'


@dataclass
class Journal:
    """What has come to the server, in seconds of its clock.

    Attributes:
        imports: When each was taken, and of how many contacts.
        polls: When each poll came, and whether it found an import still active.
        refused: Calls that were refused, by code.
        first_call: When the first call came.
    """

    imports: list[tuple[float, int]] = field(default_factory=list)
    polls: list[tuple[float, bool]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    first_call: float | None = None


class Account:
    """Slots and call limits."""

    def __init__(self, factor: float) -> None:
        """Start with free slots.

        Args:
            factor: How many of its seconds pass in a real one.
        """
        self.journal = Journal()
        self._factor = factor
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._contacts: dict[str, int] = {}
        self._calls: Counter[tuple[str, int]] = Counter()

    def now(self) -> float:
        """Return the seconds since the start."""
        return (time.monotonic() - self._began) * self._factor

    def count(self, tier: str) -> tuple[bool, dict[str, str]]:
        """Count a call; return whether it is taken, and the headers of its answer."""
        now = self.now()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            if self.journal.first_call is None:
                self.journal.first_call = now
            self._calls[tier, window] += 1
            used = self._calls[tier, window]
            if used > LIMITS[tier]:
                self.journal.refused["rate limit"] += 1
        headers = {
            "X-RateLimit-Limit": str(LIMITS[tier]),
            "X-RateLimit-Remaining": str(max(LIMITS[tier] - used, 0)),
            "X-RateLimit-Reset": str(int((window + 1) * WINDOW_SECONDS - now) + 1),
            "X-RateLimit-Scope": f"{tier}CallRate",
        }
        return used <= LIMITS[tier], headers

    def take(self, contacts: int) -> str | None:
        """Take an import and return its ID; None if no slot is free."""
        now = self.now()
        with self._lock:
            if sum(end > now for end in self._ends.values()) >= SLOTS:
                self.journal.refused["tooManyActiveImports"] += 1
                return None
            import_id = f"import-{len(self._ends)}"
            self._ends[import_id] = now + contacts / CONTACTS_A_SECOND
            self._contacts[import_id] = contacts
            self.journal.imports.append((now, contacts))
            return import_id

    def status(self, import_id: str) -> dict[str, Any] | None:
        """Return the answer to a poll; None if there is no such import."""
        now = self.now()
        with self._lock:
            end = self._ends.get(import_id)
            if end is None:
                return None
            self.journal.polls.append((now, end > now))
            if end > now:
                return {"importId": import_id, "status": "NotFinished"}
            summary = {"newContacts": self._contacts[import_id], "updatedContacts": 0}
            return {"importId": import_id, "status": "Finished", "summary": summary}


class PacedServer(ThreadingHTTPServer):
    """Serves an account on a free port of this machine; a context manager."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, factor: float) -> None:
        """Open the port.

        Args:
            factor: How many seconds of the account's clock pass in a real one.
        """
        super().__init__(("127.0.0.1", 0), _Handler)
        self.account = Account(factor)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @override
    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PacedServer

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_taken, headers = self.server.account.count("low")
        if not is_taken:
            self._answer(429, {"errorCode": "server:tooManyRequests"}, headers)
            return
        import_id = self.server.account.take(body.count(_MARK))
        if import_id is None:
            self._answer(429, {"errorCode": "contacts:tooManyActiveImports"}, headers)
        else:
            self._answer(202, {"importId": import_id}, headers)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        account = self.server.account
        is_list = path in {"/v2/address-books", "/v2/data-fields"}
        is_taken, headers = account.count("low" if is_list else "high")
        if not is_taken:
            self._answer(429, {"errorCode": "server:tooManyRequests"}, headers)
            return
        found: object = None
        if path.startswith("/contacts/v3/import/"):
            found = account.status(path.rpartition("/")[2])
        elif path == "/v2/address-books":
            found = [] if "skip=" in query and "skip=0" not in query else [_ADDRESS_BOOK]
        elif path == f"/v2/address-books/{LIST_ID}":
            found = _ADDRESS_BOOK
        elif path == "/v2/data-fields":
            found = [{"name": "FIRSTNAME", "type": "String"}]
        self._answer(404 if found is None else 200, found, headers)

    def _answer(self, status: int, body: object, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

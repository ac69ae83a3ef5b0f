"""A Dotdigital that accepts everything at once and keeps nothing: it costs a load next to nothing.

    uv run python -m benchmarks.null_server --port 8000

Bodies are read into one buffer a connection and not parsed: their contacts are counted by the key
that each of them has once. An import has finished when it is first asked for, unless imports are
held active, to see what a target keeps in memory meanwhile. The address book may have members: the
customers from the first one on (`benchmarks/customers.py`). `GET /null/counts` tells what came.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from typing_extensions import Self

if TYPE_CHECKING:
    from types import TracebackType

LIST_ID = 42
HOLD_SECONDS = 3.0
"""When no import has come for so long, the last ones are held no longer."""

_BUFFER_BYTES = 1024 * 1024
_MARK = b'"matchIdentifier"'
_IDENTIFIERS = re.compile(rb'"identifiers":(\{[^}]*\})')
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_REMOVED = re.compile(r"/v2/address-books/[0-9]+/contacts/delete")
_MEMBER = (
    '{"contactId":%d,"status":"subscribed","created":"2026-01-01T00:00:00Z",'
    '"updated":"2026-01-31T00:00:00Z","identifiers":{"email":"customer.number.%d@example.com",'
    '"mobileNumber":null},"dataFields":[]}'
)
_CONTACT = re.compile(r"/contacts/v3/email/customer\.number\.([0-9]+)@example\.com")
_TOWNS = 500
_DONE = b'{"id":"%s","status":"Completed"}'
_HEAD = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass
class Counts:
    """What has come to the server so far."""

    imports: int = 0
    polls: int = 0
    contacts: int = 0
    body_bytes: int = 0
    removals: int = 0
    """Contacts that were taken out of the address book."""
    most_active: int = 0
    """The most imports that were accepted and not yet told to have finished."""


@dataclass
class _Accepted:
    number: int
    contacts: int
    identifiers: list[bytes]
    """Of each contact, when reports list them."""
    is_told: bool = False


class Answers:
    """What is answered, from what came before."""

    def __init__(
        self, data_fields: dict[str, str], active: int, members: int, *, lists: bool
    ) -> None:
        """Begin with nothing.

        Args:
            data_fields: The account's: name to type.
            active: How many imports are held active; 0 to hold none.
            members: How many contacts are in the address book.
            lists: Whether reports list every contact, as Dotdigital's do.
        """
        listed = [{"name": name, "type": kind} for name, kind in data_fields.items()]
        books = [
            {"id": LIST_ID + number, "name": name, "contacts": members or 1}
            for number, name in enumerate(["Customers", *map("Town {}".format, range(_TOWNS))])
        ]
        self._fixed = {
            "/v2/account-info": b'{"id":1,"properties":[]}',
            "/v2/address-books": json.dumps(books).encode(),
            f"/v2/address-books/{LIST_ID}": json.dumps(books[0]).encode(),
            "/v2/data-fields": json.dumps(listed).encode(),
        }
        self._active = active
        self._members = members
        self.lists = lists
        self._lock = threading.Lock()
        self._imports: dict[str, _Accepted] = {}
        self._last_import = 0.0
        self._finished = 0
        self.counts = Counts()

    def accept(self, contacts: int, size: int, identifiers: list[bytes]) -> bytes:
        """Take an import, and return the answer."""
        import_id = str(uuid.uuid4())
        with self._lock:
            counts = self.counts
            self._imports[import_id] = _Accepted(counts.imports, contacts, identifiers)
            counts.imports += 1
            counts.contacts += contacts
            counts.body_bytes += size
            counts.most_active = max(counts.most_active, counts.imports - self._finished)
            self._last_import = time.monotonic()
        return b'{"importId":"%s"}' % import_id.encode()

    def get(self, path: str) -> bytes | None:
        """Return what a GET is answered, or None for what there is not."""
        path, _, query = path.partition("?")
        if path.startswith("/contacts/v3/import/"):
            return self._status(path.rpartition("/")[2])
        if path == "/null/counts":
            with self._lock:
                return json.dumps(asdict(self.counts)).encode()
        if path == "/v2/address-books" and "skip=" in query and "skip=0" not in query:
            return b"[]"
        return self._fixed.get(path) or self._member_answer(path, query)

    def _member_answer(self, path: str, query: str) -> bytes | None:
        """Return what a GET about members of the address book is answered."""
        if path == "/contacts/v3":
            return self._page(query)
        if found := _CONTACT.fullmatch(unquote(path)):
            number = int(found[1])
            return (_MEMBER % (number + 1, number)).encode()
        if path.startswith("/v2/contacts/deletion/"):
            return _DONE % path.rpartition("/")[2].encode()
        return None

    def remove(self, contacts: int) -> bytes:
        """Take contacts out of the address book, and return the answer."""
        with self._lock:
            self.counts.removals += contacts
        return _DONE % str(uuid.uuid4()).encode()

    def _page(self, query: str) -> bytes:
        """Return a page of members."""
        first, limit = _first_and_limit(query)
        return _page_of(first, min(first + limit, self._members), self._members)

    def prepare(self, path: str) -> None:
        """Make the page after one that was just sent: the client is not to wait for it."""
        path, _, query = path.partition("?")
        if path == "/contacts/v3":
            first, limit = _first_and_limit(query)
            self._page(f"marker={first + limit}&limit={limit}")

    def _status(self, import_id: str) -> bytes | None:
        with self._lock:
            self.counts.polls += 1
            found = self._imports.get(import_id)
            if found is None:
                return None
            if self._is_held(found):
                return b'{"importId":"%s","status":"NotFinished"}' % import_id.encode()
            if not found.is_told:
                found.is_told = True
                self._finished += 1
        created = b",".join(
            b'{"contactId":%d,"identifiers":%s}' % each for each in enumerate(found.identifiers, 1)
        )
        return (
            b'{"importId":"%s","status":"Finished","summary":{"newContacts":%d,"updatedContacts":0,'
            b'"globallySuppressed":0,"invalidEntries":0,"duplicateIdentifiers":0},'
            b'"created":[%s],"updated":[],"failures":[]}'
            % (import_id.encode(), found.contacts, created)
        )

    def _is_held(self, accepted: _Accepted) -> bool:
        """Return whether an import must wait until as many as are to be active have come.

        They end in waves: one after the other, each would wait for the next poll of the one before.
        """
        if not self._active or time.monotonic() - self._last_import > HOLD_SECONDS:
            return False
        wave = accepted.number // self._active
        return self.counts.imports < (wave + 1) * self._active


def _first_and_limit(query: str) -> tuple[int, int]:
    """Return at which member a page begins, and how many it has at most."""
    asked = parse_qs(query)
    return int(asked.get("marker", ["0"])[0]), int(asked["limit"][0])


@lru_cache(maxsize=2)
def _page_of(first: int, end: int, members: int) -> bytes:
    """Return the page from one member to another."""
    items = ",".join([_MEMBER % (number + 1, number) for number in range(first, end)])
    following = f',"next":{{"marker":"{end}"}}' if end < members else ""
    return f'{{"_items":[{items}],"_links":{{"self":{{"marker":""}}{following}}}}}'.encode()


class Connection:
    """One client's connection, to its end."""

    def __init__(self, client: socket.socket, answers: Answers) -> None:
        """Take a connection."""
        self._client = client
        self._answers = answers
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0

    def serve(self) -> None:
        """Answer until the client goes."""
        with suppress(ConnectionError), self._client:
            while (head := self._read_head()) is not None:
                self._answer(head)

    def _read_head(self) -> bytes | None:
        """Return a request's head; what came with it stays in the buffer. None: there is none."""
        while (end := self._buffer.find(b"\r\n\r\n", 0, self._filled)) < 0:
            if self._filled == _BUFFER_BYTES or not self._receive(self._filled):
                return None
        head = bytes(self._view[: end + 4])
        rest = self._filled - len(head)
        self._view[:rest] = bytes(self._view[len(head) : self._filled])
        self._filled = rest
        return head

    def _receive(self, start: int) -> int:
        received = self._client.recv_into(self._view[start:])
        self._filled = start + received
        return received

    def _answer(self, head: bytes) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        length = _LENGTH.search(head)
        size = int(length[1]) if length is not None else 0
        if (method, path) == ("PUT", "/contacts/v3/import") and length is not None:
            contacts, identifiers = self._read_body(size)
            self._send(202, self._answers.accept(contacts, size, identifiers))
            return
        if method == "POST" and _REMOVED.fullmatch(path):
            self._send(202, self._answers.remove(self._read_body(size, b",")[0] + 1))
            return
        self._read_body(size)
        found = self._answers.get(path) if method == "GET" else None
        self._send(404 if found is None else 200, found or b"{}")
        if method == "GET":
            self._answers.prepare(path)

    def _read_body(self, size: int, mark: bytes = _MARK) -> tuple[int, list[bytes]]:
        """Read a body; return how many marks it has and, if contacts are listed, who they are."""
        parts: list[bytes] = []
        count = kept = 0
        missing = size - self._filled
        while True:
            count += self._buffer.count(mark, 0, self._filled)
            if self._answers.lists:
                parts.append(bytes(self._view[kept : self._filled]))
            if missing <= 0:
                break
            # The end of this piece may hold the beginning of the next mark.
            kept = min(len(mark) - 1, self._filled)
            self._view[:kept] = bytes(self._view[self._filled - kept : self._filled])
            received = self._receive(kept)
            if not received:
                raise ConnectionResetError
            missing -= received
        self._filled = 0
        return count, _IDENTIFIERS.findall(b"".join(parts)) if parts else []

    def _send(self, status: int, body: bytes) -> None:
        reason = {200: b"OK", 202: b"Accepted"}.get(status, b"Not Found")
        self._client.sendall(_HEAD % (status, reason, len(body)) + body)


class NullServer:
    """A null server in a process of its own; a context manager.

    Attributes:
        url: Where it is.
    """

    def __init__(
        self,
        data_fields: dict[str, str],
        *,
        active: int = 0,
        members: int = 0,
        lists: bool = False,
    ) -> None:
        """Start it.

        Args:
            data_fields: The account's: name to type.
            active: How many imports it holds active; 0 to hold none.
            members: How many contacts are in the address book.
            lists: Whether reports list every contact.
        """
        options = [
            f"--data-fields={json.dumps(data_fields)}",
            f"--active={active}",
            f"--members={members}",
        ]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *options, *(["--lists"] if lists else [])],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )
        self.url = (self._process.stdout.readline() if self._process.stdout else "").strip()

    def __enter__(self) -> Self:
        """Return it; it is ready."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.kill()  # it keeps nothing
        self._process.communicate()

    def counts(self) -> Counts:
        """Ask it what came."""
        connection = HTTPConnection(self.url.rpartition("/")[2], timeout=10)
        connection.request("GET", "/null/counts")
        found = json.loads(connection.getresponse().read())
        connection.close()
        return Counts(**found)


def main() -> None:
    """Serve until the process is ended, and print the URL first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument("--data-fields", type=json.loads, default={}, help="JSON: name to type")
    parser.add_argument("--active", type=int, default=0, help="imports that are held active")
    parser.add_argument("--members", type=int, default=0, help="contacts in the address book")
    parser.add_argument("--lists", action="store_true", help="reports list every contact")
    arguments = parser.parse_args()
    answers = Answers(
        arguments.data_fields, arguments.active, arguments.members, lists=arguments.lists
    )
    with socket.create_server(("127.0.0.1", arguments.port), backlog=128) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(client, answers).serve, daemon=True).start()


if __name__ == "__main__":
    main()

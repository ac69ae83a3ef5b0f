"""Peak memory and calls of a mirror, against the sandbox in a process of its own.

    uv run python benchmarks/mirror.py --members 1000000 --leavers 10000

First fills an address book. Then a stream of nearly as many people mirrors it: the target's peak
resident memory, in MB, its time and the calls that it made are printed, and that nobody left who
should not have.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

import requests

from target_dotdigital.sandbox import EmbeddedSandbox

SCHEMA = {
    "type": "SCHEMA",
    "stream": "customers",
    "key_properties": ["email"],
    "schema": {
        "type": "object",
        "properties": {"email": {"type": "string"}, "first_name": {"type": "string"}},
    },
}
IMPORT_CONTACTS = 10_000
PAUSE_SECONDS = 0.25
TIMEOUT_SECONDS = 120


def email(number: int) -> str:
    """Return the address of one of the people."""
    return f"customer.number.{number}@example.com"


def write_rows(out: IO[bytes], first: int, end: int) -> None:
    """Write a stream of people, with a STATE at its end."""
    out.write(json.dumps(SCHEMA).encode() + b"\n")
    for number in range(first, end):
        record = {"email": email(number), "first_name": f"First{number % 997}"}
        message = {"type": "RECORD", "stream": "customers", "record": record}
        out.write(json.dumps(message).encode() + b"\n")
    out.write(json.dumps({"type": "STATE", "value": {"row": end}}).encode() + b"\n")


class Filler:
    """Puts contacts into the sandbox, and asks it how it is."""

    def __init__(self, sandbox: EmbeddedSandbox) -> None:
        """Open a session."""
        self._url = sandbox.url
        self._session = requests.Session()
        self._session.auth = (sandbox.username, sandbox.password)
        self._calls: dict[int, str] = {}

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Return an answer's JSON."""
        return self._session.get(self._url + path, timeout=TIMEOUT_SECONDS).json()

    def fill(self, address_book_id: int, members: int) -> None:
        """Put people into an address book."""
        for first in range(0, members, IMPORT_CONTACTS):
            contacts = [
                {
                    "matchIdentifier": "email",
                    "identifiers": {"email": email(number)},
                    "lists": [address_book_id],
                }
                for number in range(first, min(first + IMPORT_CONTACTS, members))
            ]
            url = f"{self._url}/contacts/v3/import"
            reply = self._session.put(url, json={"contacts": contacts}, timeout=TIMEOUT_SECONDS)
            path = f"/contacts/v3/import/{reply.json()['importId']}"
            while self.get(path)["status"] != "Finished":
                time.sleep(PAUSE_SECONDS)

    def note_calls(self) -> None:
        """Take note of the latest calls: the sandbox shows two hundred."""
        for each in self.get("/sandbox/page/requests")["calls"]:
            self._calls[each["number"]] = f"{each['method']} {each['route']}"

    def calls_since(self, number: int) -> Counter[str]:
        """Count the calls after one of them, by route."""
        self.note_calls()
        return Counter(route for each, route in self._calls.items() if each > number)

    @property
    def last_call(self) -> int:
        """The number of the latest call."""
        self.note_calls()
        return max(self._calls)


def mirror(folder: Path, sandbox: EmbeddedSandbox, filler: Filler) -> tuple[int, float, float]:
    """Run the target; return its exit status, seconds and peak memory in MB."""
    config = {
        "username": sandbox.username,
        "password": sandbox.password,
        "api_url": sandbox.url,
        "address_book": "Customers",
        "streams": {"customers": {"sync_mode": "mirror"}},
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "target_dotdigital", "--config", "config.json"]
    started = time.monotonic()
    with (folder / "rows.singer").open("rb") as rows:
        target = subprocess.Popen(command, stdin=rows, stdout=subprocess.DEVNULL, cwd=folder)
        ended, status, usage = 0, 0, resource.getrusage(resource.RUSAGE_SELF)
        while not ended:
            filler.note_calls()
            time.sleep(PAUSE_SECONDS)
            ended, status, usage = os.wait4(target.pid, os.WNOHANG)
    seconds = time.monotonic() - started
    return os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / 1024


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--leavers", type=int, default=10_000)
    arguments = parser.parse_args()
    members, leavers = arguments.members, arguments.leavers
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "rows.singer").open("wb") as out:
            write_rows(out, leavers, members)
        with EmbeddedSandbox(folder / "sandbox.db", address_books=["Customers"]) as sandbox:
            filler = Filler(sandbox)
            books = filler.get("/v2/address-books")
            (book,) = (each for each in books if each["name"] == "Customers")
            filler.fill(book["id"], members)
            last_call = filler.last_call
            status, seconds, peak = mirror(folder, sandbox, filler)
            calls = filler.calls_since(last_call)
            left = members - filler.get(f"/v2/address-books/{book['id']}")["contacts"]
        kept = [line for path in folder.glob("leavers.*") for line in path.open()]
    for route, count in sorted(calls.items()):
        print(f"calls              {count:>6,} {route}")
    print(f"exit status        {status}")
    print(f"left               {left:,} (and {len(kept) - 1:,} in the file for undoing)")
    print(f"seconds            {seconds:,.0f}")
    print(f"peak memory, MB    {peak:,.0f}")


if __name__ == "__main__":
    main()

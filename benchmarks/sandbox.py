"""The sandbox with a million contacts: how long imports, pages of members and the page take.

    uv run python benchmarks/sandbox.py --contacts 1000000

The page is opened in Chromium if that and its driver are installed. Prints one figure a line with
what it may be at most, and ends with status 1 if one is above that.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.browser import CHROMIUM, DRIVER, Browser, started

LIST_ID = 42
IMPORT_CONTACTS = 10_000
PAGE_CONTACTS = 5_000
AHEAD = 8
"""Imports that wait while the account is filled."""

RUNS = 5
TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.02

_session = requests.Session()
_session.auth = ("any", "one")


class Figures:
    """What was measured, each printed as it comes."""

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.too_slow: list[str] = []

    def tell(self, name: str, seconds: float, limit: float) -> None:
        """Print a figure and compare it."""
        print(f"{name:<58} {seconds:7.3f} s   (at most {limit} s)", flush=True)
        if seconds > limit:
            self.too_slow.append(name)


def body(first: int, revision: int = 0) -> bytes:
    """Return an import of people numbered from `first`, with five data fields each."""
    contacts = [
        {
            "matchIdentifier": "email",
            "identifiers": {"email": f"customer.number.{number}@example.com"},
            "dataFields": {
                "FIRSTNAME": f"First{number % 997}",
                "LASTNAME": f"Last{number % 9973}",
                "GENDER": "female" if number % 2 else "male",
                "POSTCODE": f"N{revision} {number % 9}DP",
                "LASTSUBSCRIBED": "2026-01-01T00:00:00Z",
            },
            "lists": [LIST_ID],
        }
        for number in range(first, first + IMPORT_CONTACTS)
    ]
    return json.dumps({"mergeOption": "overwrite", "contacts": contacts}).encode()


def accept(url: str, sent: bytes) -> tuple[str, float]:
    """Send an import, and return its ID and how long that took."""
    began = time.perf_counter()
    reply = _session.put(f"{url}/contacts/v3/import", data=sent, timeout=TIMEOUT_SECONDS)
    seconds = time.perf_counter() - began
    reply.raise_for_status()
    return reply.json()["importId"], seconds


def finish(url: str, import_id: str) -> None:
    """Wait for the end of an import."""
    address = f"{url}/contacts/v3/import/{import_id}"
    while (status := _get(address).json()["status"]) == "NotFinished":
        time.sleep(POLL_SECONDS)
    if status != "Finished":
        raise SystemExit(f"an import ended as {status}")


def fill(url: str, contacts: int) -> None:
    """Load so many contacts, in imports as a client would send them."""
    began = time.perf_counter()
    waiting: list[str] = []
    for first in range(0, contacts, IMPORT_CONTACTS):
        waiting.append(accept(url, body(first))[0])
        if len(waiting) > AHEAD:
            finish(url, waiting.pop(0))
    for import_id in waiting:
        finish(url, import_id)
    seconds = time.perf_counter() - began
    print(f"{contacts:,} contacts loaded in {seconds:.0f} s, {contacts / seconds:,.0f} a second")


def measure_imports(url: str, contacts: int, figures: Figures) -> None:
    """Send imports of contacts that are there, and of new ones, one after the other."""
    for name, first, step in (
        ("known contacts", 0, contacts // RUNS),
        ("new contacts", contacts, IMPORT_CONTACTS),
    ):
        accepted, finished = [], []
        for run in range(RUNS):
            sent = body(first + run * step, run + 1)
            began = time.perf_counter()
            import_id, seconds = accept(url, sent)
            accepted.append(seconds)
            finish(url, import_id)
            finished.append(time.perf_counter() - began)
        figures.tell(f"import of 10,000 {name} accepted, slowest of {RUNS}", max(accepted), 0.5)
        figures.tell(f"import of 10,000 {name} finished, slowest of {RUNS}", max(finished), 2.0)


def measure_members(url: str, figures: Figures) -> None:
    """Read all members of the address book."""
    times, members = [], 0
    address = f"{url}/contacts/v3?~listId={LIST_ID}&limit={PAGE_CONTACTS}&data-fields=[[ALL]]"
    marker = ""
    while True:
        began = time.perf_counter()
        page: dict[str, Any] = _get(address + marker).json()
        times.append(time.perf_counter() - began)
        members += len(page["_items"])
        if "next" not in page["_links"]:
            break
        marker = f"&marker={page['_links']['next']['marker']}"
    print(f"{members:,} members in {len(times)} pages, mean {sum(times) / len(times):.3f} s")
    figures.tell("page of 5,000 members, slowest", max(times), 0.5)


def measure_page(url: str, figures: Figures) -> None:
    """Ask for what the page asks for, then open it."""
    for name in ("address-books", "contacts", f"contacts?list={LIST_ID}", "imports", "requests"):
        _measure_call(url, name, figures)
    for name in ("customer.number.9", "customer.number.999999@", "nobody", "c"):
        _measure_call(url, f"contacts?search={name}", figures)
        _measure_call(url, f"contacts?list=1000002&search={name}", figures)
    if not (CHROMIUM and DRIVER):
        print("the page was not opened: chromium and chromedriver are not installed")
        return
    with started() as browser:
        for view, shown in (("address-books", "tbody tr"), ("contacts", "tbody tr")):
            figures.tell(f"first view of the page, {view}", _open(browser, url, view, shown), 1.0)
        browser.driver.get("about:blank")


def _measure_call(url: str, name: str, figures: Figures) -> None:
    began = time.perf_counter()
    _get(f"{url}/sandbox/page/{name}")
    figures.tell(f"page data: {name}", time.perf_counter() - began, 1.0)


def _open(browser: Browser, url: str, view: str, shown: str) -> float:
    browser.driver.get("about:blank")
    began = time.perf_counter()
    browser.driver.get(f"{url}/#/{view}")
    browser.until(lambda: browser.all(shown), view)
    return time.perf_counter() - began


def _get(address: str) -> requests.Response:
    reply = _session.get(address, timeout=TIMEOUT_SECONDS)
    reply.raise_for_status()
    return reply


def main() -> int:
    """Fill a sandbox in a process of its own, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    contacts = parser.parse_args().contacts
    command = shutil.which("target-dotdigital-sandbox")
    if command is None:
        raise SystemExit("target-dotdigital-sandbox is not installed: run this with uv run")
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "dotdigital.db"
        with subprocess.Popen(
            [command, "--port=0", f"--database={database}", f"--address-book={LIST_ID}"],
            stdout=subprocess.PIPE,
            text=True,
        ) as sandbox:
            try:
                ready = sandbox.stdout.readline() if sandbox.stdout else ""
                url = ready.partition(" at ")[2].partition(" ")[0]
                fill(url, contacts)
                measure_imports(url, contacts, figures)
                measure_members(url, figures)
                measure_page(url, figures)
                print(f"the database has {database.stat().st_size / 1e6:,.0f} MB")
            finally:
                sandbox.terminate()
    for name in figures.too_slow:
        print(f"too slow: {name}")
    return 1 if figures.too_slow else 0


if __name__ == "__main__":
    sys.exit(main())

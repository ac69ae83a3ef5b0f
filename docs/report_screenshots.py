"""Pictures of run reports, in light and dark, wide and narrow, for the documentation.

    uv run python docs/report_screenshots.py

Needs Chromium and its driver. The people are made up, and go into a sandbox.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import TierLimits
from tests.support.browser import Browser, started
from tests.support.sandbox.client import SandboxClient, person

IMAGES = Path(__file__).parent / "images"
WIDTH, PHONE_WIDTH = 1_100, 390
MAXIMUM_BYTES = 400_000

CUSTOMERS, PROSPECTS, MEMBERS = 52_000, 18_000, 6_000
KNOWN = 21_000
"""Customers that are in the account before."""

COLUMNS: dict[str, Any] = {
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "points": {"type": ["integer", "null"]},
}

KINDS = ("good", "once more", "nobody", "no address", "no number")
WEIGHTS = (980, 13, 1, 4, 2)


def rows(stream: str, count: int, choice: random.Random) -> list[dict[str, Any]]:
    """Make people up, some of whom are at fault."""
    made = []
    for number in range(count):
        email: str | None = f"{stream}{number}@example.com"
        points: object = choice.randrange(900)
        kind = choice.choices(KINDS, WEIGHTS)[0]
        if kind == "nobody":
            email = None
        elif kind == "no address":
            email = f"{stream}{number} at example.com"
        elif kind == "no number":
            points = "many"
        elif kind == "once more" and number:
            email = f"{stream}{number - 1}@example.com"
        row = {"email": email, "first_name": "Ada", "points": points}
        made.append({"type": "RECORD", "stream": stream, "record": row})
    return made


def messages() -> list[dict[str, Any]]:
    """Return what a tap would send."""
    choice = random.Random(5)  # noqa: S311 - pictures, no secrets
    sent: list[dict[str, Any]] = []
    for stream, count in (("customers", CUSTOMERS), ("prospects", PROSPECTS), ("members", MEMBERS)):
        schema = {"properties": COLUMNS}
        sent.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []})
        for number, each in enumerate(rows(stream, count, choice), 1):
            sent.append(each)
            if not number % 5_000:
                sent.append({"type": "STATE", "value": {stream: number}})
        sent.append({"type": "STATE", "value": {stream: "end"}})
    return sent


def load(folder: Path, url: str, **settings: Any) -> None:
    """Run the target over the messages."""
    config = {
        "username": "any",
        "password": "one",
        "api_url": url,
        "address_book": "Spring segment",
        "create_address_book": True,
        "create_data_fields": True,
        "batch_size_rows": 4_000,
        "max_active_imports": 8,
        "rejects_path": "rejects.singer",
        "streams": {
            name: {"fields": {"FIRSTNAME": "first_name", "POINTS": "points"}}
            for name in ("customers", "prospects", "members")
        },
        **settings,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "messages.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in messages()))
    subprocess.run(  # noqa: S603 - the target itself
        [
            *(sys.executable, "-m", "target_dotdigital", "--config", "config.json"),
            *("--input", "messages.jsonl"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def make_reports(folder: Path) -> None:
    """Load into a sandbox that is slow, and whose calls are few; then plan the same again."""
    database = folder / "dotdigital.db"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(*(person(f"customers{number}@example.com") for number in range(KNOWN)))
    limits = TierLimits(low=12, medium=60, high=300)
    with SandboxServer(Options(database, pace=900.0, slots=5, rate_limits=limits)) as server:
        load(folder, server.url, report_path="plan.html", dry_run=True)
        load(folder, server.url, report_path="report.html")


def shoot(browser: Browser, page: Path, name: str) -> None:
    """Take the picture of a whole page, in light and dark, wide and narrow."""
    for suffix, width in (("", WIDTH), ("-phone", PHONE_WIDTH)):
        browser.resize(width, 700)
        browser.open(page.as_uri())
        height: int = browser.driver.execute_script("return document.documentElement.scrollHeight")
        browser.resize(width, height)
        for scheme in ("light", "dark"):
            browser.emulate(scheme)
            file = IMAGES / f"{name}{suffix}-{scheme}.png"
            browser.driver.save_screenshot(str(file))
            if (size := file.stat().st_size) > MAXIMUM_BYTES:
                message = f"{file.name} has {size} bytes"
                raise SystemExit(message)
    if said := browser.console():
        raise SystemExit("\n".join(said))


def main() -> None:
    """Make the reports and look at them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_reports(folder)
        with started() as browser:
            shoot(browser, folder / "report.html", "report")
            shoot(browser, folder / "plan.html", "plan")
            browser.driver.get("about:blank")


if __name__ == "__main__":
    main()

"""Screenshots of the sandbox's page and of the site's front page, in light and dark.

    uv run python docs/screenshots.py

Needs Chromium and its driver.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import TierLimits
from tests.support.browser import Browser, started
from tests.support.sandbox.client import SandboxClient, person

IMAGES = Path(__file__).parent / "images"
FRONT_WIDTH, FRONT_HEIGHT = 1_280, 900
WIDTH, HEIGHT = 880, 580
"""About the width of the site's text, so that the letters keep their size."""

SCALE = 1.5
"""Pixels of a picture for each of the page, for screens with fine ones."""

PHONE_WIDTH, PHONE_HEIGHT = 390, 700
MAXIMUM_BYTES = 200_000
SETTLE_SECONDS = 1.6

FIRST_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Katherine", "Radia")
LAST_NAMES = ("Archer", "Baker", "Carter", "Dyer", "Fletcher", "Glover", "Mason", "Weaver")
UNDER_WAY = 24_000


def customer(number: int, choice: random.Random, *lists: int) -> dict[str, Any]:
    """Make somebody up."""
    first, last = choice.choice(FIRST_NAMES), choice.choice(LAST_NAMES)
    fields = {"FIRSTNAME": first, "LASTNAME": last, "POSTCODE": f"N{choice.randint(1, 22)} 4QP"}
    email = f"{first}.{last}{number}@example.com".lower()
    made = person(email, dataFields=fields, lists=list(lists))
    if choice.random() < 1 / 3:
        made["identifiers"]["mobileNumber"] = f"447700{number:06}"
    if choice.random() < 1 / 9:
        made["channelProperties"] = {"email": {"status": "unsubscribed"}}
    elif choice.random() < 1 / 9:
        made["channelProperties"] = {"email": {"optInType": "verifiedDouble"}}
    return made


def pass_time(database: Path, minutes: int) -> None:
    """Make what has grown so far older."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE growth SET minute = minute - ? WHERE minute > 0", (minutes,))


def fill(client: SandboxClient, database: Path) -> None:
    """Load people, some of whom are at fault."""
    choice = random.Random(2)  # noqa: S311 - pictures, no secrets
    newsletter, spring = client.create_list("Newsletter"), client.create_list("Spring sale")
    number = 0
    for size, minutes in ((300, 9), (250, 14), (900, 6), (150, 11), (500, 5)):
        some = [customer(number + each, choice, newsletter) for each in range(size)]
        client.load(*some, *[customer(number + 500_000, choice, spring)])
        number += size
        pass_time(database, minutes)
    faulty = [person(f"nobody{number} at example.com") for number in range(17)]
    unlisted = [person(f"listed{number}@example.com", lists=[7]) for number in range(4)]
    some = [customer(number, choice, spring) for number in range(9_000, 9_900)]
    client.load(*some[:300])
    pass_time(database, 4)
    client.load(*some, *faulty, *unlisted)
    client.get("/contacts/v3/email/nobody%40example.com")
    for _ in range(12):
        client.get("/v2/address-books")
    client.start_import(
        [customer(number, choice, spring) for number in range(10_000, 10_000 + UNDER_WAY)]
    )


def shoot(browser: Browser, name: str) -> None:
    """Take the picture of what is shown, in light and dark."""
    for scheme in ("light", "dark"):
        browser.emulate(scheme)
        time.sleep(0.3)
        file = IMAGES / f"{name}-{scheme}.png"
        browser.driver.save_screenshot(str(file))
        size = file.stat().st_size
        if size > MAXIMUM_BYTES:
            message = f"{file.name} has {size} bytes"
            raise SystemExit(message)


def main() -> None:
    """Fill a sandbox and look at each view of it, and at the documentation's front page."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options = Options(
            Path(folder) / "dotdigital.db",
            pace=1_500.0,
            rate_limits=TierLimits(low=60, medium=150, high=900),
        )
        with SandboxServer(options) as server, SandboxClient(server.url) as client:
            fill(client, options.database)
            with started() as browser:
                look(browser, server.url)
                look_at_front(browser, Path(folder) / "site")
                browser.driver.get("about:blank")


def look(browser: Browser, url: str) -> None:
    """Take all pictures."""
    browser.resize(WIDTH, HEIGHT, SCALE)
    for view in ("address-books", "contacts", "imports", "requests"):
        browser.open(f"{url}/#/{view}")
        browser.until(lambda: browser.all("tbody tr, .imports li"), view)
        time.sleep(SETTLE_SECONDS)
        shoot(browser, f"sandbox-{view}")
    browser.open(f"{url}/#/contacts?search=ada")
    browser.until(lambda: browser.all("tbody a"), "contacts")
    browser.all("tbody a")[0].click()
    browser.one("dialog dl")
    shoot(browser, "sandbox-contact")
    browser.resize(PHONE_WIDTH, PHONE_HEIGHT, SCALE)
    browser.open(f"{url}/#/imports")
    browser.until(lambda: browser.all(".imports li"), "imports")
    time.sleep(SETTLE_SECONDS)
    shoot(browser, "sandbox-phone")


def look_at_front(browser: Browser, site: Path) -> None:
    """Build the site with the pictures that are there, and take those of its front page."""
    command = (sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", IMAGES.parent, site)
    subprocess.run(command, check=True)  # noqa: S603 - our own documentation
    sizes = {"wide": (FRONT_WIDTH, FRONT_HEIGHT), "narrow": (PHONE_WIDTH, PHONE_HEIGHT)}
    for name, (width, height) in sizes.items():
        browser.resize(width, height)
        browser.open(f"{site.as_uri()}/index.html")
        browser.one("article h1")
        shoot(browser, f"docs-front-{name}")


if __name__ == "__main__":
    main()

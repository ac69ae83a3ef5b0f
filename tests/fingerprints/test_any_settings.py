"""The same over settings that are made up: with each of them the contents are the same.

Each day is loaded into two accounts, as in `tests/fingerprints/test_same_contents.py`: into one
everything is sent, into the other one only what has changed.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.server import DotdigitalServer
from tests.support.messages import activate, record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

PACE = 20
PEOPLE = "abcdefgh"
DAYS = 7
BOOKS = (101, 102)
TEXT: dict[str, Any] = {"type": ["string", "null"]}
FLAG: dict[str, Any] = {"type": ["boolean", "null"]}
PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "phone": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "wants_news": FLAG,
    "out": FLAG,
    "seen": {"type": "integer"},
}
SLOWLY = {**PROPERTIES, "last_name": {**TEXT, "maxLength": 99}}
BY_ROW = {**PROPERTIES, "books": {"type": "array", "items": {"type": "integer"}}}
FIELDS = {"FIRSTNAME": "first_name", "LASTNAME": "last_name"}


class Made:
    """Settings of a few streams, and their rows from day to day."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret
        choice = self.random.choice
        self.day = 0
        count = choice((1, 2, 2, 3))
        self.identifies_by_phone = self.random.random() < 0.15
        self.mirrored = choice((None, None, *BOOKS)) if count > 1 else choice((None, *BOOKS))
        self.streams = {f"s{number}": self._stream(number) for number in range(count)}
        self.settings: dict[str, Any] = {"max_reject_percent": 100, "streams": self.streams}
        if self.random.random() < 0.3:
            # A value that is another one in each run, and one that is not.
            self.settings["stream_maps"] = {
                "s0": {"seen": "now()", "first_name": choice(("first_name", "last_name"))}
            }
        self.rows = {(name, who): self._row(who) for name in self.streams for who in PEOPLE}

    def _stream(self, number: int) -> dict[str, Any]:
        choice, chance = self.random.choice, self.random.random
        book = choice(BOOKS)
        found: dict[str, Any] = {
            "address_book": book,
            "fields": dict(self.random.sample([*FIELDS.items()], choice((1, 2)))),
            "merge_option": choice(
                ("overwrite", "overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty")
            ),
            "on_delete": choice(("ignore", "remove", "delete")),
            "resubscribe": chance() < 0.3,
        }
        if chance() < 0.5:
            found["identifiers"] = {"email": "email", "mobileNumber": "phone"}
        if self.identifies_by_phone and number:
            found["match_identifier"] = "mobileNumber"
            found["identifiers"] = {"mobileNumber": "phone", "email": "email"}
        if chance() < 0.3:
            found["preferences"] = {"7": "wants_news"}
        if chance() < 0.4:
            found |= {"opt_out": {"email": "out"}, "opt_out_new": choice(("create", "skip"))}
        if number == 0 and self.mirrored == book:
            found |= {"sync_mode": "mirror", "max_removal_percent": 100}
        elif chance() < 0.2:
            del found["address_book"]
            found["address_book_property"] = "books"
        return found

    def _row(self, who: str) -> dict[str, Any]:
        values: dict[str, Any] = {
            "email": f"{who}@example.com",
            "phone": f"4474001231{PEOPLE.index(who):02d}",
        }
        for name in ("first_name", "last_name"):
            if self.random.random() < 0.9:
                values[name] = self.random.choice(("x", "y", None))
        for name in ("wants_news", "out"):
            values[name] = self.random.choice((True, False, False, None))
        values["books"] = self.random.sample(BOOKS, self.random.choice((1, 2)))
        return values

    def a_day(self) -> list[dict[str, Any]]:
        """Return the messages of a day."""
        chance, choice = self.random.random, self.random.choice
        self.day += 1
        for name, who in self.rows:
            if chance() < 0.06:
                self.rows[name, who] = self._row(who)
        messages: list[dict[str, Any]] = []
        wanted = [name for name in self.streams if chance() < 0.8] or ["s0"]
        self.random.shuffle(wanted)
        for name in wanted:
            stream = self.streams[name]
            by_row = "address_book_property" in stream
            messages.append(schema(name, BY_ROW if by_row else choice((PROPERTIES, SLOWLY))))
            version = self.day if chance() < 0.3 else None
            sent = [self._message(name, who, version) for who in PEOPLE if chance() < 0.85]
            messages += self.random.sample(sent, len(sent)) if chance() < 0.3 else sent
            if version is not None:
                messages.append(activate(version, name))
            messages.append(state({"day": self.day, "stream": name}))
        return messages

    def _message(self, name: str, who: str, version: int | None) -> dict[str, Any]:
        values = dict(self.rows[name, who])
        if self.random.random() < 0.05:
            values = self._row(who)
        if self.random.random() < 0.04 and self.streams[name]["on_delete"] != "ignore":
            values["_sdc_deleted_at"] = "2026-01-01T00:00:00Z"
        values["seen"] = self.random.choice((1, 1, 1, 2))
        message = record(name, **values)
        if version is not None:
            message["version"] = version
        return {**message, "time_extracted": f"2026-01-0{self.day}T00:00:00Z"}


def compare(folder: Path, seed: int) -> Counter[str]:
    """Load some days into two accounts, and compare what is in them after each.

    Raises:
        AssertionError: It is not the same.
    """
    made = Made(seed)
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        whole, partly = (stack.enter_context(DotdigitalServer()) for _ in range(2))
        for each in (whole, partly):
            for book in BOOKS:
                each.add_contact("somebody@example.com", lists=(book,))
        for day in range(DAYS):
            messages = made.a_day()
            more = {**made.settings, "batch_size_rows": made.random.choice((1, 3, 1000))}
            ended = load(settings_for(whole, **more), folder, *messages, pace=PACE)
            more |= {"send": "changes", "fingerprints_path": "fingerprints"}
            other = load(settings_for(partly, **more), folder, *messages, pace=PACE)
            assert (other.status, other.states[-1:]) == (ended.status, ended.states[-1:])
            assert partly.contents() == whole.contents(), f"day {day}: {made.settings}"
            found = re.findall(r"(imported|unchanged) ([0-9]+)", other.stderr)
            counts.update({name: 0 for name, _ in found})
            for name, number in found:
                counts[name] += int(number)
    return counts


@pytest.mark.parametrize("seed", range(6))
def test_the_contents_are_the_same(tmp_path: Path, seed: int) -> None:
    compare(tmp_path, seed)

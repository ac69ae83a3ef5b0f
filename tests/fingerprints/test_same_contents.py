"""Only changes are sent, and the account holds what it would hold if everything had been sent.

Days are made up: rows of a few people in a few streams, changed or not, joined, deleted, or back
as they were. Each day is loaded into two accounts. Into one, everything is sent; into the other,
only what has changed, by a run that may be killed and started again.
"""

from __future__ import annotations

import random
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.dotdigital.server import DotdigitalServer
from tests.support.messages import gone, record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PACE = 20
PEOPLE = "abcdefghij"
VALUES = ("x", "y", None)
PROPERTIES = {
    "email": {"type": "string"},
    "first_name": {"type": ["string", "null"]},
    "last_name": {"type": ["string", "null"]},
    "phone": {"type": ["string", "null"]},
}
SLOWLY = {**PROPERTIES, "last_name": {"type": ["string", "null"], "maxLength": 99}}
STREAMS: dict[str, dict[str, Any]] = {
    "names": {
        "address_book": 101,
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "on_delete": "remove",
    },
    "others": {"address_book": 102, "fields": {"LASTNAME": "last_name"}},
    "same": {"address_book": 102, "fields": {"FIRSTNAME": "first_name", "LASTNAME": "last_name"}},
    "phones": {
        "address_book": 102,
        "match_identifier": "mobileNumber",
        "identifiers": {"mobileNumber": "phone", "email": "email"},
        "fields": {"FIRSTNAME": "first_name"},
        "merge_option": "overwriteIfNotEmpty",
    },
}


class Source:
    """What the tap reads: it changes a little from day to day."""

    def __init__(self, seed: int, streams: Sequence[str]) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.people = {name: self._row(name) for name in PEOPLE}
        self.streams = streams
        self.rows = {(stream, name): self.people[name] for stream in streams for name in PEOPLE}

    def _row(self, name: str) -> dict[str, Any]:
        phone = f"4474001231{PEOPLE.index(name):02d}"
        values: dict[str, Any] = {"email": f"{name}@example.com", "phone": phone}
        for each in ("first_name", "last_name"):
            if self.random.random() < 0.9:
                values[each] = self.random.choice(VALUES)
        return values

    def a_day(self) -> list[dict[str, Any]]:
        """Return the messages of a day."""
        for stream, name in self.rows:
            chance = self.random.random()
            if chance < 0.02:  # in one stream only: it differs from the others
                self.rows[stream, name] = self._row(name)
            elif chance < 0.04:
                self.people[name] = self._row(name)
            elif chance < 0.2:
                self.rows[stream, name] = self.people[name]
        messages: list[dict[str, Any]] = []
        for stream in self.random.sample(self.streams, self.random.randint(1, len(self.streams))):
            messages.append(schema(stream, self.random.choice((PROPERTIES, SLOWLY))))
            names = self.random.sample(PEOPLE, self.random.randint(1, len(PEOPLE)))
            for name in names:
                if stream == "names" and self.random.random() < 0.05:
                    messages += gone(name, stream)
                    continue
                if self.random.random() < 0.05:
                    messages.append(record(stream, **self._row(name)))
                messages.append(record(stream, **self.rows[stream, name]))
            messages.append(state({"day": stream}))
        return messages


class Result(NamedTuple):
    """What became of some days."""

    kills: int
    unchanged: int
    """Rows that were not sent."""


def _kill(
    server: DotdigitalServer,
    config: dict[str, Any],
    folder: Path,
    messages: list[Any],
    moment: tuple[int, float],
) -> bool:
    """Start a run, and kill it some time after so many calls; return whether it was alive."""
    most = len(server.calls) + moment[0]
    with TargetProcess(config, folder, pace=PACE) as target:
        target.send_what_it_takes(*messages)
        target.close_input()
        while len(server.calls) < most and target.process.poll() is None:
            time.sleep(0.002)
        time.sleep(moment[1])
        was_alive = target.process.poll() is None
        target.process.kill()
    server.release_all()
    return was_alive


def compare(folder: Path, seed: int, streams: list[str], kill_share: float) -> Result:
    """Load some days into two accounts, and compare what is in them after each.

    Raises:
        AssertionError: It is not the same.
    """
    source = Source(seed, streams)
    kills = unchanged = 0
    wanted = {each: STREAMS[each] for each in streams}
    with ExitStack() as stack:
        whole, partly = (stack.enter_context(DotdigitalServer()) for _ in range(2))
        for day in range(8):
            messages = source.a_day()
            settings: dict[str, Any] = {"streams": wanted, "max_reject_percent": 100}
            settings["batch_size_rows"] = source.random.choice((1, 3, 1000))
            ended = load(settings_for(whole, **settings), folder, *messages, pace=PACE)
            assert ended.status == 0, ended.stderr
            settings |= {"send": "changes", "fingerprints_path": "fingerprints"}
            config = settings_for(partly, **settings)
            moment = (source.random.randint(3, 20), source.random.random() / 50)
            if source.random.random() < kill_share:
                kills += _kill(partly, config, folder, messages, moment)
            ended = load(config, folder, *messages, pace=PACE)
            assert ended.status == 0, ended.stderr
            assert partly.contents() == whole.contents(), f"day {day}"
            unchanged += sum(map(int, re.findall(r"unchanged ([0-9]+)", ended.stderr)))
    return Result(kills, unchanged)


@pytest.mark.parametrize(
    ("seed", "streams"),
    [(1, ["names"]), (2, ["same", "others"]), (3, ["names", "same"]), (4, [*STREAMS])],
    ids=["one stream", "the same field", "two address books", "another identifier"],
)
def test_the_contents_are_the_same(tmp_path: Path, seed: int, streams: list[str]) -> None:
    result = compare(tmp_path, seed, streams, kill_share=0.5)
    assert result.kills > 0
    # Streams with different match identifiers are sent whole on each day that has both.
    assert "phones" in streams or result.unchanged > 15

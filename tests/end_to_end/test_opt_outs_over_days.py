"""Opt-outs over several runs, through the real command line: no day's rows opt anybody back in.

Days are made up: streams that opt out, one that opts in, rows in any order, sent as a whole or as
changes, in imports of any size. After each day whoever a row has opted out is unsubscribed. What
was loaded proves to be there.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.target.command import load, settings_for
from tests.support.target.commands import verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

DAYS = 3
PEOPLE = "abcdef"
PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "first_name": {"type": ["string", "null"]},
    "out": {"type": ["boolean", "null"]},
}


class MadeUp:
    """Settings, and the rows of days, of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        choice = self._random.choice
        self.streams: dict[str, dict[str, Any]] = {
            "people": {
                "opt_out": {"email": "out"},
                "opt_out_new": choice(["create", "skip"]),
                **choice([{}, {"sync_mode": "mirror", "max_removal_percent": 100}]),
            },
            "others": {"opt_out": {"email": "out", "sms": "out"}, "address_book": 101},
            "buyers": {"resubscribe": choice([True, True, False]), "address_book": 101},
        }
        self.sends_changes = choice([True, True, False])
        self.size = choice([1, 3, 100])
        self._out = {(stream, name): False for stream in self.streams for name in PEOPLE}

    @property
    def opts_in(self) -> bool:
        return bool(self.streams["buyers"]["resubscribe"])

    def day(self) -> list[dict[str, Any]]:
        """Return the messages of a day: most rows are those of the day before."""
        rows = []
        for stream, name in self._out:
            if self._random.random() < 0.3:
                self._out[stream, name] = self._random.random() < 0.5
            first_name = self._random.choice(["x", "x", "x", "y"])
            out = self._out[stream, name] and stream != "buyers"
            address = f"{name}@example.com"
            rows.append(record(stream, email=address, first_name=first_name, out=out))
            if self._random.random() < 0.2:
                rows.append(record(stream, email=address.upper(), out=None))
        if self._random.random() < 0.5:
            self._random.shuffle(rows)
        else:  # stream by stream, in any order
            order = self._random.sample(sorted(self.streams), len(self.streams))
            rows.sort(key=lambda each: order.index(each["stream"]))
        return [*(schema(name, PROPERTIES) for name in self.streams), *rows, state(1)]


def opted_out(messages: list[dict[str, Any]]) -> set[str]:
    rows = [each["record"] for each in messages if each["type"] == "RECORD"]
    return {row["email"] for row in rows if row["out"]}


@pytest.mark.parametrize("seed", range(12))
def test_whoever_a_row_opts_out_ends_the_day_unsubscribed(
    server: DotdigitalServer, tmp_path: Path, seed: int
) -> None:
    made_up = MadeUp(seed)
    for name in PEOPLE[:3]:
        server.add_contact(f"{name}@example.com", lists=(101,))
    config = settings_for(server, streams=made_up.streams, batch_size_rows=made_up.size)
    if made_up.sends_changes:
        config |= {"send": "changes", "fingerprints_path": str(tmp_path / "fingerprints")}
    ever: set[str] = set()
    messages: list[dict[str, Any]] = []
    for _ in range(DAYS):
        messages = made_up.day()
        first = len(server.calls_of(IMPORT))
        ended = load(config, tmp_path, *messages)
        assert ended.status == 0, ended.stderr
        out = opted_out(messages)
        ever |= out
        for address in sorted(out if made_up.opts_in else ever):
            contact = server.contact(address)
            assert contact is None or contact.email_status == "unsubscribed", address
        # Nobody is opted in for a moment, either: nothing after the opt-out says so.
        gone: set[str] = set()
        for call in server.calls_of(IMPORT)[first:]:
            for sent in call.contacts:
                address = sent["identifiers"]["email"].lower()
                status = sent.get("channelProperties", {}).get("email", {}).get("status")
                assert status != "subscribed" or address not in gone
                if status == "unsubscribed":
                    gone.add(address)
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr

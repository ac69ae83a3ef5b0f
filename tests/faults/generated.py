"""What generated runs are made of: rows, the model of an account, and faults by name."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from typing_extensions import override

from tests.faults.input_rows import CANARY, Row, email
from tests.faults.invariants import SettledRows
from tests.support.dotdigital.account.import_report import ReportStyle
from tests.support.dotdigital.account.normal_forms import match_key
from tests.support.dotdigital.answers import (
    empty_reply,
    html_reply,
    lost_reply,
    rate_limited,
    reply,
    reset,
    reset_unread,
    too_many_active_imports,
    truncated_reply,
    usage_exceeded,
    v2_error,
    v3_error,
)
from tests.support.messages import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.dotdigital.answers import Answer, Call, Scripted
    from tests.support.dotdigital.server import DotdigitalServer

MOST_ROWS = 60
MOST_REFUSED_ROWS = 9
"""Of a person for whom Dotdigital refuses whole imports. Ten of them, each alone in its import,
look like a fault of what all imports have in common, and end the run."""

PEOPLE = range(1, 5)
STREAMS = {
    "customers": ("overwrite", 102),
    "leads": ("overwriteIfNotEmpty", 101),
    "visitors": ("overwriteIfEmpty", 102),
}
"""Merge options and address books."""

FIELDS = {"first_name": "FIRSTNAME", "last_name": "LASTNAME", "loyalty_points": "LOYALTY_POINTS"}
PROPERTIES: dict[str, Any] = {
    "row": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "last_name": {"type": ["string", "null"]},
    "loyalty_points": {"type": ["integer", "string", "null"]},
    **{f"mark_{number}": {"type": "integer"} for number in range(1, MOST_ROWS + 1)},
}
"""Each row has a mark of its own, so that every single one can be found in the account, whatever
its person's other rows do, and whatever the merge option."""

_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.lower,
    str.upper,
    str.title,
    lambda text: f"  {text}",
    lambda text: f"{text.upper()} \t",
)
_ABSENT = object()

_NO_MARKS = (_ABSENT, _ABSENT, _ABSENT, None, "", " ", False, 0)
"""What `_sdc_deleted_at` may hold in a row that is not deleted."""
_NAMES = st.sampled_from([_ABSENT, None, "", f"{CANARY} a", f"{CANARY} b", f"{CANARY} c"])


def mark(number: int) -> str:
    """Return the data field that one row alone sets."""
    return f"MARK{number}"


@dataclass(frozen=True)
class Plan:
    """What holds for a whole sequence: the account's ways, and the target's settings."""

    batch: int
    slots: int
    """Imports that the account takes at a time."""
    foreign: int
    """More, which are taken up by others."""
    polls: tuple[int, ...]
    """How many polls the imports take, in turn: so they end in another order."""
    body_bytes: int
    rejected: frozenset[int]
    """People whom Dotdigital refuses one by one."""
    refused: int | None
    """One for whom it refuses whole imports. Of two, a small import might hold nobody else."""
    style: ReportStyle
    again: bool
    """Whether everything is loaded once more in the end."""

    @property
    def blocked(self) -> frozenset[int | None]:
        return self.rejected | {self.refused}

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "batch_size_rows": self.batch,
            "max_active_imports": self.slots + 1,  # one has to wait now and then
            "max_reject_percent": 100,
            "streams": {
                name: {"merge_option": option, "address_book": book}
                for name, (option, book) in STREAMS.items()
            },
        }

    def arrange(self, server: DotdigitalServer) -> None:
        """Make the account so."""
        server.polls_to_finish = lambda each: self.polls[each.index % len(self.polls)]
        server.max_active_imports = self.slots + self.foreign
        server.foreign_imports = self.foreign
        server.max_body_bytes = self.body_bytes
        for person in self.rejected:
            server.reject(email(person))
        if self.refused is not None:
            server.refuse_request_with(email(self.refused))
        server.report_style = self.style


def plans() -> st.SearchStrategy[Plan]:
    """Everything that can hold for a sequence."""

    def with_names(plan: Plan) -> Plan:
        # By sums alone, rows of several streams cannot be told apart: that ends the run.
        names = plan.style.lists or bool(plan.rejected) or plan.style.stranger is not None
        return replace(plan, style=replace(plan.style, lists=names))

    styles = st.builds(
        ReportStyle,
        lists=st.booleans(),
        contact_ids=st.booleans(),
        codes=st.sampled_from(["camelCase", "PascalCase"]),
        emails=st.sampled_from(["sent", "lower", "untidy"]),
        repeat_failures=st.booleans(),
        stranger=st.sampled_from([None, "stranger@example.com"]),
    )
    return st.builds(
        Plan,
        batch=st.integers(1, 6),
        slots=st.integers(1, 4),
        foreign=st.integers(0, 2),
        polls=st.lists(st.integers(0, 5), min_size=1, max_size=7).map(tuple),
        body_bytes=st.sampled_from([50_000_000, 2_500]),
        rejected=st.frozensets(st.sampled_from(PEOPLE), max_size=1),
        refused=st.sampled_from([None, *PEOPLE]),
        style=styles,
        again=st.booleans(),
    ).map(with_names)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of few streams and people, so that they meet each other."""
    streams = draw(st.sets(st.sampled_from(sorted(STREAMS)), min_size=1))
    people = draw(st.sets(st.sampled_from(PEOPLE), min_size=1))
    one = _row(sorted(streams), sorted(people))
    return draw(st.lists(one, min_size=2, max_size=12))


@st.composite
def _row(draw: st.DrawFn, streams: list[str], people: list[int]) -> dict[str, Any]:
    """A row without its number: the stream, the record, and what is to become of it."""
    person = draw(st.sampled_from(people))
    values: dict[str, Any] = {
        "email": draw(st.sampled_from(_SPELLINGS))(email(person)),
        "first_name": draw(_NAMES),
        "last_name": draw(_NAMES),
        "loyalty_points": draw(st.sampled_from([_ABSENT, _ABSENT, None, 0, 1, 2])),
    }
    fate = draw(st.sampled_from(["lands"] * 7 + ["address", "type", "deleted", "mark"]))
    if fate == "lands":
        values["_sdc_deleted_at"] = draw(st.sampled_from(_NO_MARKS))
    if fate == "address":
        values["email"] = draw(st.sampled_from([None, "", "  ", CANARY, f"{CANARY}@@a.b", _ABSENT]))
    elif fate == "type":
        values["loyalty_points"] = CANARY
    elif fate == "deleted":
        values["_sdc_deleted_at"] = "2026-01-31T10:00:00Z"
    elif fate == "mark":
        values["_sdc_deleted_at"] = draw(st.sampled_from([CANARY, "null", True, 1, {}]))
    return {
        "stream": draw(st.sampled_from(streams)),
        "values": {name: value for name, value in values.items() if value is not _ABSENT},
        "person": person,
        "fate": fate,
        "state": draw(st.booleans()),
        "schema": draw(st.sampled_from([False] * 9 + [True])),
    }


def message_of(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's RECORD message."""
    return record(row["stream"], row=number, **{f"mark_{number}": 1}, **row["values"])


class Model:
    """The account as it must be in the end: every row that lands has its effect, in order.

    It holds although a run that was killed is followed by one that sends the rows after the last
    STATE again, and so a part of them twice. For one field of one person, take these rows in their
    order. If one of them sets the field whatever it held, or clears it, then what follows the last
    such row starts from the same value each time. If none does, they only fill a field that is
    empty: one that holds something keeps it, now and the second time; and an empty one gets the
    first value among them, of which the first time around can have written no other, because the
    imports of one person end in their order. Rows that lack the field change nothing, and fields
    that none of the rows has keep what was settled before the STATE.
    """

    def __init__(self, contents: dict[str, dict[str, Any]]) -> None:
        self.contents = contents

    def take(self, number: int, row: Mapping[str, Any]) -> None:
        """Take the effect of a row that lands."""
        merge_option, address_book = STREAMS[row["stream"]]
        key = email(row["person"])
        contact = self.contents.setdefault(
            key,
            {
                "identifiers": {"email": key},
                "data_fields": {},
                "lists": [],
                "email_status": "subscribed",
                "email_type": None,
                "opt_in_type": None,
                "preferences": {},
                "consent_records": [],
            },
        )
        contact["lists"] = sorted({*contact["lists"], address_book})
        fields = contact["data_fields"]
        fields[mark(number)] = 1
        for name, field in FIELDS.items():
            if name not in row["values"]:
                continue
            value = row["values"][name]
            if merge_option == "overwrite":
                fields[field] = value
                if value is None:
                    del fields[field]
            elif value not in {None, ""} and (
                merge_option == "overwriteIfNotEmpty" or fields.get(field) in {None, ""}
            ):
                fields[field] = value


class MarkedSettledRows(SettledRows):
    """A row is settled once a contact with its own mark was written, or it was rejected."""

    @override
    def _written(self) -> dict[str, int]:
        with self._server.changed:
            return {
                f"{match_key(outcome.sent).value} {name}": 1
                for each in self._server.imports[self._read_imports :]
                for outcome in each.outcomes
                if outcome.result != "failed"
                for name in outcome.sent["dataFields"]
            }

    @staticmethod
    @override
    def _is_settled(row: Row, written: dict[str, int], refused: list[int]) -> bool:
        return row.number in refused or f"{row.key} {mark(row.number)}" in written


@dataclass(frozen=True)
class Fault:
    """What the server can be told to answer once."""

    answer: Callable[[DotdigitalServer], Scripted]
    weight: int = 0
    """Of the eight tries of one call, how many it takes."""


def _unknown_import(server: DotdigitalServer) -> Scripted:
    def answer(call: Call) -> Answer:
        # It ends all the same: nobody will ask for it again once it is given up for lost.
        server.end_orphan(call.path.rpartition("/")[2])
        return v3_error(404, "contacts:importNotFound", "could not be found!")

    return answer


def _odd_status(_server: DotdigitalServer) -> Scripted:
    return lambda call: reply(
        200, {"importId": call.path.rpartition("/")[2], "status": "Hibernating"}
    )


def _always(answer: Answer, weight: int = 0) -> Fault:
    return Fault(lambda _server: answer, weight)


ANY_CALL: dict[str, Fault] = {
    "500": _always(reply(500), 1),
    "503": _always(reply(503, b"busy"), 1),
    "HTML 502": _always(html_reply(502), 1),
    "HTML 200": _always(html_reply(200), 1),
    "reset unread": _always(reset_unread(), 1),
    "reset": _always(reset(), 1),
    "cut": _always(truncated_reply(), 1),
    "429, seconds": _always(rate_limited(seconds=20)),
    "429, epoch": Fault(lambda _server: lambda _call: rate_limited(epoch=time.time() + 20)),
    "429, blind": _always(rate_limited()),
    "429, past": _always(rate_limited(epoch=1_700_000_000)),
    "capped": _always(usage_exceeded()),
}
IMPORTS: dict[str, Fault] = {
    **ANY_CALL,
    "lost reply": _always(lost_reply(), 1),
    "500 though accepted": _always(reply(500, handled=True), 1),
    "HTML though accepted": _always(html_reply(200, handled=True), 1),
    "empty though accepted": _always(empty_reply(202, handled=True), 1),
    "too many": _always(too_many_active_imports()),
    "in use": _always(v2_error(409, "Address book is in use. ERROR_ADDRESSBOOK_IN_USE"), 1),
}
POLLS: dict[str, Fault] = {
    **ANY_CALL,
    "404": Fault(_unknown_import),
    "odd word": Fault(_odd_status),
}
FATAL: dict[str, Answer] = {
    "401": reply(401),
    "403": reply(403),
    "500 for ever": reply(500),
    "HTML for ever": html_reply(200),
}
MOST_TRIES = 8

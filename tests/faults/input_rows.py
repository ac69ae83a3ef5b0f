"""What the tap sends in a fault's run, and what the account must hold in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.batches import rows_in
from tests.support.messages import record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CANARY = "kanarienvogel"
"""Part of every value of every row. It may stand in no output."""

OPTED_OUT = 3
"""The number of a person who has unsubscribed, and is in most inputs."""

SUPPRESSED = 4

ADDRESS_BOOK = 102

PROPERTIES: dict[str, Any] = {
    "row": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
}
"""`row` is the number of the row in the input, from 1. It is loaded into the data field ROW."""


def email(person: int) -> str:
    return f"{CANARY}{person}@example.com"


def row(
    number: int, person: int | None = None, stream: str = "people", **values: Any
) -> dict[str, Any]:
    """Return a RECORD message: the input's row of that number, of a person."""
    person = number if person is None else person
    told = {"email": email(person), "first_name": f"{CANARY} {number}", **values}
    return record(stream, row=number, **told)


def people(count: int, *, first: int = 1, state_each: int = 1) -> list[Any]:
    """Return an input: SCHEMA, rows of one person each, and a STATE after each `state_each`."""
    return [schema(properties=PROPERTIES), *with_states(range(first, first + count), state_each)]


def with_states(numbers: Iterable[int], state_each: int = 1) -> Iterator[Any]:
    for number in numbers:
        yield row(number)
        if number % state_each == 0:
            yield state({"row": number})


@dataclass(frozen=True)
class Row:
    number: int
    key: str
    """The normalised address; what the row holds in its place if that is none."""
    values: dict[str, Any]


def rows_of(messages: Iterable[Any]) -> list[Row]:
    """Return the rows of an input whose messages can be read."""
    found = []
    for message in messages:
        if isinstance(message, str):
            try:
                message = json.loads(message)  # noqa: PLW2901 - the same message, read
            except ValueError:
                continue
        for values in _records_of(message):
            key = str(values.get("email")).strip().lower()
            found.append(Row(values["row"], key, values))
    return found


def _records_of(message: object) -> list[dict[str, Any]]:
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(message, dict) or kind not in ("RECORD", "BATCH"):
        return []
    return [message["record"]] if kind == "RECORD" else rows_in(message)


def rest_after(messages: Iterable[Any], done: int) -> list[Any]:
    """Return what a tap sends that is started from the STATE `{"row": done}`."""
    rest = []
    for message in messages:
        records = _records_of(message)
        if records and records[-1]["row"] <= done:
            continue
        is_state = isinstance(message, dict) and message["type"] == "STATE"
        if is_state and (message["value"] or {}).get("row", 0) <= done:
            continue
        rest.append(message)
    return rest


def landed(messages: Iterable[Any], left_out: Iterable[int] = ()) -> dict[str, dict[str, Any]]:
    """Return the data fields that the input's rows must end in: the last value wins.

    Args:
        messages: The input.
        left_out: Numbers of the rows that cannot land.
    """
    contents: dict[str, dict[str, Any]] = {}
    for each in rows_of(messages):
        if each.number in left_out:
            continue
        fields = contents.setdefault(each.key, {})
        fields["ROW"] = each.number
        if "first_name" in each.values:
            name = each.values["first_name"]
            fields["FIRSTNAME"] = name
            if name is None:
                del fields["FIRSTNAME"]
    return contents

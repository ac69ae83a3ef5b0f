"""Settings, contacts and rows as the core takes them, with everything but the point left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from target_dotdigital.contacts import Contact, Row
from target_dotdigital.errors import RowRejectedError
from target_dotdigital.identifiers import normalise
from target_dotdigital.report import StreamCounts
from target_dotdigital.settings import StreamSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

PLAIN_SETTINGS = StreamSettings(
    address_book=None,
    match_identifier="email",
    identifiers=None,
    fields=None,
    merge_option="overwrite",
    email_type=None,
    email_opt_in_type=None,
    resubscribe=False,
)


def attempt(function: Callable[..., T], *arguments: object) -> T | RowRejectedError:
    """What a function returns, or how it rejects the row; any other exception is a failure."""
    try:
        return function(*arguments)
    except RowRejectedError as error:
        return error


def stream_settings(**changes: Any) -> StreamSettings:
    """A stream's settings: the defaults, and what is said to differ."""
    return replace(PLAIN_SETTINGS, **changes)


def contact(
    email: str,
    fields: Mapping[str, object] | None = None,
    *,
    others: Mapping[str, object] | None = None,
    rows: int = 1,
    **parts: object,
) -> Contact:
    """A contact that is matched by its address, as the mapping makes it."""
    identifiers: dict[str, object] = {"email": email, **(others or {})}
    body: dict[str, object] = {"matchIdentifier": "email", "identifiers": identifiers}
    if fields:
        body["dataFields"] = fields
    identities = [normalise(name, value) for name, value in identifiers.items()]
    return Contact(
        key=identities[0],
        other_identities=tuple(identities[1:]),
        body=msgspec.json.encode({**body, **parts}),
        rows=tuple(Row(StreamCounts("customers"), None, None) for _ in range(rows)),
    )


def contents(made: Contact) -> dict[str, Any]:
    """A contact's JSON, read again."""
    decoded: dict[str, Any] = msgspec.json.decode(made.body)
    return decoded

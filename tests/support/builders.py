"""Settings, contacts and rows as the core takes them, with everything but the point left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.loading.batch_size import Capacity
from target_dotdigital.loading.batching import Downstream
from target_dotdigital.mapping.contacts.contact import Contact, OwnSource, Row
from target_dotdigital.mapping.contacts.identifiers import normalise
from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
from target_dotdigital.settings.settings import StreamSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

PLAIN_SETTINGS = StreamSettings(
    address_book=None,
    address_book_property=None,
    match_identifier="email",
    identifiers=None,
    fields=None,
    merge_option="overwrite",
    email_type=None,
    email_opt_in_type=None,
    resubscribe=False,
    preferences={},
    consent=None,
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
        source=OwnSource(
            msgspec.json.encode({**body, **parts}),
            tuple(Row(StreamCounts("customers"), None, None) for _ in range(rows)),
        ),
    )


def contents(made: Contact) -> dict[str, Any]:
    """A contact's JSON, read again."""
    decoded: dict[str, Any] = msgspec.json.decode(made.body)
    return decoded


WILD_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**20, 10**40)
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(alphabet=st.characters(), max_size=20)
    | st.sampled_from(["ann@example.com", "+447700900123", "2024-02-30", "yes", "1e5", "\ud800"])
    | st.just("x" * 1001),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Whatever a tap's record may hold."""


def marked(value: object, canary: str) -> object:
    """Put a word into every text of a value."""
    if isinstance(value, str):
        return value + canary
    if isinstance(value, list):
        return [marked(item, canary) for item in value]
    if isinstance(value, dict):
        return {name: marked(item, canary) for name, item in value.items()}
    return value


def downstream(*, max_body_bytes: int = 10**6) -> Downstream:
    """Of a run in which every import goes when it is full."""
    return Downstream(
        lambda: max_body_bytes,
        lambda: Capacity(0.0, 1, may_split=False, full_import_seconds=None),
        lambda _seconds: None,
    )

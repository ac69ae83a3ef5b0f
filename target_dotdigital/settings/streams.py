"""Settings of one stream: what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.near_misses import did_you_mean
from target_dotdigital.settings.address_books import address_book_problems
from target_dotdigital.settings.names import OWN_IDENTIFIERS, is_identifier
from target_dotdigital.settings.settings import MAX_ID, REJECT_PROPERTY_PREFIX
from target_dotdigital.settings.stream_schema import CHANNELS, CONSENT_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFERENCE_ID: Final = re.compile(r"[0-9]{1,20}")


def stream_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one stream's settings.

    Args:
        name: Where they are: `streams.<name>`.
        stream: The settings.
    """
    yield from address_book_problems(f"{name}.address_book", stream.get("address_book"))
    yield from _identifier_problems(name, stream)
    yield from _field_problems(name, stream)
    yield from _consent_problems(name, stream)
    yield from _country_problems(f"{name}.mobile_country", stream.get("mobile_country"))
    for key in ("identifiers", "fields", "preferences", "consent", "opt_out"):
        for entry, path in (stream.get(key) or {}).items():
            yield from _property_problems(f"{name}.{key}.{entry}", path)
    yield from _account_only_problems(name, stream)
    yield from _opt_out_problems(name, stream)
    if (by_row := stream.get("address_book_property")) is not None:
        yield from _row_book_problems(f"{name}.address_book_property", by_row, stream)


def _identifier_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    match_identifier = stream.get("match_identifier", "email")
    identifiers = stream.get("identifiers")
    for identifier in {match_identifier, *(identifiers or {})}:
        if not is_identifier(identifier):
            yield (
                f"{name}: an identifier must be {', '.join(OWN_IDENTIFIERS)}, spelled like this, "
                "or a custom identifier's name (letters, digits, - and _, at most 50)."
                f"{did_you_mean(identifier, OWN_IDENTIFIERS)}"
            )
    if identifiers is not None and match_identifier not in identifiers:
        meant = did_you_mean(match_identifier, identifiers)
        yield f"{name}.identifiers: the match identifier is missing.{meant}"


def _field_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    count = Counter(field.lower() for field in stream.get("fields") or {})
    for field in sorted(count):
        if count[field] > 1:
            yield f"{name}.fields: '{field.upper()}' is mapped twice"


def _consent_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    preferences = stream.get("preferences") or {}
    numbers = [int(each) for each in preferences if _PREFERENCE_ID.fullmatch(each)]
    if len(numbers) < len(preferences) or any(not 0 < each <= MAX_ID for each in numbers):
        yield f"{name}.preferences: an ID must be a whole number from 1 to {MAX_ID}"
    if len(set(numbers)) < len(numbers):
        yield f"{name}.preferences: a preference is mapped twice"
    if (consent := stream.get("consent")) is not None:
        missing = [part for part in CONSENT_KEYS if part not in consent]
        if missing:
            yield f"{name}.consent: all five parts are needed. Missing: {', '.join(missing)}"


def _country_problems(name: str, country: str | None) -> Iterator[str]:
    if country is None:
        return
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a country is named

    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        yield f"{name}: must be a country's ISO 3166-1 alpha-2 code, such as GB"


def _account_only_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    if stream.get("account_only"):
        for other in ("address_book", "address_book_property"):
            if stream.get(other) is not None:
                yield f"{name}.account_only: it cannot be combined with {other}"


def _opt_out_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    if stream.get("opt_out") == {}:
        yield f"{name}.opt_out: it is empty; name a property for {', '.join(CHANNELS)}"
    if stream.get("opt_out_new") == "skip" and not stream.get("opt_out"):
        yield f"{name}.opt_out_new: without opt_out it means nothing"


def _row_book_problems(name: str, path: str, stream: Mapping[str, Any]) -> Iterator[str]:
    yield from _property_problems(name, path)
    if stream.get("address_book") is not None:
        yield f"{name}: it cannot be combined with address_book"
    if stream.get("sync_mode") == "mirror":
        yield f"{name}: it cannot be combined with sync_mode: mirror"
    if stream.get("on_delete") == "remove":
        yield f"{name}: it cannot be combined with on_delete: remove"


def _property_problems(name: str, path: str) -> Iterator[str]:
    if not path:
        yield f"{name}: the property's name is empty"
    elif path.startswith(REJECT_PROPERTY_PREFIX):
        yield f"{name}: {REJECT_PROPERTY_PREFIX}* is never sent"

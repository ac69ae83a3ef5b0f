"""Address books in the settings: which one a stream gets, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

RESERVED_ADDRESS_BOOKS = frozenset({"all contacts", "test"})
"""Dotdigital keeps these two for itself: the first cannot be joined, the second holds 200."""

MAX_ADDRESS_BOOK_NAME = 128

NO_ADDRESS_BOOK: Final = (
    "it has no address book. Set address_book, or account_only: true to load contacts into none"
)

_BOOK_KEYS: Final = ("address_book", "address_book_property", "account_only", "skip")
"""Settings that decide whether a stream needs an address book, and which."""


def address_book_setting(
    stream: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[str | int | None, bool]:
    """Return a stream's address book, and whether its contacts are to be in none.

    The stream's settings go before those of the top level.

    Args:
        stream: The stream's settings.
        config: The plugin's configuration.
    """
    if stream.get("account_only"):
        return None, True
    if stream.get("address_book_property") is not None:
        return None, False
    if (own := stream.get("address_book")) is not None:
        return own, False
    if stream.get("account_only", config.get("account_only")):
        return None, True
    return config.get("address_book"), False


def address_book_key(address_book: str | int) -> str | int:
    """Return an ID as a number, however it is written, and a name as it is.

    Args:
        address_book: What the settings name.
    """
    text = str(address_book).strip()
    # Twenty digits are no ID any more; Python would refuse thousands of them.
    return int(text[:20]) if text.isascii() and text.isdigit() else text


def address_book_name_problem(name: str) -> str | None:
    """Return why an address book that contacts may join cannot have a name, or None if it can.

    Args:
        name: The name, without blanks around it.
    """
    if name.lower() in RESERVED_ADDRESS_BOOKS:
        return "Dotdigital reserves this name"
    if len(name) > MAX_ADDRESS_BOOK_NAME:
        return f"a name has at most {MAX_ADDRESS_BOOK_NAME} characters"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "a name must be valid Unicode (this one holds half a surrogate pair)"
    return None


def address_book_problems(name: str, value: str | int | None) -> Iterator[str]:
    """Yield what is wrong with a setting that names an address book.

    Args:
        name: The setting.
        value: Its value.
    """
    if isinstance(value, int) and value <= 0:
        yield f"{name}: an ID must be positive"
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, str) and not text:
        yield f"{name}: it is empty. Name an address book, or leave it out"
    # An ID may be written with any number of digits.
    if text and not (text.isascii() and text.isdigit()):
        problem = address_book_name_problem(text)
        if problem is not None:
            yield f"{name}: {problem}"


def loading_problems(
    config: Mapping[str, Any], wrong: Collection[tuple[str | int, ...]]
) -> Iterator[str]:
    """Yield why nothing would be loaded, or contacts into no address book.

    Args:
        config: The plugin's configuration, without settings of a wrong type.
        wrong: Where those are: what they should have said is not known.
    """
    streams = config.get("streams")
    if streams is None:
        return
    if not streams and not any(path[0] == "streams" for path in wrong):
        yield (
            "streams: it is empty, so nothing was loaded. Name the streams to load, or leave it "
            "out. In TARGET_DOTDIGITAL_STREAMS, Meltano drops a stream whose name has a dot: write "
            r"public\\.customers there"
        )
    if streams and all(stream.get("skip") for stream in streams.values()):
        yield "streams: each has skip: true, so nothing was loaded. Name one to load"
    wrong_keys = {(path[1] if len(path) > 1 else None, path[-1]) for path in wrong if path}
    for name, stream in streams.items():
        address_book, account_only = address_book_setting(stream, config)
        is_said = address_book is not None or account_only or stream.get("skip")
        is_unclear = any((each, key) in wrong_keys for each in (name, None) for key in _BOOK_KEYS)
        by_row = stream.get("address_book_property") is not None
        if not (is_said or by_row or is_unclear):
            yield f"streams.{name}: {NO_ADDRESS_BOOK}"


def leaving_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the settings by which contacts leave address books.

    Args:
        config: The plugin's configuration.
    """
    mirrors: dict[str | int, list[str]] = {}
    for name, settings in (config.get("streams") or {}).items():
        if settings.get("skip"):
            continue
        address_book, _ = address_book_setting(settings, config)
        is_mirror = settings.get("sync_mode") == "mirror"
        if not address_book:
            if is_mirror:
                yield f"streams.{name}.sync_mode: a mirror needs an address_book"
            if settings.get("on_delete") == "remove":
                yield f"streams.{name}.on_delete: remove needs an address_book"
        elif is_mirror:
            mirrors.setdefault(address_book_key(address_book), []).append(name)
        if settings.get("mirror_shared") and not is_mirror:
            yield f"streams.{name}.mirror_shared: it needs sync_mode: mirror"
    for names in mirrors.values():
        shared = [config["streams"][name].get("mirror_shared", False) for name in names]
        if len(names) > 1 and not all(shared):
            yield (
                f"streams.{', streams.'.join(names)}: they mirror the same address book, and would "
                "remove each other's contacts. To keep all contacts, set mirror_shared: true for "
                "each"
            )


def address_book_label(address_book_id: int, name: str | None = None) -> str:
    """Return what messages call an address book: its name, and its ID in brackets.

    Args:
        address_book_id: Its ID.
        name: Its name; None if that is not known, or is the value of a record.
    """
    if name is None:
        return f"address book {address_book_id}"
    return f"address book '{name}' ({address_book_id})"


def gone_message(label: str) -> str:
    """Return the message that an address book was deleted since the run began.

    Args:
        label: What messages call it.
    """
    return f"{label[0].upper()}{label[1:]} no longer exists. Create it again, or name another one"

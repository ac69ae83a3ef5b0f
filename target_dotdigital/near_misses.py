"""Near misses: which known name is meant by one that is not known."""

from __future__ import annotations

import re
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_RATIO: Final = 0.75
"""How alike two names are, by `difflib`, for one to be proposed in place of the other."""

MIN_LETTERS: Final = 3
"""Names that are shorter are too easily one letter apart: `a` and `b`."""

MIN_LETTERS_FOR_TWO: Final = 8
"""From this length on, names that differ in two letters are near."""

_SEPARATORS: Final = re.compile(r"[-._/]+")
_SCHEMA_SEPARATORS: Final = re.compile(r"[-./]")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a sentence that proposes the known name that is meant, to be put after a message.

    Args:
        name: A name that is not known.
        known: The names that are.

    Returns:
        A blank and the sentence. An empty text if no known name is like it. The sentence holds the
        known name only: what is not known may be a password in the wrong place.
    """
    found = nearest(name, known)
    return "" if found is None else f" Did you mean '{found}'?"


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that is most like another one, or None if none is alike.

    Args:
        name: A name that is not known.
        known: The names that are.
    """
    if not isinstance(name, str) or not name.strip():
        return None
    others = [each for each in dict.fromkeys(known) if each != name]
    if near := nearly_equal(name, others):
        return near
    folded: dict[str, str] = {}
    for each in others:
        folded.setdefault(each.casefold(), each)
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=MIN_RATIO)
    return folded[close[0]] if close else None


def nearly_equal(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that another one nearly is, or None.

    Nearly: they differ in case or separators alone, or in a letter or two.

    Args:
        name: A name that is not known.
        known: The names that are.
    """
    near = [(_distance(name, each), each) for each in known if each != name]
    found = [(distance, each) for distance, each in near if distance is not None]
    return min(found)[1] if found else None


def nearly_equal_stream(name: str, known: Iterable[str]) -> str | None:
    """Return the known stream that another one nearly is, or None.

    Taps put the schema in front of a table's name, or do not: `shop-customers`, `customers`.

    Args:
        name: A stream that is not known.
        known: The streams that are.
    """
    names = list(known)
    found = nearly_equal(name, names)
    if found is not None:
        return found
    return next((each for each in names if _is_end(each, name) or _is_end(name, each)), None)


def _distance(name: str, other: str) -> int | None:
    """Return how far two names are apart; None if they are clearly two names."""
    if name.casefold().strip() == other.casefold().strip():
        return 0
    one, two = _joined(name), _joined(other)
    if one and one == two:
        return 1
    numbers, others = re.findall(r"\d+", name), re.findall(r"\d+", other)
    if numbers and others and numbers != others:
        return None  # `orders_2023` and `orders_2024` are two on purpose
    shorter = min(len(one), len(two))
    allowed = 0 if shorter < MIN_LETTERS else 1 if shorter < MIN_LETTERS_FOR_TWO else 2
    apart = _letters_apart(one, two) if abs(len(one) - len(two)) <= allowed else allowed + 1
    return apart + 1 if apart <= allowed else None


def _letters_apart(one: str, two: str) -> int:
    """Return in how many letters two names differ; two that have changed places count as one."""
    if len(one) == len(two):
        places = [place for place, letter in enumerate(one) if letter != two[place]]
        swapped = [one[place] for place in places] == [two[place] for place in reversed(places)]
        if len(places) == 2 and places[1] - places[0] == 1 and swapped:  # noqa: PLR2004
            return 1
    changes = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    return sum(
        max(end - start, other_end - other_start)
        for kind, start, end, other_start, other_end in changes
        if kind != "equal"
    )


def _joined(name: str) -> str:
    """Return a name without case, blanks and separators."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _is_end(end: str, whole: str) -> bool:
    """Return whether a name is another one with a schema in front of it."""
    if not _SCHEMA_SEPARATORS.search(whole):
        return False  # `items` and `order_items` are two on purpose
    parts = _SEPARATORS.split(whole.casefold())
    wanted = _joined(end)
    ends = ("".join(parts[start:]) for start in range(1, len(parts)))
    return bool(wanted) and any(_joined(each) == wanted for each in ends)

"""Rejected rows in groups of the same stream, code, property and rule, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from target_dotdigital.loading.settlement.reject_codes import reason_in_words
from target_dotdigital.mapping import rows_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_dotdigital.mapping import RejectGroup, StreamCounts

MAX_LISTED_GROUPS: Final = 10
"""Groups that a run's end tells one by one."""


class CountedGroup(NamedTuple):
    """A group of a stream's rejected rows."""

    stream: str
    group: RejectGroup
    rows: int


def groups_of(streams: Collection[StreamCounts]) -> list[CountedGroup]:
    """Return the groups of rejected rows, the largest first.

    Args:
        streams: The streams.
    """
    found = [
        CountedGroup(counts.stream, group, rows)
        for counts in streams
        for group, rows in counts.reject_groups.items()
    ]
    return sorted(found, key=lambda each: (-each.rows, each.stream, *map(str, each.group)))


def reject_lines(streams: Collection[StreamCounts], *, are_kept: bool) -> Iterator[str]:
    """Yield what is told of rejected rows when a run ends; nothing if there are none.

    Args:
        streams: The streams.
        are_kept: Whether `rejects_path` is set.
    """
    groups = groups_of(streams)
    if not groups:
        return
    rejected = sum(each.rows for each in groups)
    read = sum(each.read for each in streams)
    # One reject of a million rows is not 0 %.
    share = max(0.1, round(100 * rejected / read, 1))
    line = f"{rejected} of {read} rows ({share:g} %) are rejected"
    yield line if are_kept else f"{line}. To keep such rows, set rejects_path"
    for stream, group, rows in groups[:MAX_LISTED_GROUPS]:
        words = reason_in_words(group.code, group.rule, rows)
        yield f"Rejected in stream {stream!r}: {rows} {words} ({_described(group)})"
    if rest := groups[MAX_LISTED_GROUPS:]:
        rows = sum(each.rows for each in rest)
        yield f"Rejected in {len(rest)} smaller groups: {rows_in_words(rows)}"


def _described(group: RejectGroup) -> str:
    """Return what rejected rows have in common; names are quoted, whatever characters they have."""
    told = group.code
    if group.property is not None:
        told += f", property {group.property!r}"
    return told if group.rule is None else f"{told}, rule {group.rule!r}"

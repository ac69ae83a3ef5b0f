"""What a report holds, as it stands in its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.dry_run import Plan
    from target_dotdigital.report.course import TimelineReport

VERSION: Final = 1
"""Of the report's shape. It grows when something is renamed or dropped."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended."""

    status: Literal["succeeded", "failed", "stopped"]
    reason: str | None = None
    """The line that it ended with; None for a success."""


class RejectedRows(msgspec.Struct, frozen=True):
    """Rejected rows that have code, property and rule in common."""

    code: str
    property: str | None
    rule: str | None
    rows: int


class StreamReport(msgspec.Struct, frozen=True):
    """What became of a stream's rows."""

    stream: str
    read: int
    imported: int
    new: int
    """Of the imported rows: those whose contact was new to the account, as far as it is told."""
    updated: int
    """Of the imported rows: those whose contact was in the account, as far as it is told."""
    rejected: dict[str, int]
    collapsed: int
    skipped: int
    left: int
    deleted: int
    not_there: int
    unsettled: int
    imported_in_part: dict[str, int]
    reject_groups: list[RejectedRows]
    """The largest first."""
    rounded: dict[str, int]
    """Rows of which a number lost decimals, by data field."""


class StreamPlan(msgspec.Struct, frozen=True):
    """What would become of a stream's rows."""

    stream: str
    read: int
    valid: int
    """Those that would be sent."""
    rejected: dict[str, int]
    collapsed: int
    skipped: int
    would_leave: int
    """Of the skipped rows: those that are marked as deleted, to leave the address book."""
    would_be_deleted: int
    """The same, to be deleted from the account."""
    unsettled: int
    reject_groups: list[RejectedRows]
    """The largest first."""
    rounded: dict[str, int]
    """Rows of which a number would lose decimals, by data field."""


class MirrorReport(msgspec.Struct, frozen=True):
    """What a mirror did to its address book."""

    address_book: int
    streams: list[str]
    to_leave: int
    left: int
    undo_file: str | None


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `report_path` holds."""

    version: int
    kind: Literal["run", "plan"]
    target: str
    started: str
    ended: str
    outcome: Outcome
    streams: list[StreamReport] | list[StreamPlan]
    host: str | None
    """What was called; None if nothing was."""
    versions: dict[str, str]
    settings: dict[str, Any]
    """The target's own, without credentials, and without what could hold some."""
    timeline: TimelineReport
    mirrors: list[MirrorReport] | None = None
    plan: Plan | None = None

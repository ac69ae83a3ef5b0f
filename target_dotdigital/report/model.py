"""The report as plain data, as it stands in the JSON that `report.schema.json` describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.dry_run import Plan

VERSION: Final = 1
"""Of the report's shape. It grows when something is renamed or dropped."""


Destination = Literal["address_book", "address_books_of_rows", "account"]


RunStatus = Literal["succeeded", "failed", "stopped"]


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended."""

    status: RunStatus
    reason: str | None = None
    """The line that it ended with; None for a success."""

    @classmethod
    def of(cls, reason: str | None, signal: str | None, *, has_failed: bool) -> Outcome:
        """Return how a run ended.

        Args:
            reason: What it failed of, in a line.
            signal: The signal that stopped it.
            has_failed: Whether it did not end well, for whatever reason.
        """
        if signal is None:
            return cls("failed" if has_failed else "succeeded", reason)
        stopped = f"stopped by {signal}"
        return cls("stopped", stopped if reason is None else f"{stopped}; {reason}")


class RejectedRows(msgspec.Struct, frozen=True):
    """Rejected rows that have code, property and rule in common."""

    code: str
    property: str | None
    rule: str | None
    rows: int


class StreamRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a stream, whether they were loaded or a dry run has looked at them."""

    stream: str
    read: int
    rejected: dict[str, int]
    collapsed: int
    skipped: int
    filtered: int
    """Of the skipped rows: those that a stream map filtered out."""
    ignored_deletions: int
    """Of the skipped rows: those marked as deleted, which `on_delete: ignore` leaves alone."""
    not_loaded: int
    """Of the skipped rows: those of a stream that is not loaded."""
    not_loaded_because: str | None
    """Why it is not loaded; None if it is, or is left out on purpose."""
    loaded_into: Destination | None
    """Where its contacts go; None if it is not loaded."""
    unchanged: int
    """Those whose contact was last settled as it is, so that nothing had to be sent."""
    unsettled: int
    reject_groups: list[RejectedRows]
    """The largest first."""
    rounded: dict[str, int]
    """Rows of which a number lost decimals, or would, by data field."""
    opted_out: dict[str, int]
    """Rows that opt out, by channel."""
    opted_out_new: int
    """Of the skipped rows: those of people who have opted out and are not created."""

    @property
    def missing(self) -> int:
        """Rows that did not arrive, and are not left out on purpose."""
        not_loaded = 0 if self.not_loaded_because is None else self.not_loaded
        return sum(self.rejected.values()) + self.unsettled + not_loaded


class StreamReport(StreamRows, frozen=True, kw_only=True):
    """What became of a stream's rows."""

    imported: int
    new: int
    """Of the imported rows: those whose contact was new to the account, as far as it is told."""
    updated: int
    """Of the imported rows: those whose contact was in the account, as far as it is told."""
    left: int
    deleted: int
    not_there: int
    imported_in_part: dict[str, int]


class StreamPlan(StreamRows, frozen=True, kw_only=True):
    """What would become of a stream's rows."""

    valid: int
    """Those that would be sent."""
    would_leave: int
    """Of the skipped rows: those that are marked as deleted, to leave the address book."""
    would_be_deleted: int
    """The same, to be deleted from the account."""


class ProgressReport(msgspec.Struct, frozen=True):
    """How far the rows of all streams were."""

    at: float
    read: int
    settled: int
    rejected: int
    active: int


class JobReport(msgspec.Struct, frozen=True):
    """An import, a removal or a deletion."""

    kind: str
    id: str | None
    """Dotdigital's newest ID; None if it did not take the job."""
    earlier_ids: list[str]
    """Those of jobs that came to nothing, so that it was sent again."""
    outcome: str
    contacts: int
    requested: float
    accepted: float | None
    started: float | None
    ended: float | None
    imported: int
    new: int
    updated: int
    departed: int
    rejected: dict[str, int]


class JobsReport(msgspec.Struct, frozen=True):
    """All jobs, or a sample of them."""

    count: int
    every: int
    """1 if all are listed; else every so-manieth is, and those that did not go as they should."""
    listed: list[JobReport]


class WaitReport(msgspec.Struct, frozen=True):
    """A time in which something was held back."""

    start: float
    end: float


class WaitsReport(msgspec.Struct, frozen=True):
    """The waits of one reason and route."""

    reason: str
    what: str
    count: int
    seconds: float
    every: int
    listed: list[WaitReport]


class StateReport(msgspec.Struct, frozen=True):
    """A STATE that was printed."""

    at: float
    row: int


class StatesReport(msgspec.Struct, frozen=True):
    """The STATE values that were printed."""

    count: int
    every: int
    last: StateReport | None
    listed: list[StateReport]


class TimelineReport(msgspec.Struct, frozen=True):
    """What happened when. Times are seconds from the run's start."""

    seconds: float
    progress: list[ProgressReport]
    jobs: JobsReport
    waits: list[WaitsReport]
    states: StatesReport


class MirrorReport(msgspec.Struct, frozen=True):
    """What a mirror did to its address book."""

    address_book: int
    streams: list[str]
    to_leave: int
    left: int
    undo_file: str | None


class AddressBookReport(msgspec.Struct, frozen=True):
    """An address book that streams are loaded into, and how many contacts it has."""

    id: int | None
    """None if a dry run only plans it."""
    name: str | None
    """None if rows alone name it."""
    streams: list[str]
    before: int | None
    """When the run began; None if that is not known."""
    now: int | None
    """After the run; None if that is not known, or in a dry run."""
    arrived: int | None = None
    """Rows of its streams that arrived, or would. This and what follows is None where the rows of
    a stream name several address books: then each row counts for its stream alone."""
    missing: int | None = None
    """Rows that did not arrive, and are not left out on purpose."""
    left: int | None = None
    """People who left, for a mark in their row or because of a mirror; or would."""
    unchanged: int | None = None
    """Rows for which nothing had to be sent."""


class Totals(msgspec.Struct, frozen=True):
    """Rows of all streams: read = arrived + joined + missing + left_out + unchanged."""

    read: int
    arrived: int
    """Those that were imported; in a dry run, those that would be sent."""
    joined: int
    """Those that were joined with a later row of the same contact."""
    missing: int
    """Rejected or unsettled ones, and those of streams that are not loaded, but for those that are
    left out on purpose."""
    left_out: int
    """Those that leave, or are left out on purpose."""
    unchanged: int = 0
    """Those that are as they were last loaded, so that nothing had to be sent."""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `report_path` holds."""

    version: int
    status: RunStatus
    """The same as in `outcome`, for programs."""
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
    totals: Totals
    address_books: list[AddressBookReport]
    mirrors: list[MirrorReport] | None = None
    plan: Plan | None = None


class ListedRun(msgspec.Struct):
    """What the index of a folder says of a run: a part of its report."""

    kind: Literal["run", "plan"]
    started: str
    outcome: Outcome
    totals: Totals
    address_books: list[AddressBookReport]
    page: str = ""
    """The name of its page."""

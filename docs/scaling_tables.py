"""Tables of docs/performance.md: what an account's limits allow, computed from what is public.

    uv run python docs/scaling_tables.py

Writes them into the page, which has a mark before and after each. Sources of the numbers: the
modules that they are imported from.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from target_dotdigital.dry_run import call_estimate as pace
from target_dotdigital.loading.imports import MAX_BODY_BYTES
from target_dotdigital.sandbox.faults import FLAT_CALLS, FLAT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAGE: Final = Path(__file__).with_name("performance.md")

DAY_SECONDS: Final = 86_400
CALLS_OF_THE_QUICKEST_IMPORT: Final = 2
"""It is sent, and has ended when it is asked for the first time."""

DEFAULT_BATCH: Final = 10_000
DEFAULT_ACTIVE: Final = 20
ACCOUNT_SLOTS: Final = 25

_BATCHES: Final = (1_000, 5_000, DEFAULT_BATCH, 50_000)
_LOADS: Final = (100_000, 1_000_000, 10_000_000, 100_000_000)
_TAP_PACES: Final = (50, 200, 1_000, 5_000, 20_000)
_CONTACT_BYTES: Final = (200, 500, 2_000)


def rows_a_day_by_tier(batch: int, low_calls_a_minute: int = pace.LOW_CALLS_A_MINUTE) -> int:
    """Return what the low tier lets in: each import is one call of it.

    Args:
        batch: Contacts in an import.
        low_calls_a_minute: The account's limit.
    """
    return low_calls_a_minute * (DAY_SECONDS // 60) * batch


def rows_a_day_by_flat_limit(batch: int, calls_an_import: int) -> int:
    """Return what the older limit lets in, which counts all calls alike.

    Args:
        batch: Contacts in an import.
        calls_an_import: Calls that one takes: it is sent, and asked for until it has ended.
    """
    return int(FLAT_CALLS * DAY_SECONDS / FLAT_SECONDS) // calls_an_import * batch


def runs_that_help(tap_pace: float, account_pace: float) -> int:
    """Return how many runs side by side the account keeps up with.

    Args:
        tap_pace: Rows a second that one tap reads.
        account_pace: Contacts a second that the account takes.
    """
    # Each run needs an import slot at least.
    return min(math.ceil(account_pace / tap_pace), DEFAULT_ACTIVE)


def active_import_bytes(batch: int, contact_bytes: int) -> int:
    """Return the JSON that runs keep until its imports are settled, however many runs they are.

    Args:
        batch: Contacts in an import.
        contact_bytes: The JSON of a contact.
    """
    return DEFAULT_ACTIVE * batch * contact_bytes


def call_limits() -> list[str]:
    """Return the table of what the call limits allow."""
    heads = (
        "Contacts in an import",
        "Bytes a contact may have",
        f"Basic package, {pace.LOW_CALLS_A_MINUTE} low calls a minute",
        f"older limit, {FLAT_CALLS:,} calls an hour, {CALLS_OF_THE_QUICKEST_IMPORT} an import",
    )
    rows = [
        (
            f"{batch:,}",
            f"{MAX_BODY_BYTES // batch:,}",
            _millions(rows_a_day_by_tier(batch)),
            _millions(rows_a_day_by_flat_limit(batch, CALLS_OF_THE_QUICKEST_IMPORT)),
        )
        for batch in _BATCHES
    ]
    return _table(heads, rows)


def load_times() -> list[str]:
    """Return the table of how long a load takes at Dotdigital."""
    heads = ("Rows", "Imports", "at least", "at most")
    rows = []
    for load in _LOADS:
        imports = math.ceil(load / DEFAULT_BATCH)
        seconds = pace.seconds_of_imports(load, imports, DEFAULT_ACTIVE)
        rows.append((f"{load:,}", f"{imports:,}", _time(seconds.at_least), _time(seconds.at_most)))
    return _table(heads, rows)


def runs() -> list[str]:
    """Return the table of how many runs side by side help."""
    slowest, quickest = pace.CONTACTS_A_SECOND, pace.CONTACTS_A_SECOND * DEFAULT_ACTIVE
    heads = (
        "Rows a second that one tap reads",
        f"if the account takes {slowest:,.0f} a second",
        f"if it takes {quickest:,.0f} a second",
    )
    return _table(
        heads,
        [
            (f"{tap:,}", str(runs_that_help(tap, slowest)), str(runs_that_help(tap, quickest)))
            for tap in _TAP_PACES
        ],
    )


def memory() -> list[str]:
    """Return the table of what active imports take."""
    heads = ("Contacts in an import", *(f"{size:,} bytes a contact" for size in _CONTACT_BYTES))
    return _table(
        heads,
        [
            (
                f"{batch:,}",
                *(f"{active_import_bytes(batch, size) // 10**6:,} MB" for size in _CONTACT_BYTES),
            )
            for batch in _BATCHES
        ],
    )


TABLES: Final[Mapping[str, Callable[[], list[str]]]] = {
    "call limits": call_limits,
    "load times": load_times,
    "taps": runs,
    "memory": memory,
}


def with_tables(page: str) -> str:
    """Return the page's text with the tables as they are now.

    Args:
        page: Its text.

    Raises:
        ValueError: A table's marks are missing.
    """
    for name, table in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", re.DOTALL)
        text = "".join(f"{line}\n" for line in table())
        page, found = pattern.subn(lambda marks, text=text: marks[1] + text + marks[2], page)  # type: ignore[misc] # mypy cannot infer a lambda with a default
        if found != 1:
            raise ValueError(f"the page has no marks, or more than one pair, of {name!r}")
    return page


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---:"] * len(heads), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _millions(rows: int) -> str:
    return f"{rows / 10**6:,.0f} million"


def _time(seconds: int) -> str:
    for size, name in ((DAY_SECONDS, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {name}"
    return f"{seconds} s"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

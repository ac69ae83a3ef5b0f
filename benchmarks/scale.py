"""Ten thousand to five million rows: time must grow linearly, and memory stay flat.

    uv run python -m benchmarks.scale

Each number of rows is loaded twice: for its time from a server that accepts at once, and for its
peak memory from one that holds 20 imports active. Ends with status 1 if either is not as it must.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks import throughput
from benchmarks.throughput import Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
ACTIVE_IMPORTS = 20
MAX_BENT_PERCENT = 10.0
"""How far the pace of the last rows may be below that of those before."""

MAX_GROWTH_PERCENT = 10.0
"""By how much more memory the most rows may take than those before."""


@dataclass(frozen=True)
class Size:
    """What one number of rows took.

    Attributes:
        rows: How many rows.
        seconds: Wall time, with the start.
        peak_megabytes: The most memory, with imports held active.
        most_active: How many of them there were at a time.
    """

    rows: int
    seconds: float
    peak_megabytes: float
    most_active: int


@dataclass(frozen=True)
class Scale:
    """What each number of rows took, the fewest first."""

    sizes: tuple[Size, ...]

    def paces(self) -> list[float]:
        """Return the rows a second that each size adds to the one before: without the start."""
        return [
            (more.rows - less.rows) / max(more.seconds - less.seconds, 1e-9)
            for less, more in pairwise(self.sizes)
        ]

    @property
    def bent_percent(self) -> float:
        """How much slower the last rows went than those before: 0 is linear, less is quicker."""
        before, last = self.paces()[-2:]
        return (before / last - 1) * 100

    @property
    def growth_percent(self) -> float:
        """How much more memory the last size took than the one before."""
        before, last = self.sizes[-2:]
        return (last.peak_megabytes / before.peak_megabytes - 1) * 100


def measure(sizes: Sequence[int] = SIZES) -> Scale:
    """Load each number of rows twice.

    Args:
        sizes: At least three numbers of rows, the smallest first.

    Raises:
        RunError: A run has failed.
    """
    return Scale(tuple(map(_measure_size, sizes)))


def _measure_size(rows: int) -> Size:
    quick = throughput.measure(rows)
    held = throughput.measure(rows, Variant(active=ACTIVE_IMPORTS))
    return Size(rows, quick.seconds, held.peak_megabytes, held.most_active)


def main() -> int:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    found = measure(parser.parse_args().sizes)
    print(f"{'rows':>12}{'seconds':>10}{'added, rows/s':>16}{'peak, MB':>10}{'active':>8}")
    for size, pace in zip(found.sizes, [None, *found.paces()], strict=True):
        shown = "" if pace is None else f"{pace:,.0f}"
        print(
            f"{size.rows:>12,}{size.seconds:>10.2f}{shown:>16}"
            f"{size.peak_megabytes:>10.0f}{size.most_active:>8}"
        )
    is_linear = found.bent_percent <= MAX_BENT_PERCENT
    is_flat = found.growth_percent <= MAX_GROWTH_PERCENT
    print(f"the last rows go {found.bent_percent:+.1f} % slower: linear: {is_linear}")
    print(f"the last rows take {found.growth_percent:+.1f} % more memory: flat: {is_flat}")
    return 0 if is_linear and is_flat else 1


if __name__ == "__main__":
    sys.exit(main())

"""Every benchmark: a row for each feature, and `docs/performance.md` from what they find.

    uv run python -m benchmarks.all
    uv run python -m benchmarks.all plain mirror --rows 100000 --pairs 1

Each load comes right after one of the bare loop over the same rows, and features take turns, so
that a noisy moment of the machine hits more than one. Prints the figures, and ends with status 1 if
something is not as it must be. The page is written if everything was measured. Every figure is kept
as JSON, also of a run that is broken off; `--from` tells of such a file again.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks import customers, measure, page, schedule
from benchmarks.features import FEATURES
from benchmarks.processes import RunError
from benchmarks.results import Results, Row, this_machine, unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS: Final = Path(__file__).parent.parent / "docs"
OTHERS: Final = ("limit", "stock", "start", "schedule")
"""What is measured beside the features."""


def measured(given: argparse.Namespace) -> Results:
    """Measure what is asked for, in turns, and keep what was found after each round.

    Args:
        given: The command line's arguments.
    """
    kept = given.results or customers.file_of(given.rows).with_name("results.json")
    names = given.names or [*FEATURES, *OTHERS]
    found = Results(this_machine(), given.rows)
    turns: dict[str, Callable[[], object]] = {
        "limit": partial(_measure_limit, found),
        "stock": partial(_measure_stock, found, given.stock_rows),
    }
    for name in names:
        if name in FEATURES:
            found.features[name] = Row(given.rows * FEATURES[name].size)
            turns[name] = partial(_measure_feature, name, found.features[name])
    for number in range(1, given.pairs + 1):
        print(f"round {number} of {given.pairs}", flush=True)
        for name in names:
            if name in turns:
                turns[name]()
                print(f"  {name}", flush=True)
        _keep(found, kept)
    if "start" in names:
        for _ in range(given.starts):
            found.starts += measure.starts()
        _keep(found, kept)
    if "schedule" in names and given.schedules:
        # Last: its server is in this process, whose memory counts in that of the others.
        one_by_one = schedule.measure_one_by_one()
        for _ in range(given.schedules):
            found.schedule.append(schedule.measure(given.schedule_rows, one_by_one=one_by_one))
        _keep(found, kept)
    print(f"every figure is in {kept}")
    return found


def _keep(found: Results, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def _measure_feature(name: str, row: Row) -> None:
    if row.failure is None:
        try:
            row.runs.append(measure.load(FEATURES[name], row.rows))
        except RunError as error:
            row.failure = str(error)
            print(f"{name}: {error}", file=sys.stderr)


def _measure_limit(found: Results) -> None:
    source = customers.file_of(found.rows)
    found.typed_limit.append(measure.limit(source, found.rows, typed=True).seconds)


def _measure_stock(found: Results, rows: int) -> None:
    found.stock.append(measure.stock(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, tell, write the page if it is all, and return the exit status.

    Args:
        arguments: The command line's, by default.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [*FEATURES, *OTHERS]
    parser.add_argument("names", nargs="*", help=f"all by default: {', '.join(known)}")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5, help="loads of each feature")
    parser.add_argument("--stock-rows", type=int, default=100_000, help="of the SDK's target")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--schedule-rows", type=int, default=schedule.ROWS)
    parser.add_argument("--schedules", type=int, default=3, help="loads, eight minutes each")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page is written")
    parser.add_argument("--results", type=Path, help="where every figure is kept, as JSON")
    parser.add_argument("--from", type=Path, dest="source", help="tell of such a file, and measure")
    given = parser.parse_args(arguments)
    if unknown := sorted({*given.names} - {*known}):
        parser.error(f"not known: {', '.join(unknown)}")
    if given.source is not None:
        results = msgspec.json.decode(given.source.read_bytes(), type=Results)
    else:
        results = measured(given)
    print(page.tables(results))
    if not given.names:
        page.write(results, given.docs)
    missed = list(unmet(results))
    for each in missed:
        print(f"not met: {each}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every benchmark, and the figures in `docs/performance.md` from what they find.

    uv run python -m benchmarks.all

Takes about a quarter of an hour on a quiet machine. The benchmarks take turns, so that a noisy
moment hits more than one. Prints what must hold, and ends with status 1 if it does not. Every
figure is kept as JSON beside the rows, among the temporary files; `--from` writes the page again
from such a file.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from benchmarks import customers, limit, page, scale, schedule, template, throughput
from benchmarks.results import Results, bounds, this_machine
from benchmarks.throughput import Throughput, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.limit import Limit
    from benchmarks.scale import Scale
    from benchmarks.template import Template

DOCS = Path(__file__).parent.parent / "docs"
ACTIVE_IMPORTS = scale.ACTIVE_IMPORTS

VARIANTS = {
    "rejects": Variant(rejects=True),
    "lists": Variant(lists=True),
    "stream_maps": Variant(stream_maps=True),
    "held": Variant(active=ACTIVE_IMPORTS),
    "held_rejects": Variant(active=ACTIVE_IMPORTS, rejects=True),
}
"""What is measured beside the plain target, by its name in the results."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often.

    Attributes:
        runs: Of each benchmark.
        rows: Of each run.
        template_rows: Of the stock target, which is slow.
        sizes: The numbers of rows that are gone through.
        scale_runs: How often they are.
        schedule_rows: Of a load at Dotdigital's pace.
        schedule_runs: How often that is measured.
    """

    runs: int
    rows: int
    template_rows: int
    sizes: tuple[int, ...]
    scale_runs: int
    schedule_rows: int
    schedule_runs: int


@dataclass
class _Found:
    """What has been found so far."""

    limit: list[Limit] = field(default_factory=list)
    typed_limit: list[Limit] = field(default_factory=list)
    plain: list[Throughput] = field(default_factory=list)
    variants: dict[str, list[Throughput]] = field(
        default_factory=lambda: {name: [] for name in VARIANTS}
    )
    template: list[Template] = field(default_factory=list)
    scale: list[Scale] = field(default_factory=list)


def measure(plan: Plan) -> Results:
    """Run everything in turns.

    Args:
        plan: What, and how often.

    Raises:
        RunError: A run has failed.
    """
    for rows in {plan.rows, plan.template_rows, template.START_ROWS, *plan.sizes}:
        customers.file_of(rows)  # so that nobody's time is spent on it
    found = _Found()
    for number in range(1, plan.runs + 1):
        print(f"round {number} of {plan.runs}", flush=True)
        _measure_round(plan, found)
        if number <= plan.scale_runs:
            found.scale.append(_timed("scale", partial(scale.measure, plan.sizes)))
    # Last: its server is in this process, whose memory counts in that of the others.
    one_by_one = _timed("one by one", schedule.measure_one_by_one)
    paced = partial(schedule.measure, plan.schedule_rows, one_by_one=one_by_one)
    schedules = [_timed("schedule", paced) for _ in range(plan.schedule_runs)]
    return Results(
        machine=this_machine(),
        rows=plan.rows,
        limit=tuple(found.limit),
        typed_limit=tuple(found.typed_limit),
        plain=tuple(found.plain),
        template=tuple(found.template),
        scale=tuple(found.scale),
        schedule=tuple(schedules),
        **{name: tuple(runs) for name, runs in found.variants.items()},
    )


def _measure_round(plan: Plan, found: _Found) -> None:
    rows = plan.rows
    # Side by side: the two are compared, run by run.
    found.limit.append(_timed("limit", partial(limit.measure, rows)))
    found.plain.append(_timed("target", partial(throughput.measure, rows)))
    found.typed_limit.append(_timed("typed limit", partial(limit.measure, rows, typed=True)))
    for name, variant in VARIANTS.items():
        found.variants[name].append(_timed(name, partial(throughput.measure, rows, variant)))
    found.template.append(_timed("template", partial(template.measure, plan.template_rows)))


def _timed(name: str, measured: Callable[[], _T]) -> _T:
    """Make a measurement, and say how long that took."""
    began = time.monotonic()
    found = measured()
    print(f"  {name:<14}{time.monotonic() - began:8.1f} s", flush=True)
    return found


def tell(results: Results) -> bool:
    """Print what must hold, and return whether it does.

    Args:
        results: What was found.
    """
    found = bounds(results)
    for each in found:
        verdict = "met" if each.is_met else "NOT MET"
        print(f"{verdict:<8}{each.subject}: {each.found}, {each.allowed}")
    return all(each.is_met for each in found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything, write the page, and return the exit status.

    Args:
        arguments: The command line's, by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--template-rows", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=scale.SIZES)
    parser.add_argument("--scale-runs", type=int, default=3)
    parser.add_argument("--schedule-rows", type=int, default=schedule.ROWS)
    parser.add_argument("--schedule-runs", type=int, default=3, help="two minutes each")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page is written")
    parser.add_argument("--results", type=Path, help="where every figure is kept, as JSON")
    parser.add_argument("--from", type=Path, dest="source", help="results to write the page from")
    given = parser.parse_args(arguments)
    if given.source is not None:
        results = msgspec.json.decode(given.source.read_bytes(), type=Results)
    else:
        plan = Plan(
            runs=given.runs,
            rows=given.rows,
            template_rows=given.template_rows,
            sizes=tuple(given.sizes),
            scale_runs=given.scale_runs,
            schedule_rows=given.schedule_rows,
            schedule_runs=given.schedule_runs,
        )
        results = measure(plan)
        kept = given.results or customers.file_of(given.rows).with_name("results.json")
        kept.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
        print(f"every figure is in {kept}")
    page.write(results, given.docs)
    return 0 if tell(results) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The target's real command line over a file, against a server that accepts at once.

    uv run python -m benchmarks.throughput --rows 1000000
    uv run python -m benchmarks.throughput --rows 1000000 --active 20 --rejects

Prints the time, rows per second, how often the limit's time that is (`benchmarks/limit.py`), and
the target's peak memory. A run only counts if it has ended well, the server has got every contact
and the last STATE came out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import customers, limit
from benchmarks.null_server import LIST_ID, Counts, NullServer
from benchmarks.processes import FinishedRun, RunError, run

STREAM_MAPS = {customers.STREAM: {"last_name": "last_name.upper()"}}


@dataclass(frozen=True)
class Variant:
    """What is measured of the target.

    Attributes:
        rejects: Whether rejected rows are kept, so that the lines of active imports are.
        active: How many imports the server holds active; 0: each has finished when it is asked
            for. Then the time tells nothing, and memory does.
        lists: Whether reports list every contact, which the target then reads one by one.
        stream_maps: Whether a stream map changes a property of every row.
    """

    rejects: bool = False
    active: int = 0
    lists: bool = False
    stream_maps: bool = False


@dataclass(frozen=True)
class Throughput:
    """What the target took.

    Attributes:
        rows: How many rows there were.
        variant: Of which kind the run was.
        seconds: Wall time, with the start of interpreter and target.
        cpu_seconds: The target's processor time.
        peak_megabytes: Its resident memory at its highest.
        imports: How many imports there were.
        polls: How many calls asked for their status.
        body_bytes: The bytes of their bodies.
        most_active: The most imports that were active at a time.
    """

    rows: int
    variant: Variant
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    imports: int
    polls: int
    body_bytes: int
    most_active: int

    @property
    def rows_per_second(self) -> float:
        """Rows a second of wall time."""
        return self.rows / self.seconds


PLAIN = Variant()


def measure(rows: int, variant: Variant = PLAIN, *, source: Path | None = None) -> Throughput:
    """Run the target once, in a process of its own.

    Args:
        rows: How many rows.
        variant: What is measured.
        source: The file of so many customers; it is looked up, or written, by default.

    Raises:
        RunError: It has failed, or has not done all of its job.
    """
    source = source or customers.file_of(rows)
    server = NullServer(customers.DATA_FIELDS, active=variant.active, lists=variant.lists)
    with server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {
            "username": "any",
            "password": "one",
            "api_url": server.url,
            "streams": {customers.STREAM: {"address_book": LIST_ID, "fields": customers.FIELDS}},
        }
        if variant.rejects:
            config["rejects_path"] = str(folder / "rejects.singer")
        if variant.stream_maps:
            config["stream_maps"] = STREAM_MAPS
        (folder / "config.json").write_text(json.dumps(config))
        ended = run(["-m", "target_dotdigital", "--config", "config.json"], source, folder)
        counts = server.counts()
    _check(rows, ended, counts)
    return Throughput(
        rows=rows,
        variant=variant,
        seconds=ended.seconds,
        cpu_seconds=ended.cpu_seconds,
        peak_megabytes=ended.peak_megabytes,
        imports=counts.imports,
        polls=counts.polls,
        body_bytes=counts.body_bytes,
        most_active=counts.most_active,
    )


def _check(rows: int, ended: FinishedRun, counts: Counts) -> None:
    if counts.contacts != rows:
        raise RunError(f"the server has got {counts.contacts} of {rows} contacts")
    states = ended.output.splitlines()
    if not states or json.loads(states[-1]) != customers.state(rows):
        raise RunError("the target has not printed the last STATE")


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rejects", action="store_true", help="keep rejects (rejects_path)")
    parser.add_argument("--active", type=int, default=0, help="hold so many imports active")
    parser.add_argument("--lists", action="store_true", help="reports list every contact")
    parser.add_argument("--stream-maps", action="store_true", help="with a stream map")
    arguments = parser.parse_args()
    variant = Variant(arguments.rejects, arguments.active, arguments.lists, arguments.stream_maps)
    least = limit.measure(arguments.rows)
    found = measure(arguments.rows, variant)
    print(f"seconds            {found.seconds:.2f} ({found.cpu_seconds:.2f} of processor time)")
    print(f"rows per second    {found.rows_per_second:,.0f}")
    print(f"times the limit    {found.seconds / least.seconds:.2f}")
    print(f"peak memory, MB    {found.peak_megabytes:,.0f}")
    print(f"imports            {found.imports}, at most {found.most_active} active")
    print(f"polls              {found.polls}")
    print(f"bytes of bodies    {found.body_bytes:,}")


if __name__ == "__main__":
    main()

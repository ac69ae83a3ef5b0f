"""A stock SDK target that does the same job on the same server, for comparison.

    uv run python -m benchmarks.template --rows 1000000

`benchmarks/stock_target.py` is what the SDK's template comes to. It takes a minute and a half for a
million rows, so it is measured with fewer of them unless it is asked for more.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import customers
from benchmarks.null_server import LIST_ID, NullServer
from benchmarks.processes import RunError, run

START_ROWS = 10
"""So few rows take no time: what remains is the start."""


@dataclass(frozen=True)
class Template:
    """What the stock target took.

    Attributes:
        rows: How many rows there were.
        seconds: Wall time, with the start of interpreter and target.
        start_seconds: What a run over next to no rows takes.
        peak_megabytes: Its resident memory at its highest.
    """

    rows: int
    seconds: float
    start_seconds: float
    peak_megabytes: float

    def seconds_for(self, rows: int) -> float:
        """Return what another number of rows takes: it starts once, and its pace is the same.

        Args:
            rows: How many.
        """
        return self.start_seconds + (self.seconds - self.start_seconds) * rows / self.rows


def measure(rows: int) -> Template:
    """Run the stock target once over so many rows, and once over next to none.

    Args:
        rows: How many.

    Raises:
        RunError: It has failed, or has not done all of its job.
    """
    start_seconds, _ = _run(START_ROWS)
    seconds, peak_megabytes = _run(rows)
    return Template(rows, seconds, start_seconds, peak_megabytes)


def _run(rows: int) -> tuple[float, float]:
    """Return the seconds and the peak memory of one run."""
    source = customers.file_of(rows)
    with NullServer(customers.DATA_FIELDS) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {
            "username": "any",
            "password": "one",
            "api_url": server.url,
            "address_book": LIST_ID,
            "fields": customers.FIELDS,
        }
        (folder / "config.json").write_text(json.dumps(config))
        target = Path(__file__).parent / "stock_target.py"
        ended = run([str(target), "--config", "config.json"], source, folder)
        contacts = server.counts().contacts
    if contacts != rows:
        raise RunError(f"the server has got {contacts} of {rows} contacts")
    return ended.seconds, ended.peak_megabytes


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    found = measure(rows)
    print(f"seconds            {found.seconds:.2f} for {rows:,} rows")
    print(f"start, seconds     {found.start_seconds:.2f}")
    print(f"a million, seconds {found.seconds_for(1_000_000):.2f}")
    print(f"rows per second    {rows / found.seconds:,.0f}")
    print(f"peak memory, MB    {found.peak_megabytes:,.0f}")


if __name__ == "__main__":
    main()

"""The limit: how long the barest loop takes that decodes rows, encodes contacts and joins bodies.

    uv run python -m benchmarks.limit --rows 1000000

It validates nothing and sends nothing (`benchmarks/bare_loop.py`). What a load takes is compared
with it. `--typed` measures a loop that decodes only what is picked, which is quicker.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import customers
from benchmarks.processes import RunError, run


@dataclass(frozen=True)
class Limit:
    """What the bare loop took.

    Attributes:
        rows: How many rows there were.
        seconds: Wall time, with the interpreter's start and reading the file.
        body_bytes: The bytes of all bodies, which would be sent.
        peak_megabytes: Its resident memory at its highest.
    """

    rows: int
    seconds: float
    body_bytes: int
    peak_megabytes: float

    @property
    def rows_per_second(self) -> float:
        """Rows a second of wall time."""
        return self.rows / self.seconds


def measure(rows: int, *, typed: bool = False, source: Path | None = None) -> Limit:
    """Run the bare loop once, in a process of its own.

    Args:
        rows: How many rows.
        typed: Whether it decodes into typed objects.
        source: The file of so many customers; it is looked up, or written, by default.

    Raises:
        RunError: It has failed, or has not seen every row.
    """
    loop = Path(__file__).parent / "bare_loop.py"
    source = source or customers.file_of(rows)
    with tempfile.TemporaryDirectory() as name:
        ended = run([str(loop), *(["--typed"] if typed else [])], source, Path(name))
    contacts, size = map(int, ended.output.split())
    if contacts != rows:
        raise RunError(f"the bare loop has seen {contacts} of {rows} rows")
    return Limit(rows, ended.seconds, size, ended.peak_megabytes)


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--typed", action="store_true", help="decode only what is picked")
    arguments = parser.parse_args()
    limit = measure(arguments.rows, typed=arguments.typed)
    print(f"seconds            {limit.seconds:.2f}")
    print(f"rows per second    {limit.rows_per_second:,.0f}")
    print(f"bytes of bodies    {limit.body_bytes:,}")


if __name__ == "__main__":
    main()

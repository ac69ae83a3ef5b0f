"""An hour at full pace: does the target stay the same process that it was in the beginning?

    uv run python -m benchmarks.soak --minutes 60

One target is fed rows without an end, updates of a bounded set of people with a few rejects among
them, against the sandbox in a process of its own. A sample each ten seconds: memory, threads,
descriptors, rows that are settled. The first five minutes are for warming up.

Prints the samples by quarter, and ends with status 1 if the process was not flat, or if what it
was fed has not arrived.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_ID = 42
STATE_EACH = 1_000
REJECT_EACH = 997
"""Of the rows, one in so many has an address that is none."""

MAX_GROWTH_MB = 8.0
"""Between the medians of the first and the last quarter. Queued imports come and go by more."""

MAX_MORE = 2
"""Threads, and descriptors, between those medians: a leak of one an import would be hundreds."""

QUARTERS = 4
LEAST_SAMPLES = 2 * QUARTERS
SAMPLE_SECONDS = 10.0
LEAST_INTERVAL_SECONDS = 1.0
WARM_UP_SECONDS = 300.0
"""Until the queue of imports has been full a few times, memory and threads grow. At most half of
the time."""

END_SECONDS = 300.0
"""How long the target may take for what it has read when the input ends."""

_NAMES = ("memory, MB", "threads", "descriptors", "rows a second", "imports a second")
_SETTLED_IMPORT = re.compile(rb"Import \S+: settled")
_SUMMARY = re.compile(
    r"read (\d+) = imported (\d+) \+ rejected (\d+) \+ collapsed (\d+) \+ skipped 0"
)

SCHEMA = {
    "type": "SCHEMA",
    "stream": "customers",
    "key_properties": [],
    "schema": {
        "type": "object",
        "properties": {
            "email": {"type": "string"},
            "first_name": {"type": ["string", "null"]},
            "last_name": {"type": ["string", "null"]},
            "gender": {"type": ["string", "null"]},
            "postcode": {"type": ["string", "null"]},
            "last_subscribed": {"type": ["string", "null"], "format": "date-time"},
        },
    },
}


def rows(number: int, people: int) -> bytes:
    """Return the rows that follow the one of that number, up to a STATE, and the STATE."""
    lines = []
    for each in range(number + 1, number + STATE_EACH + 1):
        person = each % people
        email = f"person.{person}@example.com" if each % REJECT_EACH else "nobody at all"
        last_name = "null" if each % 11 == 0 else f'"Last{each}"'
        lines.append(
            '{"type": "RECORD", "stream": "customers", "record": '
            f'{{"email": "{email}", "first_name": "First{each // people}", '
            f'"last_name": {last_name}, "gender": "{"female" if person % 2 else "male"}", '
            f'"postcode": "N{each % 20} {each % 9}DP", '
            '"last_subscribed": "2026-01-31T10:00:00Z"}}\n'
        )
    lines.append(f'{{"type": "STATE", "value": {{"row": {number + STATE_EACH}}}}}\n')
    return "".join(lines).encode()


@dataclass
class Progress:
    """What is known of the target from its own pipes."""

    fed: int = 0
    settled: int = 0
    imports: int = 0
    complaints: list[str] = field(default_factory=list)
    """What it logged besides its ordinary lines, the newest last."""
    summary: str = ""


class Sample(NamedTuple):
    """The process at one moment."""

    seconds: float
    """Since its start."""
    megabytes: float
    threads: int
    descriptors: int
    rows: int
    """Settled since the start."""
    imports: int


def look_at(process_id: int, seconds: float, progress: Progress) -> Sample:
    """Return a sample of a process.

    Raises:
        OSError: It is gone.
    """
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii", errors="replace")
    values = dict(line.split(":", 1) for line in status.splitlines())
    if "VmRSS" not in values:
        raise ProcessLookupError(process_id)
    return Sample(
        seconds,
        int(values["VmRSS"].split()[0]) / 1024,
        int(values["Threads"]),
        len(os.listdir(f"/proc/{process_id}/fd")),  # noqa: PTH208 - names are enough
        progress.settled,
        progress.imports,
    )


def piped(end: IO[bytes] | None) -> IO[bytes]:
    """Return a process's end of a pipe, which is there."""
    if end is None:
        raise AssertionError
    return end


def feed(target: subprocess.Popen[bytes], progress: Progress, people: int, until: float) -> None:
    """Write rows as fast as they are read, until the time is up or the target is gone."""
    try:
        with piped(target.stdin) as pipe:
            pipe.write(json.dumps(SCHEMA).encode() + b"\n")
            while time.monotonic() < until:
                pipe.write(rows(progress.fed, people))
                progress.fed += STATE_EACH
    except BrokenPipeError:
        progress.complaints.append("it stopped reading")


def read_states(pipe: IO[bytes], progress: Progress) -> None:
    """Take note of every STATE."""
    for line in pipe:
        progress.settled = json.loads(line)["row"]


def read_log(pipe: IO[bytes], progress: Progress) -> None:
    """Count imports, and keep the last few lines that are not ordinary."""
    for line in pipe:
        text = line.decode("utf-8", "replace").rstrip()
        if _SETTLED_IMPORT.search(line):
            progress.imports += 1
        elif _SUMMARY.search(text):
            progress.summary = text
        elif "WARNING" in text or "ERROR" in text:
            progress.complaints = [*progress.complaints[-4:], text]


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """Run a sandbox as quick as this machine can, and yield its URL."""
    command = shutil.which("target-dotdigital-sandbox", path=Path(sys.executable).parent)
    if command is None:
        raise SystemExit("target-dotdigital-sandbox is not installed: run this with uv run")
    with subprocess.Popen(
        [
            *(command, "--port=0", f"--database={folder / 'dotdigital.db'}"),
            *(f"--address-book={LIST_ID}", "--pace=quick"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            ready = process.stdout.readline() if process.stdout else ""
            yield ready.partition(" at ")[2].partition(" ")[0]
        finally:
            process.terminate()


def soak(
    folder: Path, *, seconds: float, people: int, interval: float
) -> tuple[list[Sample], Progress, int]:
    """Feed one target for so long; return the samples, the progress and its exit status."""
    progress = Progress()
    target = subprocess.Popen(
        [sys.executable, "-m", "target_dotdigital", "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    began = time.monotonic()
    threads = [
        threading.Thread(target=feed, args=(target, progress, people, began + seconds)),
        threading.Thread(target=read_states, args=(piped(target.stdout), progress)),
        threading.Thread(target=read_log, args=(piped(target.stderr), progress)),
    ]
    for thread in threads:
        thread.start()
    samples = []
    try:
        for number in range(1, int(seconds / interval) + 1):
            time.sleep(max(0.0, began + number * interval - time.monotonic()))
            try:
                samples.append(look_at(target.pid, time.monotonic() - began, progress))
            except OSError:
                progress.complaints.append("it ended before its input")
                break
        status = target.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        progress.complaints.append(f"it did not end within {END_SECONDS:.0f} s")
        status = 1
    finally:
        if target.poll() is None:
            target.kill()
            target.wait()
        for thread in threads:
            thread.join()
    return samples, progress, status


def by_quarter(samples: Sequence[Sample]) -> dict[str, list[list[float]]]:
    """Return the values of each quarter of the time, by name; rates are from sample to sample."""
    values: dict[str, list[float]] = {name: [] for name in _NAMES}
    for before, now in itertools.pairwise(samples):
        seconds = now.seconds - before.seconds
        rates = (now.rows - before.rows) / seconds, (now.imports - before.imports) / seconds
        numbers = (now.megabytes, now.threads, now.descriptors, *rates)
        for name, number in zip(_NAMES, numbers, strict=True):
            values[name].append(number)
    cuts = [round(quarter * (len(samples) - 1) / QUARTERS) for quarter in range(QUARTERS + 1)]
    return {
        name: [found[cuts[each] : cuts[each + 1]] for each in range(QUARTERS)]
        for name, found in values.items()
    }


def show(quarters: dict[str, list[list[float]]]) -> None:
    """Print minimum, median and maximum of each quarter."""
    print(f"{'least / median / most':<20}", *(f"quarter {n + 1:<18}" for n in range(QUARTERS)))
    for name, parts in quarters.items():
        digits = 1 if name in {"memory, MB", "imports a second"} else 0
        cells = [
            " / ".join(
                f"{number:,.{digits}f}"
                for number in (min(part), statistics.median(part), max(part))
            )
            for part in parts
        ]
        print(f"{name:<20}", *(f"{cell:<26}" for cell in cells))


def growth(quarters: dict[str, list[list[float]]], name: str) -> float:
    """Return by how much the last quarter's median is above the first one's."""
    return statistics.median(quarters[name][-1]) - statistics.median(quarters[name][0])


def arrived(progress: Progress, status: int) -> list[str]:
    """Print what became of the rows, and return what is wrong with that."""
    wrong = []
    if status != 0:
        wrong.append(f"the target ended with status {status}")
    print(f"\nrows fed {progress.fed:,}, settled {progress.settled:,}; {progress.summary}")
    if progress.settled != progress.fed:
        wrong.append("not every row that was fed is settled")
    found = _SUMMARY.search(progress.summary)
    read, imported, rejected, collapsed = map(int, found.groups()) if found else (0, 0, 0, 0)
    if (read, read) != (progress.fed, imported + rejected + collapsed):
        wrong.append("the counts do not add up")
    if rejected != progress.fed // REJECT_EACH:
        wrong.append("other rows are rejected than those that should be")
    return wrong


def flat(samples: Sequence[Sample], seconds: float) -> list[str]:
    """Print the samples, and return what has grown."""
    warm = [each for each in samples if each.seconds >= min(WARM_UP_SECONDS, seconds / 2)]
    if len(warm) <= LEAST_SAMPLES:
        return [f"{len(samples)} samples are too few"]
    quarters = by_quarter(warm)
    show(quarters)
    span = (warm[-1].seconds - warm[0].seconds) / 3600
    speed = (warm[-1].rows - warm[0].rows) / (warm[-1].seconds - warm[0].seconds)
    print(f"{speed:,.0f} rows a second over {span * 60:.1f} minutes, {len(warm)} samples")
    grown = []
    for name, limit in (
        ("memory, MB", MAX_GROWTH_MB),
        ("threads", MAX_MORE),
        ("descriptors", MAX_MORE),
    ):
        more = growth(quarters, name)
        print(f"{name}: {more:+.1f} from the first quarter to the last (at most {limit})")
        if more > limit:
            grown.append(f"{name}: grown by {more:.1f}")
    return grown


def main() -> int:
    """Soak once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=2_000, help="batch_size_rows")
    options = parser.parse_args()
    seconds = options.minutes * 60
    interval = max(min(SAMPLE_SECONDS, seconds / 60), LEAST_INTERVAL_SECONDS)
    with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as url:
        folder = Path(name)
        config = {
            "username": "any",
            "password": "one",
            "api_url": url,
            "address_book": LIST_ID,
            "batch_size_rows": options.batch,
            "rejects_path": str(folder / "rejects.singer"),
        }
        (folder / "config.json").write_text(json.dumps(config))
        samples, progress, status = soak(
            folder, seconds=seconds, people=options.people, interval=interval
        )
        database = (folder / "dotdigital.db").stat().st_size
    wrong = flat(samples, seconds) + arrived(progress, status)
    print(f"{progress.imports:,} imports; the sandbox's database has {database / 1e6:,.0f} MB")
    for each in progress.complaints:
        print(f"the target: {each}")
    for each in wrong:
        print(f"WRONG: {each}")
    if not wrong:
        print("flat")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

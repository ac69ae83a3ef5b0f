"""Wild Singer lines, in bulk, through the target in this process: what comes of them.

    uv run python -m benchmarks.fuzz --lines 1000000

Only the target's typed errors may come of a line, within a second, and nothing that it says, sends
or keeps may repeat a value. Prints lines per second, outcomes, peak memory and what was found;
ends with 1 if something was. `--guided` lets atheris look for lines that reach new code:

    uv run --with atheris python -m benchmarks.fuzz --guided --lines 200000
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import resource
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.target.fuzzed_target import FuzzedTarget

STUCK_SECONDS = 300
"""If so long nothing comes of a thousand lines, the process says where it is stuck, and ends."""

MEMORY_GROWTH_MB = 64
"""By how much peak memory may grow after the first tenth of the lines."""

MAX_SHOWN = 50


def main() -> None:
    """Feed the lines, and tell what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="a fresh one when not given")
    parser.add_argument("--guided", action="store_true", help="with atheris")
    parser.add_argument("--keep", type=Path, help="a folder for the lines at fault: they hold data")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    print(f"seed               {seed}", flush=True)
    # In memory where there is such a place: the rejects file is put on disk for every STATE.
    shared = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        if arguments.guided:
            _guided(Path(name), seed, arguments.lines, arguments.keep)
        else:
            sys.exit(_seeded(Path(name), seed, arguments.lines, arguments.keep))


def _seeded(folder: Path, seed: int, lines: int, keep: Path | None) -> int:
    from tests.support.target.fuzz_lines import FuzzLines  # noqa: PLC0415
    from tests.support.target.fuzzed_target import FuzzedTarget  # noqa: PLC0415 - atheris has to come first

    wild = FuzzLines(seed)
    started = time.monotonic()
    early = 0.0
    with FuzzedTarget(folder, seed) as target:
        for number in range(lines):
            if number % 1000 == 0:
                faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
            if number == lines // 10:
                early = _peak_memory()
            target.take(wild.line())
        faulthandler.cancel_dump_traceback_later()
    peak = _peak_memory()
    if peak - early > MEMORY_GROWTH_MB:
        target.findings.append(f"memory grows: {early:,.0f} MB after a tenth, {peak:,.0f} at last")
    print(f"memory at 10 %, MB {early:,.0f}")
    return _tell(target, time.monotonic() - started, keep)


def _guided(folder: Path, seed: int, lines: int, keep: Path | None) -> None:
    """Let atheris choose which lines to change further, by the code that they reach."""
    import atheris  # noqa: PLC0415 - installed for this alone

    with atheris.instrument_imports(include=["target_dotdigital"]):
        from tests.support.target.fuzzed_target import FuzzedTarget  # noqa: PLC0415
    from tests.support.target.fuzz_lines import FuzzLines  # noqa: PLC0415

    wild = FuzzLines(seed)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number in range(500):
        (corpus / f"{number}").write_bytes(wild.line())
    started = time.monotonic()
    target = FuzzedTarget(folder, seed).__enter__()

    def take(line: bytes) -> None:
        target.take(line)
        if target.lines >= lines:
            target.__exit__(None, None, None)
            status = _tell(target, time.monotonic() - started, keep)
            sys.stdout.flush()
            shutil.rmtree(folder)
            os._exit(status)  # libFuzzer never returns, and ends the process without more ado

    def change(line: bytes, size: int, number: int) -> bytes:
        changed = FuzzLines(number).mutate(line)
        return changed if len(changed) <= size else line

    options = [f"-seed={seed % 2**31}", "-max_len=65536", "-print_final_stats=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], take, custom_mutator=change)
    atheris.Fuzz()


def _tell(target: FuzzedTarget, seconds: float, keep: Path | None) -> int:
    print(f"lines              {target.lines:,}")
    print(f"lines per second   {target.lines / seconds:,.0f}")
    print(f"peak memory, MB    {_peak_memory():,.0f}")
    for outcome, count in sorted(target.outcomes.items()):
        print(f"{count:>12,}  {outcome}")
    print(f"findings           {len(target.findings)}")
    for finding in target.findings[:MAX_SHOWN]:
        print(f"  {finding}")
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, line in enumerate(target.faulty):
            (keep / f"{number}.singer").write_bytes(line)
    return 1 if target.findings else 0


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()

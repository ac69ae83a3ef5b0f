"""A process from its start to its end: what it took, and what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MAX_SHOWN = 2_000
_SETTINGS_PREFIX = "TARGET_DOTDIGITAL_"


class RunError(Exception):
    """A measured process has failed, so there is nothing to be measured."""


@dataclass(frozen=True)
class FinishedRun:
    """A process that has ended well.

    Attributes:
        seconds: From before its start, the interpreter's included, to after its end.
        cpu_seconds: The processor time that it took, in all of its threads.
        peak_megabytes: Its resident memory at its highest.
        output: What it wrote to its standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    output: str


def run(
    arguments: Sequence[str],
    source: Path,
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> FinishedRun:
    """Run Python over a file on standard input, until it ends.

    The operating system counts this process's own memory in the other one's peak, up to the moment
    in which the interpreter starts there. So whoever measures memory must itself be small.

    Args:
        arguments: Python's arguments.
        source: What is put before it.
        folder: Where it works; its output is kept there.
        variables: What its environment has beside the own one's.

    Raises:
        RunError: It has failed. The text ends with the last of what it wrote.
    """
    out, log = folder / "stdout", folder / "stderr"
    environment = {
        name: value
        for name, value in os.environ.items()
        # Where Python may not keep what it has compiled, every start compiles everything again.
        if not name.startswith(_SETTINGS_PREFIX) and name != "PYTHONDONTWRITEBYTECODE"
    } | dict(variables or {})
    with source.open("rb") as lines, out.open("wb") as output, log.open("wb") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=lines,
            stdout=output,
            stderr=errors,
            cwd=folder,
            env=environment,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        end = log.read_text("utf-8", "replace")[-_MAX_SHOWN:]
        raise RunError(f"{' '.join(arguments)} ended with status {process.returncode}:\n{end}")
    return FinishedRun(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_megabytes=usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
        output=out.read_text("utf-8"),
    )

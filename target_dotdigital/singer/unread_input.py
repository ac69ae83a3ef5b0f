"""Input of a run that fails before it reads a row.

It is read to its end, so that the tap ends well. A tap whose pipe breaks prints an error of its
own, and Meltano prints that below the one that matters.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

DRAIN_SECONDS: Final = 5.0
"""How long it is read at most. A tap that goes on for longer sees its pipe break."""

_BLOCK_BYTES: Final = 1024 * 1024


class _InterruptedError(Exception):
    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def drain(source: IO[str]) -> int | None:
    """Read what is left of the input, and forget it. Nothing is read from a terminal.

    Args:
        source: The input.

    Returns:
        The signal that ended it early, if one did.
    """
    try:
        descriptor = source.fileno()
        if os.isatty(descriptor):
            return None
    except (OSError, ValueError):
        return None  # a text in memory, or closed
    try:
        with _raising_at_signals(), suppress(OSError):
            _read_to_the_end(descriptor)
    except _InterruptedError as interrupted:
        return interrupted.signum
    return None


def _read_to_the_end(descriptor: int) -> None:
    until = time.monotonic() + DRAIN_SECONDS
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([descriptor], [], [], left)
        if ready and not os.read(descriptor, _BLOCK_BYTES):
            return


@contextmanager
def _raising_at_signals() -> Iterator[None]:
    def interrupt(signum: int, _frame: FrameType | None) -> None:
        raise _InterruptedError(signum)

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

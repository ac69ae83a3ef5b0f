"""Time that several threads share, and that passes only while all of them wait.

One of them runs at a time, and they take turns in the order in which their waits end: so whatever
they do together comes out the same every time.
"""

from __future__ import annotations

import heapq
import threading
from itertools import count
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class SharedClock(FakeClock):
    """Lets functions run side by side, in threads, on a time of their own."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: list[tuple[float, int, threading.Event]] = []
        self._numbers = count()
        self._failures: list[BaseException] = []

    def run(self, functions: Sequence[Callable[[], object]]) -> None:
        """Run functions until all have ended; raise what one of them has raised."""
        threads = []
        for function in functions:
            turn = threading.Event()
            self._queue(self.time, turn)
            threads.append(threading.Thread(target=self._perform, args=(function, turn)))
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    @override
    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        turn = threading.Event()
        self._queue(self.time + seconds, turn)
        self._next()
        turn.wait()

    def _perform(self, function: Callable[[], object], turn: threading.Event) -> None:
        turn.wait()
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._failures.append(error)
        finally:
            self._next()

    def _queue(self, at: float, turn: threading.Event) -> None:
        heapq.heappush(self._turns, (at, next(self._numbers), turn))

    def _next(self) -> None:
        if self._turns:
            self.time, _, turn = heapq.heappop(self._turns)
            turn.set()

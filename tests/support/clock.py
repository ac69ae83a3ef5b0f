"""Time that passes only by waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from typing_extensions import override

from target_dotdigital.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeClock(Clock):
    """Notes every wait, and lets it pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0
        self.waits: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    @override
    def now(self) -> float:
        return self.time

    @override
    def sleep(self, seconds: float) -> None:
        super().sleep(0)
        assert seconds >= 0
        with self._lock:
            self.waits.append(seconds)
            self.time += seconds
        self.on_sleep()

    @override
    def sleep_before_sending(self, seconds: float) -> None:
        self.check_sending()
        self.sleep(seconds)
        self.check_sending()

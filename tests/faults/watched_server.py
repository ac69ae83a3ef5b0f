"""A server that knows its one client: when it strikes it down, and that it is gone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.dotdigital.answers import Answer, reply
from tests.support.dotdigital.server import DotdigitalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dotdigital.answers import Call, Scripted


class WatchedServer(DotdigitalServer):
    """Acts on calls while a run lasts; what arrives of it afterwards comes to nothing.

    Without that, an import that a killed client has sent could be accepted after the next client's:
    a race that no client can win, and that no test should lose now and then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._serving = False
        self._calls_before = 0
        self._strike: Callable[[], None] | None = None
        self._strike_at = 0
        self._strike_after = False

    @contextmanager
    def a_run(self) -> Iterator[None]:
        with self.changed:
            self._serving = True
            self._calls_before = len(self.calls)
            self._strike = None
        try:
            yield
        finally:
            with self.changed:
                self._serving = False

    @property
    def calls_of_the_run(self) -> list[Call]:
        with self.changed:
            return self.calls[self._calls_before :]

    def strike_at_call(self, number: int, strike: Callable[[], None], *, after: bool) -> None:
        """Have something done at the run's call of that number, from 1.

        Args:
            number: The call's.
            strike: What is done.
            after: Once the account has acted on the call, and before it is answered.
        """
        with self.changed:
            self._strike_at, self._strike_after = self._calls_before + number, after
            self._strike = strike

    @override
    def answer(self, call: Call, script: Scripted | None) -> Answer:
        with self.changed:
            if not self._serving:
                return reply(503)
            self._struck(call, after=False)
            answer = super().answer(call, script)
            self._struck(call, after=True)
            return answer

    def _struck(self, call: Call, *, after: bool) -> None:
        if self._strike is None or after != self._strike_after:
            return
        position = next(place for place, each in enumerate(self.calls, 1) if each is call)
        if position >= self._strike_at:
            strike, self._strike = self._strike, None
            strike()

"""A fault that the target meets: its real command line against a server, checked after each run."""

from __future__ import annotations

import copy
import functools
import json
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.faults.breaking_proxy import BreakingProxy
from tests.faults.input_rows import ADDRESS_BOOK, OPTED_OUT, SUPPRESSED, email, landed, rest_after
from tests.faults.invariants import (
    MAX_PEAK_MEGABYTES,
    SettledRows,
    assert_counts,
    assert_nobody_was_wronged,
    assert_silence,
    assert_success_is_one,
)
from tests.support.canary import DEBUG
from tests.support.dotdigital.routes import IMPORT
from tests.support.target.command import FinishedRun, TargetProcess, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

FAULTS: dict[str, list[str]] = {}
"""By number, the tests that stand for it: `module.py::function`."""

DEFAULT_MAX_REJECT_PERCENT = 50

SECOND_PACE = 20
"""Of the clock of the run that loads what a fault has left."""


def fault(number: str, *variants: str) -> Callable[[Callable[..., None]], Any]:
    """Mark a test as a row of the fault matrix, in one or more variants of it.

    The test gets a `FaultCase`, and the variant. After it the same input is loaded again without
    the fault (I4).
    """

    def decorate(test: Callable[..., None]) -> Any:  # noqa: ANN401 - pytest's own type
        @functools.wraps(test)
        def checked(case: FaultCase, variant: str) -> None:
            test(case, variant) if variants else test(case)
            case.load_again()

        del checked.__wrapped__  # pytest would ask it for its arguments
        module = test.__module__.rpartition(".")[2]
        FAULTS.setdefault(number, []).append(f"{module}.py::{test.__name__}")
        ids = [f"{number}-{each}".rstrip("-").replace(" ", "-") for each in variants or ("",)]
        return pytest.mark.parametrize("variant", variants or ("",), ids=ids)(checked)

    return decorate


def stands_for(number: str) -> Callable[[Callable[..., None]], Any]:
    """Mark a test as a row of the fault matrix that looks after the invariants itself."""

    def decorate(test: Callable[..., None]) -> Any:  # noqa: ANN401 - pytest's own type
        module = test.__module__.rpartition(".")[2]
        FAULTS.setdefault(number, []).append(f"{module}.py::{test.__name__}")
        return test

    return decorate


class FaultCase:
    """Runs the target, and checks the invariants after each run."""

    def __init__(self, server: DotdigitalServer, folder: Path, stack: ExitStack) -> None:
        self.server = server
        self.stack = stack
        """Ends with the test."""
        self.folder = folder
        self.rejects = folder / "rejects.singer"
        self.settings: dict[str, Any] = {"shutdown_grace_seconds": 5}
        """Beside those that every run has."""
        self.environment: dict[str, str] = {}
        self.url = server.url
        """What the target is told to call: the server, or what stands before it."""
        self.left_out: Collection[int] = ()
        """Rows that cannot land."""
        self.skipped: Collection[int] = ()
        self.unnamed: Collection[int] = ()
        """Rows that Dotdigital refuses without naming them."""
        self.max_calls = 60
        """More calls than this, in one run, are not bounded (I6)."""
        self.max_peak_megabytes = MAX_PEAK_MEGABYTES
        self.expected: dict[str, dict[str, Any]] | None = None
        """Data fields that must be there in the end; those of the input's rows when None."""
        self.writes: Collection[str] = (IMPORT,)
        """Routes that the settings allow beside those that read."""
        self.gone: Collection[str] = ()
        """Addresses of contacts that the settings let go."""
        self.mend: Callable[[], None] = lambda: None
        """Takes away what the server's answers are not: the fault itself."""
        self.last_state = 0
        self._messages: list[Any] | None = None
        self._status = 0
        server.data_fields["ROW"] = "Numeric"
        server.add_contact(email(OPTED_OUT), email_status="unsubscribed", lists=(101,))
        server.add_contact(email(SUPPRESSED), email_status="suppressed")
        server.add_contact("bystander@example.com", {"FIRSTNAME": "Bea"}, lists=(ADDRESS_BOOK,))
        self._before = server.contents()

    def behind_a_proxy(self) -> BreakingProxy:
        """Put a proxy that can break between the target and the server."""
        proxy = self.stack.enter_context(BreakingProxy(self.server.url))
        self.url = proxy.url
        return proxy

    def sibling(self, name: str) -> FaultCase:
        """Return a case with a folder of its own, for another target on the same account."""
        other = copy.copy(self)
        other.folder = self.folder / name
        other.folder.mkdir()
        other.rejects = other.folder / self.rejects.name
        return other

    def config(self, **settings: Any) -> dict[str, Any]:
        own = {
            "api_url": self.url,
            "address_book": ADDRESS_BOOK,
            "rejects_path": str(self.rejects),
            "report_path": str(self.folder / "report.json"),
        }
        return settings_for(self.server, **{**own, **self.settings, **settings})

    @contextmanager
    def started(
        self,
        messages: Sequence[Any],
        *,
        pace: float = 1,
        stdout: IO[bytes] | None = None,
        **settings: Any,
    ) -> Iterator[TargetProcess]:
        """Run the target over an input that the test feeds to it.

        Args:
            messages: The whole input, of which the test may send a part.
            pace: How fast the target's clock runs.
            stdout: Where its standard output goes, in place of the test.
            **settings: Settings of this run.
        """
        self._messages = list(messages)
        settled = SettledRows(
            self.server,
            messages,
            self.rejects,
            skipped=self.skipped,
            unnamed=self.unnamed,
        )
        places = self.folder / "tmp"
        places.mkdir(exist_ok=True)
        calls_before = len(self.server.calls)
        with TargetProcess(
            self.config(**settings),
            self.folder,
            environment={**DEBUG, "TMPDIR": str(places), **self.environment},
            pace=pace,
            stdout=stdout,
            on_line=settled.look_at,
        ) as target:
            yield target
            ended = target.end()
        limit = self.config(**settings).get("max_reject_percent", DEFAULT_MAX_REJECT_PERCENT)
        self._check(ended, settled, limit, calls_before, target.peak_megabytes)

    def run(
        self,
        messages: Sequence[Any],
        *,
        pace: float = 1,
        stdout: IO[bytes] | None = None,
        **settings: Any,
    ) -> FinishedRun:
        """Run the target over a whole input."""
        with self.started(messages, pace=pace, stdout=stdout, **settings) as target:
            target.send_what_it_takes(*messages)
        return target.end()

    def forget_input(self) -> None:
        """Do not load it again: what is wrong in it would be so the next time."""
        self._messages = None

    def load_again(self) -> None:
        """Load what the last run left, without the fault; the contents are then right (I4).

        A run that failed is followed by one from the last STATE that was printed, any other by the
        same input once more.
        """
        if self._messages is None:
            return
        self.server.answer_normally()
        self.server.release_all()
        self.mend()
        messages = self._messages
        if self._status != 0:
            messages = rest_after(messages, self.last_state)
        self.settings["max_reject_percent"] = 100
        self.environment = {}
        self.url = self.server.url
        whole = self._messages
        ended = self.run(messages, pace=SECOND_PACE)
        assert ended.status == 0, ended.stderr
        self.assert_contents(whole)

    def assert_contents(self, messages: Sequence[Any]) -> None:
        """The account holds what the input's rows say, and nothing else has changed."""
        expected = self.expected
        if expected is None:
            expected = landed(messages, {*self.left_out, *self.skipped, *self.unnamed})
        contents = self.server.contents()
        for key, fields in expected.items():
            assert contents[key]["data_fields"] == fields
            assert ADDRESS_BOOK in contents[key]["lists"]
        others = set(contents) - set(expected) - set(self.gone)
        assert others <= set(self._before)
        for key in others:
            assert contents[key] == self._before[key]

    def _check(
        self,
        ended: FinishedRun,
        settled: SettledRows,
        limit: int,
        calls_before: int,
        peak_megabytes: float | None,
    ) -> None:
        self._status = ended.status
        if ended.states and isinstance(ended.states[-1], dict):
            self.last_state = max(self.last_state, ended.states[-1].get("row", 0))
        assert settled.violations == [], ended.stderr  # I1
        assert_counts(ended, settled, self.unnamed)  # I2
        assert_silence(ended, self.server, self.folder)  # I3
        calls = self.server.calls[calls_before:]
        assert_nobody_was_wronged(self._before, self.server, calls, self.writes)  # I5
        assert len(calls) <= self.max_calls  # I6
        assert peak_megabytes is None or peak_megabytes <= self.max_peak_megabytes
        if settled.unsettled():
            assert ended.status != 0, ended.stderr  # I7
        assert_success_is_one(ended, settled, limit, self.unnamed)  # I8


def input_of(messages: Sequence[Any]) -> str:
    """Return an input as the text that a tap writes."""
    return "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in messages)

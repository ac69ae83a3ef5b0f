"""F03 and the rest at once: rows, faults, kills and restarts as hypothesis makes them up.

Each sequence ends with a run to the end. The account then holds what the model says, and in every
run all invariants held.
"""

from __future__ import annotations

import signal
import tempfile
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from tests.faults.generated import (
    ANY_CALL,
    FATAL,
    IMPORTS,
    MOST_REFUSED_ROWS,
    MOST_ROWS,
    MOST_TRIES,
    POLLS,
    PROPERTIES,
    STREAMS,
    MarkedSettledRows,
    Model,
    Plan,
    mark,
    message_of,
    plans,
    rows,
)
from tests.faults.input_rows import OPTED_OUT, SUPPRESSED, email, rest_after
from tests.faults.invariants import (
    MAX_PEAK_MEGABYTES,
    assert_counts,
    assert_nobody_was_wronged,
    assert_silence,
)
from tests.faults.watched_server import WatchedServer
from tests.support.canary import DEBUG
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.messages import schema, state
from tests.support.target.command import TargetProcess, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.support.target.command import FinishedRun

PACE = 500.0
"""Of the target's clock: a retry's waits, two minutes at most, take a quarter of a second."""

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
MOST_CALLS = 40
"""More than this for each row of a run, and as much at its start, is not bounded (I6)."""


def if_rows_are_left(runs: Callable[..., None]) -> Callable[..., None]:
    """Let a rule do nothing if no rows are left to load.

    How many are depends on how far a killed run has come, so it cannot be a precondition: the same
    steps would be possible in one try, and not in the next.
    """

    @wraps(runs)
    def run(machine: Runs, **drawn: Any) -> None:
        if machine.count > machine.done:
            runs(machine, **drawn)

    return run


class Runs(RuleBasedStateMachine):
    """A tap's rows, and the runs of a target that load them."""

    place: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=self.place))
        self.rejects = self.folder / "rejects.singer"
        self.server = WatchedServer()
        self.server.__enter__()
        self.messages: list[Any] = [
            schema(name, properties=PROPERTIES, key_properties=[]) for name in STREAMS
        ]
        self.done = 0
        """The row of the last STATE that was printed."""
        self.count = 0
        self.skipped: set[int] = set()
        self.armed: Counter[str] = Counter()
        self.is_sound = False
        """Nothing has gone wrong yet."""

    @initialize(plan=plans())
    def begin(self, plan: Plan) -> None:
        """Make up the account, and the target's settings."""
        server = self.server
        server.data_fields.update(dict.fromkeys(map(mark, range(1, MOST_ROWS + 1)), "Numeric"))
        server.add_contact(email(OPTED_OUT), email_status="unsubscribed", lists=(101,))
        server.add_contact(email(SUPPRESSED), {"LASTNAME": ""}, email_status="suppressed")
        server.add_contact(email(2), {"FIRSTNAME": "Before", "LOYALTY_POINTS": 7}, lists=(102,))
        server.add_contact("bystander@example.com", {"FIRSTNAME": "Bea"}, lists=(102,))
        plan.arrange(server)
        self.plan = plan
        self.refused_rows = 0
        self.before = server.contents()
        self.model = Model(server.contents())
        self.is_sound = True

    @precondition(lambda self: self.count < MOST_ROWS)
    @rule(new=rows())
    def rows_come(self, new: list[dict[str, Any]]) -> None:
        for row in new[: MOST_ROWS - self.count]:
            if row["person"] == self.plan.refused and row["fate"] == "lands":
                self.refused_rows += 1
                if self.refused_rows > MOST_REFUSED_ROWS:
                    continue
            self.count += 1
            if row["schema"]:
                self.messages.append(schema(row["stream"], properties=PROPERTIES))
            self.messages.append(message_of(self.count, row))
            if row["state"]:
                self.messages.append(state({"row": self.count}))
            if row["fate"] == "deleted":
                self.skipped.add(self.count)
            elif row["fate"] == "lands" and row["person"] not in self.plan.blocked:
                self.model.take(self.count, row)

    @rule(name=st.sampled_from(sorted(IMPORTS)), times=st.integers(1, 3))
    def an_import_call_will_fail(self, name: str, times: int) -> None:
        self.server.answer_next(IMPORT, *[IMPORTS[name].answer(self.server)] * times)
        self.armed["import"] += IMPORTS[name].weight * times

    @rule(name=st.sampled_from(sorted(POLLS)), times=st.integers(1, 5))
    def a_poll_will_fail(self, name: str, times: int) -> None:
        self.server.answer_next(IMPORT_STATUS, *[POLLS[name].answer(self.server)] * times)
        self.armed["poll"] += POLLS[name].weight * times
        self.armed[name] += times

    @rule(name=st.sampled_from(sorted(ANY_CALL)))
    def the_first_call_will_fail(self, name: str) -> None:
        self.server.answer_next(DATA_FIELDS, ANY_CALL[name].answer(self.server))
        self.armed["first"] += ANY_CALL[name].weight

    @rule(times=st.integers(1, 2))
    def imports_will_come_to_nothing(self, times: int) -> None:
        self.server.end_next_imports("Failed", times)
        self.armed["Failed"] += times

    @rule(
        name=st.sampled_from([*FATAL, "RejectedByWatchdog"]),
        route=st.sampled_from([IMPORT, IMPORT_STATUS]),
    )
    def a_run_will_fail(self, name: str, route: str) -> None:
        if name == "RejectedByWatchdog":
            self.server.end_next_imports(name)
        else:
            self.server.answer_next(route, FATAL[name], times=None)
        self.armed["fatal"] += 1

    def _may_fail(self) -> bool:
        """Whether what is armed can be more than a run is to survive."""
        armed = self.armed
        odd = armed["404"] + armed["odd word"]
        return (
            armed["fatal"] > 0
            or any(armed[each] >= MOST_TRIES for each in ("import", "poll", "first"))
            or (armed["odd word"] > 0 and odd >= 4)
            or armed["404"] // 4 + armed["Failed"] >= 3
        )

    @rule(cut=st.booleans())
    @if_rows_are_left
    def a_run_ends(self, *, cut: bool) -> None:
        """A run to the end of its input, or of a tap that dies in the middle of a line."""
        messages = rest_after(self.messages, self.done)
        half = [b'{"type": "RECORD", "stream": "custo'] if cut else []
        ended = self._run(messages, half)
        if cut or self._may_fail():
            assert ended.status in ({1} if cut else {0, 1}), ended.stderr
        else:
            assert ended.status == 0, ended.stderr
        self._calm_down()

    @rule(
        name=st.sampled_from(sorted(SIGNALS)),
        call=st.integers(1, 25),
        after=st.booleans(),
        grace=st.sampled_from([0, 5_000]),
        do_land=st.booleans(),
    )
    @if_rows_are_left
    def a_run_is_killed_at_a_call(
        self, name: str, call: int, grace: int, *, after: bool, do_land: bool
    ) -> None:
        messages = rest_after(self.messages, self.done)
        ended = self._run(
            messages, signal_name=name, call=call, after=after, shutdown_grace_seconds=grace
        )
        number = SIGNALS[name]
        expected = {-number if name == "SIGKILL" else 128 + number, 0}
        if self._may_fail():
            expected.add(1)
        assert ended.status in expected, ended.stderr
        self._calm_down(do_land=do_land)

    @rule(fed=st.integers(0, 100), do_land=st.booleans())
    @if_rows_are_left
    def a_run_is_killed_while_it_is_fed(self, fed: int, *, do_land: bool) -> None:
        messages = rest_after(self.messages, self.done)
        ended = self._run(messages[:fed], signal_name="SIGKILL")
        assert ended.status in {-signal.SIGKILL, 1}, ended.stderr
        self._calm_down(do_land=do_land)

    def _run(
        self,
        messages: list[Any],
        more: list[bytes] | None = None,
        *,
        signal_name: str | None = None,
        call: int | None = None,
        after: bool = False,
        **changed: Any,
    ) -> FinishedRun:
        """Run the target over messages, and check the invariants.

        Args:
            messages: Its input.
            more: What comes after it.
            signal_name: Sent at a call or, without one, once it has been fed.
            call: The number of that call.
            after: Once the server has acted on it.
            **changed: Settings of this run.
        """
        note(f"from row {self.done}: {len(messages)} messages, {dict(self.armed)}")
        self.is_sound = False
        settled = MarkedSettledRows(self.server, messages, self.rejects, skipped=self.skipped)
        config = settings_for(
            self.server,
            rejects_path=str(self.rejects),
            **{"shutdown_grace_seconds": 5_000, **self.plan.settings, **changed},
        )
        with (
            self.server.a_run(),
            TargetProcess(
                config,
                self.folder,
                environment=DEBUG,
                pace=PACE,
                on_line=settled.look_at,
            ) as target,
        ):
            if signal_name is not None and call is not None:
                number = SIGNALS[signal_name]
                self.server.strike_at_call(
                    call, lambda: target.process.send_signal(number), after=after
                )
            target.send_what_it_takes(*messages, *(more or []))
            if signal_name is not None and call is None:
                target.process.send_signal(SIGNALS[signal_name])
            ended = target.end()
        self._check(ended, settled, target.peak_megabytes)
        event(f"{signal_name or 'no signal'}: {ended.status}")
        self.is_sound = True
        return ended

    def _check(
        self, ended: FinishedRun, settled: MarkedSettledRows, peak_megabytes: float | None
    ) -> None:
        self.done = max([self.done, *(each["row"] for each in ended.states)])
        assert settled.violations == [], ended.stderr  # I1
        assert_counts(ended, settled)  # I2
        assert_silence(ended, self.server, self.folder)  # I3
        calls = self.server.calls_of_the_run
        assert_nobody_was_wronged(self.before, self.server, calls)  # I5
        assert len(calls) <= MOST_CALLS * (1 + len(settled.rows))  # I6
        assert peak_megabytes is None or peak_megabytes <= MAX_PEAK_MEGABYTES
        if settled.unsettled():
            assert ended.status != 0, ended.stderr  # I7

    def _calm_down(self, *, do_land: bool = True) -> None:
        """Let what a run has left come to its end, and forget what is armed."""
        if not do_land:
            for each in self.server.active_imports:
                self.server.fail(each.index)
        self.server.release_all()
        self.server.answer_normally()
        self.server.end_imports_normally()
        self.armed.clear()

    def _load_the_rest(self, done: int) -> None:
        ended = self._run(rest_after(self.messages, done))
        assert ended.status == 0, ended.stderr
        found, expected = self.server.contents(), self.model.contents
        assert found.keys() == expected.keys()
        for key, contact in expected.items():
            fields, others = found[key].pop("data_fields"), dict(contact)
            wanted = others.pop("data_fields")
            assert found[key] == others
            wrong = {name for name in {*fields, *wanted} if fields.get(name) != wanted.get(name)}
            assert {name: (fields.get(name), wanted.get(name)) for name in wrong} == {}

    @override
    def teardown(self) -> None:
        try:
            if self.is_sound:
                self._calm_down()
                self._load_the_rest(self.done)
                if self.plan.again:
                    self._load_the_rest(0)  # I4
        finally:
            self.server.__exit__(None, None, None)


def test_generated_runs(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    class Here(Runs):
        place = tmp_path

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=pytestconfig.getoption("--generated-runs"),
            stateful_step_count=12,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # shrinking real runs takes minutes
        ),
    )

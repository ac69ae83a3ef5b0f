"""Kills at random moments of a load, each restarted from the last STATE that was printed.

    uv run python -m benchmarks.kills --kills 200

Each load has its own account on the tests' server, in this process, and two loads run at a time.
The moments are spread over the whole life of the process: a tenth in its start-up, a tenth once
the last import is sent, a tenth once every import has ended, the others evenly in between. A STATE
is compared with what the server had settled in the moment in which it was printed; after the
restart has come to its end, the account must hold what the rows say.

Prints how many kills hit which phase, and what was wrong. Ends with status 1 if anything was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.faults.input_rows import ADDRESS_BOOK, CANARY, PROPERTIES, landed, rest_after, row
from tests.faults.invariants import (
    SettledRows,
    assert_counts,
    assert_nobody_was_wronged,
    assert_silence,
)
from tests.faults.watched_server import WatchedServer
from tests.support.messages import schema, state
from tests.support.target.command import TargetProcess, settings_for

if TYPE_CHECKING:
    from collections.abc import Sequence


PHASES = ("start-up", "reading", "submitting", "polling", "end")
STATE_EACH = 250
BATCH = 500
ACTIVE_IMPORTS = 8
MOST_POLLS = 3
INVALID, NEAR, FAR = 0.002, 0.05, 0.001
"""Shares of rows: with no address; of a person of the rows just before; of one long before."""

PATIENCE_SECONDS = 300.0
TRIES = 20
"""Moments that may come after the process has ended, until one is found that does not."""

SHARE = 0.1
"""Of the moments: so many each in the start-up, after the last import is sent, and at the end."""

PROGRESS_EACH = 10
EXTRA_SECONDS = 0.1
"""After the last import is sent, or has ended: what the process may be doing then."""


class Moment(NamedTuple):
    """When a load is killed."""

    once: str
    """The phase from which the time counts."""
    seconds: float


@dataclass
class Result:
    """What became of one kill."""

    phase: str
    states: int = 0
    """STATE messages printed before it."""
    rows: int = 0
    """Rows that those covered."""
    violations: list[str] = field(default_factory=list)
    wrong_contents: list[str] = field(default_factory=list)


class Load:
    """One account, one input, one kill, one restart."""

    def __init__(self, rows: int, seed: str, pace: float, folder: Path) -> None:
        """Make up the input."""
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.rows, self.pace, self.folder = rows, pace, folder
        self.rejects = folder / "rejects.singer"
        self.invalid: set[int] = set()
        self.messages = [schema(properties=PROPERTIES), *self._made_up()]

    def _made_up(self) -> list[Any]:
        messages = []
        for number in range(1, self.rows + 1):
            chance, person = self.random.random(), number
            values: dict[str, Any] = {}
            if chance < INVALID and number < self.rows:
                self.invalid.add(number)
                values["email"] = f"{CANARY} {number}"
            elif chance < INVALID + FAR:
                person = self.random.randint(max(1, number - 10 * BATCH), number)
            elif chance < INVALID + FAR + NEAR:
                person = self.random.randint(max(1, number - 50), number)
            message = row(number, person, **values)
            if self.random.random() < NEAR:
                del message["record"]["first_name"]
            elif self.random.random() < NEAR:
                message["record"]["first_name"] = None
            messages.append(message)
            if number % STATE_EACH == 0 or number == self.rows:
                messages.append(state({"row": number}))
        return messages

    def left_alone(self) -> tuple[float, float]:
        """Return how long a run takes to its first call, and to its end."""
        result = Result("none")
        with self._account() as server:
            began = time.monotonic()
            self._whole_run(server, self.messages, result)
            ended = time.monotonic()
            first_call = server.calls[0].at
        if result.violations:
            raise SystemExit(f"a run that nobody kills fails: {result.violations}")
        return first_call - began, ended - began

    def killed(self, moment: Moment) -> Result | None:
        """Kill a load at a moment, and restart it; return None if it had ended before."""
        with self._account() as server:
            before = server.contents()
            result = self._killed_run(server, moment)
            if result is None:
                return None
            server.release_all()
            self._whole_run(server, rest_after(self.messages, result.rows), result)
            self._check(server, before, result)
        return result

    def _account(self) -> WatchedServer:
        server = WatchedServer()
        server.data_fields["ROW"] = "Numeric"
        server.add_contact("bystander@example.com", {"FIRSTNAME": "Bea"}, lists=(ADDRESS_BOOK,))
        polls = [self.random.randint(0, MOST_POLLS) for _ in range(self.rows)]
        server.polls_to_finish = lambda each: polls[each.index % len(polls)]
        return server

    def _killed_run(self, server: WatchedServer, moment: Moment) -> Result | None:
        settled = SettledRows(server, self.messages, self.rejects)
        with server.a_run(), self._target(server, settled) as target:
            feeder = threading.Thread(target=target.send_what_it_takes, args=self.messages)
            feeder.start()
            begun = PHASES[PHASES.index(moment.once) :]
            server.wait_until(lambda: self._phase(server) in begun, PATIENCE_SECONDS)
            time.sleep(moment.seconds)
            phase = self._phase(server)
            is_hit = target.process.poll() is None
            target.process.kill()
            feeder.join()
            ended = target.end()
        done = max((each["row"] for each in ended.states), default=0)
        return Result(phase, len(ended.states), done, settled.violations) if is_hit else None

    def _whole_run(self, server: WatchedServer, messages: Sequence[Any], result: Result) -> None:
        settled = SettledRows(server, messages, self.rejects)
        with server.a_run(), self._target(server, settled) as target:
            target.send_what_it_takes(*messages)
            ended = target.end()
        result.violations += settled.violations
        if ended.status != 0:
            result.violations.append(f"the run ended with {ended.status}: {ended.stderr[-500:]}")
        if settled.unsettled():
            result.violations.append("rows are unsettled in the end")
        try:
            assert_counts(ended, settled)
            assert_silence(ended, server, self.folder)
        except AssertionError as error:
            result.violations.append(str(error)[-500:])

    def _check(
        self, server: WatchedServer, before: dict[str, dict[str, Any]], result: Result
    ) -> None:
        try:
            assert_nobody_was_wronged(before, server, server.calls)
        except AssertionError as error:
            result.violations.append(f"somebody was wronged: {error}")
        expected = landed(self.messages, self.invalid)
        contents = server.contents()
        for key, fields in expected.items():
            there = contents.pop(key, None)
            if there is None or there["data_fields"] != fields or there["lists"] != [ADDRESS_BOOK]:
                result.wrong_contents.append(f"row {fields['ROW']}")
        if contents != before:
            result.wrong_contents.append("somebody who was not sent")

    def _target(self, server: WatchedServer, settled: SettledRows) -> TargetProcess:
        config = settings_for(
            server,
            address_book=ADDRESS_BOOK,
            rejects_path=str(self.rejects),
            batch_size_rows=BATCH,
            max_active_imports=ACTIVE_IMPORTS,
        )
        return TargetProcess(
            config,
            self.folder,
            pace=self.pace,
            fresh=True,  # its start-up is hit, too
            on_line=settled.look_at,
        )

    def _phase(self, server: WatchedServer) -> str:
        with server.changed:
            if not server.calls:
                return "start-up"
            if not server.imports:
                return "reading"
            is_sent = any(
                contact.get("dataFields", {}).get("ROW") == self.rows
                for each in server.imports[-ACTIVE_IMPORTS:]
                for contact in each.contacts[-1:]
            )
            if not is_sent:
                return "submitting"
            return "polling" if server.active_imports else "end"


class Job(NamedTuple):
    """One kill, for a process of the pool."""

    number: int
    seed: str
    rows: int
    pace: float
    startup_seconds: float = 0.0
    whole_seconds: float = 0.0

    def load(self, attempt: int, folder: str) -> Load:
        """Make the input up."""
        return Load(self.rows, f"{self.seed} {self.number} {attempt}", self.pace, Path(folder))

    def moment(self, chance: random.Random) -> Moment:
        """Draw when to kill."""
        drawn = chance.random()
        if drawn < SHARE:
            return Moment("start-up", chance.uniform(0, self.startup_seconds))
        if drawn < 3 * SHARE:
            once = "polling" if drawn < 2 * SHARE else "end"
            return Moment(once, chance.uniform(0, EXTRA_SECONDS))
        return Moment("start-up", chance.uniform(self.startup_seconds, self.whole_seconds))


def measure(job: Job) -> tuple[float, float]:
    """Let one load run."""
    with tempfile.TemporaryDirectory() as folder:
        return job.load(0, folder).left_alone()


def kill(job: Job) -> Result:
    """Kill one load, at a moment that hits it."""
    chance = random.Random(f"{job.seed} {job.number} moments")  # noqa: S311 - no secret
    for attempt in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            result = job.load(attempt, folder).killed(job.moment(chance))
        if result is not None:
            return result
    return Result("none", violations=[f"none of {TRIES} moments hit load {job.number}"])


def main() -> int:
    """Kill, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--pace", type=float, default=10, help="how fast the target's clock runs")
    parser.add_argument("--jobs", type=int, default=2, help="loads at a time")
    parser.add_argument("--seed", default=f"{random.SystemRandom().randrange(10**9)}")
    options = parser.parse_args()
    began = time.monotonic()
    job = Job(0, options.seed, options.rows, options.pace)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        alone = pool.map(measure, [job._replace(number=-each) for each in range(options.jobs)])
        startup, whole = (sum(each) / len(alone) for each in zip(*alone, strict=True))
        print(f"seed {options.seed}: a run takes {whole:.1f} s, {startup:.1f} s of it to start")
        job = job._replace(startup_seconds=startup, whole_seconds=whole)
        jobs = [job._replace(number=number) for number in range(1, options.kills + 1)]
        results = []
        for result in pool.imap_unordered(kill, jobs):
            results.append(result)
            for problem in (*result.violations, *result.wrong_contents):
                print(f"WRONG after a kill while {result.phase}: {problem}")
            if len(results) % PROGRESS_EACH == 0:
                print(f"{len(results)} kills, {time.monotonic() - began:.0f} s", flush=True)
    show(results)
    print(f"{time.monotonic() - began:.0f} s, seed {options.seed}")
    return 1 if any(each.violations or each.wrong_contents for each in results) else 0


def show(results: Sequence[Result]) -> None:
    """Print what was hit, and what was wrong."""
    for phase in PHASES:
        hit = [each for each in results if each.phase == phase]
        states, rows = (sum(each.states for each in hit), sum(each.rows for each in hit))
        print(
            f"{phase:<12}{len(hit):>5} kills, {states:>6,} STATE of {rows:>9,} rows printed before"
        )
    print(f"violations     {sum(bool(each.violations) for each in results)}")
    print(f"wrong contents {sum(bool(each.wrong_contents) for each in results)}")


if __name__ == "__main__":
    sys.exit(main())

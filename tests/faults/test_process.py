"""F01 to F11: what can become of the process, its pipes, its files and its settings."""

from __future__ import annotations

import os
import resource
import signal
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from tests.faults.fault_case import fault
from tests.faults.input_rows import PROPERTIES, email, people, row, with_states
from tests.support.dotdigital.answers import Gate, reply, v2_error
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.messages import schema, state
from tests.support.target.command import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.fault_case import FaultCase
    from tests.support.dotdigital.answers import Answer, Call

ROWS = people(6)
"""With two rows an import, three imports."""

MAX_MEGABYTES = 256
GROWTH_MEGABYTES = 25
"""What a million rows may take more than a hundred thousand: less than a byte in forty a row."""


def _stopped(case: FaultCase, number: int, *, released: bool) -> tuple[int, list[Any]]:
    case.server.hold_imports()
    grace = 20 if released else 1
    with case.started(ROWS, batch_size_rows=2, shutdown_grace_seconds=grace) as target:
        target.send(*ROWS)
        case.server.wait_for_imports(2)
        target.process.send_signal(number)
        if released:
            target.wait_for("METRIC", "stderr")
            case.server.release_all()
        ended = target.end()
    return ended.status, ended.states


@fault("F01", "released in time", "not released")
def test_sigterm_waits_for_active_imports_and_no_longer(case: FaultCase, variant: str) -> None:
    status, states = _stopped(case, signal.SIGTERM, released=variant == "released in time")
    assert status == 143
    assert bool(states) == (variant == "released in time")


@fault("F01", "while the tap is silent", "while it connects", "while the queue is full")
def test_sigterm_wherever_the_run_is(case: FaultCase, variant: str) -> None:
    gate = case.server.hold_answer(DATA_FIELDS) if variant == "while it connects" else None
    if variant == "while the queue is full":
        case.server.hold_imports()
    with case.started(
        ROWS, batch_size_rows=1, max_active_imports=1, shutdown_grace_seconds=1
    ) as target:
        target.send(*ROWS[:5] if variant == "while the tap is silent" else ROWS)
        if gate is not None:
            gate.wait()
        else:
            case.server.wait_for_imports(1)
        target.process.send_signal(signal.SIGTERM)
        target.process.wait(PATIENCE_SECONDS)  # its input is still open
        ended = target.end()
    assert ended.status == 143


@fault("F02", "forwarded", "later")
def test_a_second_signal(case: FaultCase, variant: str) -> None:
    case.server.hold_imports()
    with case.started(ROWS, batch_size_rows=2, shutdown_grace_seconds=600) as target:
        target.send(*ROWS)
        case.server.wait_for_imports(1)
        target.process.send_signal(signal.SIGINT)
        if variant == "later":
            # One import's polls go on while it waits, a second apart at least: two seconds pass.
            case.server.wait_until(lambda: max(each.polls for each in case.server.imports) >= 5)
        target.process.send_signal(signal.SIGTERM)
        if variant == "forwarded":
            case.server.release_all()
        ended = target.end()
    if variant == "forwarded":
        assert (ended.status, ended.states[-1]["row"] >= 2) == (130, True)
    else:
        assert (ended.status, ended.states) == (143, [])


KILLED_AT = {
    "connecting": (DATA_FIELDS, 1),
    "first import": (IMPORT, 1),
    "second import": (IMPORT, 2),
    "first poll": (IMPORT_STATUS, 1),
    "fourth poll": (IMPORT_STATUS, 4),
}


@fault("F03", *(f"before the answer, {at}" for at in KILLED_AT), *KILLED_AT)
def test_sigkill_at_any_point(case: FaultCase, variant: str) -> None:
    handled = not variant.startswith("before")
    route, count = KILLED_AT[variant.rpartition(", ")[2]]
    case.server.polls_to_finish = lambda _each: 1
    for _ in range(count - 1):
        case.server.answer_next(route, lambda _call: None)
    gate = case.server.hold_answer(route, handled=handled)
    with case.started(ROWS, batch_size_rows=2, max_active_imports=1) as target:
        target.send(*ROWS)
        gate.wait()
        target.process.kill()
        ended = target.end()
        gate.open()
    assert ended.status == -signal.SIGKILL


@fault("F04", "released in time", "not released")
def test_sigint_waits_for_active_imports_and_no_longer(case: FaultCase, variant: str) -> None:
    status, states = _stopped(case, signal.SIGINT, released=variant == "released in time")
    assert status == 130
    assert bool(states) == (variant == "released in time")


@fault("F05", "in a record", "in a state", "in the first line")
def test_a_tap_that_dies_in_the_middle_of_a_line(case: FaultCase, variant: str) -> None:
    whole = [*people(4), row(5), state({"row": 5})]
    cut = {"in a record": 9, "in a state": 10, "in the first line": 0}[variant]
    line = msgspec.json.encode(whole[cut])[:-7]
    with case.started(whole, batch_size_rows=2) as target:
        target.send(*whole[:cut], line)
        ended = target.end()
    assert ended.status == 1
    assert f"Line {cut + 1} is not valid JSON ({len(line)} bytes)" in ended.stderr
    assert "[to act: fix the data]" in ended.stderr
    # An import is on its way once a row comes that does not fit in; those are waited for.
    under_way = {"in a record": [{"row": 2}], "in a state": [{"row": 4}], "in the first line": []}
    assert ended.states[-1:] == under_way[variant]


@fault("F06", "nothing", "a schema alone", "a mirror of nothing", "a schema of a mirror")
def test_no_input_writes_nothing(case: FaultCase, variant: str) -> None:
    sent = people(0) if "schema" in variant else []
    streams = {"people": {"sync_mode": "mirror"}} if "mirror" in variant else None
    ended = case.run(sent, streams=streams)
    assert ended.states == []
    if variant == "a schema of a mirror":
        assert ended.status == 1
        assert "the tap sent no contact" in ended.stderr
    else:
        assert ended.status == 0
    # The case has made sure that only GET and imports were called.
    assert not case.server.calls_of(IMPORT)
    assert case.server.members(102) == 1


@fault("F07")
def test_output_that_nobody_reads_any_more(case: FaultCase) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        ended = case.run(ROWS, batch_size_rows=2, stdout=nobody)
    assert ended.status == 1
    assert "Standard output is closed. Check the program that reads it" in ended.stderr
    assert "BrokenPipe" not in ended.stderr


@fault("F75", "an import", "a queue", "a repeated call")
def test_a_signal_while_loads_are_open_sends_nothing_new(case: FaultCase, variant: str) -> None:
    rows = people(4)
    case.server.hold_imports()
    gate = Gate()
    if variant == "a repeated call":
        busy = v2_error(503, "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE")
        case.server.answer_next(IMPORT, replace(busy, gate=gate))
    settings: dict[str, Any] = {"batch_size_rows": 3, "batch_wait_limit_seconds": 3600}
    if variant == "a queue":
        settings = {"batch_size_rows": 1, "max_active_imports": 1}
    with case.started(rows, **settings) as target:
        target.send(*rows)  # three in an import, which is sent when the fourth has no room
        if variant == "a repeated call":
            gate.wait()
        else:
            case.server.wait_for_imports(1)
        target.process.send_signal(signal.SIGTERM)
        target.wait_for("Waiting up to", "stderr")
        gate.open()
        case.server.release_all()
        ended = target.end()
    settled = {"an import": 3, "a queue": 1, "a repeated call": 0}[variant]
    assert ended.status == 143
    assert ended.states[-1:] == ([{"row": settled}] if settled else [])
    assert len(case.server.calls_of(IMPORT)) == 1
    last = ended.stderr.splitlines()[-1]
    assert "Stopped by SIGTERM. " in last
    assert "rows are not settled. The next run sends them again." in last


INVALID = [7, 8, 9]
"""Numbers of rows that go to the rejects file."""


def _with_invalid_rows() -> list[Any]:
    bad = (row(number, email=f"kanarienvogel {number}") for number in INVALID)
    with_bad = [
        message for each in bad for message in (each, state({"row": each["record"]["row"]}))
    ]
    return [*people(6), *with_bad, *with_states(range(10, 13))]


@fault("F08", "a folder that is a file", "no file")
def test_a_rejects_file_that_cannot_be_written_is_found_before_anything_is_sent(
    case: FaultCase, variant: str
) -> None:
    (case.folder / "input").touch()
    place = "input/rejects.singer" if variant == "a folder that is a file" else "tmp"
    case.left_out = INVALID
    ended = case.run(_with_invalid_rows(), rejects_path=str(case.folder / place))
    assert (ended.status, ended.states) == (1, [])
    assert "rejects_path" in ended.stderr
    assert "No row was read. [to act: check the disk]" in ended.stderr
    assert case.server.calls == []


@fault("F08", "at the first reject", "at the second reject")
def test_a_disk_that_is_full_counts_no_row_as_stored(case: FaultCase, variant: str) -> None:
    rows = _with_invalid_rows()
    case.left_out = INVALID
    with case.started(
        rows,
        batch_size_rows=2,
        max_reject_percent=100,
        report_path=None,  # it would not fit either
    ) as target:
        target.send(*people(6))
        case.server.wait_for_imports(2)
        # The file can grow so far, as if the disk were full then: the SCHEMA and a row.
        room = 100 if variant == "at the first reject" else 900
        resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, (room, room))
        target.send_what_it_takes(*rows[len(people(6)) :])
        ended = target.end()
    assert ended.status == 1
    assert "cannot be written: File too large" in ended.stderr
    stored = 0 if variant == "at the first reject" else 1
    # Of the first six rows, two wait for others in an open import when the run fails.
    assert ended.states[-1] == {"row": 4}
    assert f"{4 + stored} of {7 + stored} rows are settled" in ended.stderr
    assert "[to act: check the disk]" in ended.stderr


@fault("F08")
def test_the_rejects_file_is_for_its_owner_alone(case: FaultCase) -> None:
    case.left_out = INVALID
    before = os.umask(0)
    try:
        case.run(_with_invalid_rows(), max_reject_percent=100)
    finally:
        os.umask(before)
    assert stat.S_IMODE(case.rejects.stat().st_mode) == 0o600


def _taken(call: Call) -> Answer:
    """Take an import as fast as can be: the account is not what is looked at."""
    count = call.body.count(b'"matchIdentifier"')
    return reply(202, {"importId": f"{count}-{hash(call.body) & 0xFFFFFFFF:x}"})


def _counted(call: Call) -> Answer:
    import_id = call.path.rpartition("/")[2]
    count = int(import_id.partition("-")[0])
    call.body = b""
    status = {"importId": import_id, "status": "Finished", "summary": {"newContacts": count}}
    return reply(200, status)


def _many(count: int) -> Iterator[bytes]:
    yield msgspec.json.encode(schema(properties=PROPERTIES)) + b"\n"
    for number in range(1, count + 1):
        yield (
            b'{"type":"RECORD","stream":"people","record":{"row":%d,"email":"%s",'
            b'"first_name":"kanarienvogel"}}\n' % (number, email(number).encode())
        )
        if number % 10_000 == 0:
            yield b'{"type":"STATE","value":{"row":%d}}\n' % number


@fault("F09")
def test_a_million_rows_in_little_memory(case: FaultCase) -> None:
    case.server.answer_next(IMPORT, _taken, times=None)
    case.server.answer_next(IMPORT_STATUS, _counted, times=None)
    case.max_calls = 2_000
    case.environment.update(LOGLEVEL="INFO", TARGET_DOTDIGITAL_LOGLEVEL="INFO")
    peaks = []
    for count in (100_000, 1_000_000):
        with case.started([], rejects_path=None) as target:
            for block in _many(count):
                target.send(block)
            ended = target.end()
        assert (ended.status, ended.states[-1]) == (0, {"row": count})
        assert ended.counts().startswith(f"read {count} = imported {count} + rejected 0")
        assert target.peak_megabytes is not None
        peaks.append(target.peak_megabytes)
    assert peaks[1] <= MAX_MEGABYTES
    assert peaks[1] - peaks[0] <= GROWTH_MEGABYTES


@fault("F63", *(f"run {number}" for number in range(1, 6)))
def test_answers_that_come_at_once_are_decoded_by_threads_in_haste(
    case: FaultCase, variant: str
) -> None:
    """Types that threads meet for the first time crash the process: a matter of microseconds."""
    assert variant
    case.environment["FAST_CLOCK_THREAD_SWITCHES"] = "1e-6"
    ended = case.run(people(20), batch_size_rows=1, max_active_imports=20)
    assert ended.status == 0
    assert len(case.server.imports) == 20


WRONG_SETTINGS: dict[str, dict[str, Any]] = {
    "a number for the password": {"password": 9876543210123},
    "an unknown stream key": {"streams": {"people": {"merge_options": "kanarienvogel"}}},
    "a bad region": {"region": "kanarienvogel"},
    "two at once": {"region": "kanarienvogel", "max_active_imports": 26},
}


@fault("F11", *WRONG_SETTINGS)
def test_wrong_settings_end_the_run_before_its_input_is_read(case: FaultCase, variant: str) -> None:
    wrong = WRONG_SETTINGS[variant]
    with case.started(people(2), **wrong) as target:
        # Nothing is sent, and its input stays open.
        target.wait_for("Config validation failed", "stderr")
        ended = target.end()
    assert (ended.status, ended.stdout) == (1, "")
    for name in wrong:
        assert name in ended.stderr
    assert "9876543210123" not in ended.stderr
    assert case.server.calls == []

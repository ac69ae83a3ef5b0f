"""Faults of opt-outs, and of the commands beside the load: --verify, --replay and --undo."""

from __future__ import annotations

import json
import resource
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.fault_case import stands_for
from tests.faults.input_rows import CANARY
from tests.faults.invariants import assert_silence
from tests.support.canary import DEBUG
from tests.support.dotdigital.account.normal_forms import key_of
from tests.support.dotdigital.answers import lost_reply, rate_limited, reply, reset_unread
from tests.support.dotdigital.departure_routes import CONTACT, MEMBERS
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, rows, schema
from tests.support.mirrors import BOOK, fill, members, mirror, undo_files
from tests.support.reports import verification_of
from tests.support.target.command import TargetProcess, settings_for
from tests.support.target.commands import found

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "first_name": {"type": ["string", "null"]},
    "out": {"type": ["boolean", "null"]},
}
SCHEMA = schema(properties=PROPERTIES)
NAMES = ("ann", "bob", "cid", "dan")
PACE = 100


def run(
    config: dict[str, Any], folder: Path, *arguments: str, messages: tuple[Any, ...] = ()
) -> FinishedRun:
    """Run the command line at DEBUG, on a clock that runs faster."""
    with TargetProcess(config, folder, arguments=arguments, environment=DEBUG, pace=PACE) as target:
        target.send_what_it_takes(*messages)
        return target.end()


def silent(ended: FinishedRun, server: DotdigitalServer, folder: Path) -> FinishedRun:
    """Make sure that it has said nothing of anybody, and return it."""
    assert_silence(ended, server, folder)
    return ended


def only_read(server: DotdigitalServer, since: int) -> bool:
    return {call.method for call in server.calls[since:]} <= {"GET"}


def delete(server: DotdigitalServer, address: str) -> None:
    """Delete a contact, as if somebody had done so in Dotdigital."""
    with server.changed:
        contact = server.contact_of(key_of("email", address))
        assert contact is not None
        server.forget(contact)


# Opt-outs.


@stands_for("F84")
@pytest.mark.parametrize("out_first", [True, False])
@pytest.mark.parametrize("fault", ["killed", "reply lost", "not read", "limited", "failed"])
def test_an_opt_out_holds_whatever_breaks_on_its_way(
    server: DotdigitalServer, tmp_path: Path, fault: str, *, out_first: bool
) -> None:
    """Of the two rows one opts out, and the other stream would opt in."""
    streams = {"people": {"opt_out": {"email": "out"}}, "buyers": {"resubscribe": True}}
    config = settings_for(server, streams=streams, batch_size_rows=1)
    name = f"{CANARY}@example.com"
    pair = [record(email=name, out=True), record("buyers", email=name)]
    messages = (SCHEMA, schema("buyers", PROPERTIES), *(pair if out_first else pair[::-1]))
    server.add_contact(name)
    answers = {"reply lost": lost_reply(), "not read": reset_unread(), "limited": rate_limited()}
    if fault in answers:
        server.answer_next(IMPORT, answers[fault], times=2)
    if fault == "failed":
        server.end_next_imports("Failed")
    if fault == "killed":
        server.hold_imports()
        with TargetProcess(config, tmp_path, environment=DEBUG) as target:
            target.send(*messages)
            target.close_input()
            server.wait_for_imports(1)
            target.process.kill()
            target.end()
        server.release_all()
    ended = silent(run(config, tmp_path, messages=messages), server, tmp_path)
    assert ended.status == 0, ended.stderr
    contact = server.contact(name)
    assert contact is not None
    assert contact.email_status == "unsubscribed"


@stands_for("F85")
@pytest.mark.parametrize("many", [1, 250], ids=["looked up", "read"])
@pytest.mark.parametrize("fault", ["once", "for ever", "not complete"])
def test_who_is_known_cannot_be_told(
    server: DotdigitalServer, tmp_path: Path, fault: str, many: int
) -> None:
    """With `opt_out_new: skip`: an opt-out is sent rather than lost, or the run fails."""
    stream = {"opt_out": {"email": "out"}, "opt_out_new": "skip"}
    config = settings_for(server, streams={"people": stream})
    names = [f"{CANARY}{number}@example.com" for number in range(many)]
    server.add_contact(names[0])
    route = CONTACT if many == 1 else MEMBERS
    if fault == "not complete":
        # A page that comes again; a contact that nothing is said of.
        body: dict[str, Any] = {"_items": [], "_links": {"next": {"marker": "x", "link": "x"}}}
        server.answer_next(route, reply(200, body), times=None)
    else:
        server.answer_next(route, reply(503, {}), times=1 if fault == "once" else None)
    messages = (SCHEMA, *(record(email=each, out=True) for each in names))
    ended = silent(run(config, tmp_path, messages=messages), server, tmp_path)
    known = server.contact(names[0])
    assert known is not None
    if fault == "for ever" or (fault == "not complete" and many == 1):
        assert ended.status == 1
        assert known.email_status == "subscribed"
        assert not server.calls_of(IMPORT)
    else:
        assert ended.status == 0, ended.stderr
        assert known.email_status == "unsubscribed"
        assert len(server.contacts) == 1


# --verify.


@stands_for("F86")
@pytest.mark.parametrize("fault", ["once", "for ever", "refused", "killed", "stopped"])
def test_a_verification_that_breaks_off_has_written_nothing_and_proved_nothing(
    server: DotdigitalServer, tmp_path: Path, fault: str
) -> None:
    config = settings_for(server, report_path=str(tmp_path / "report.json"))
    messages = (SCHEMA, *rows([f"{CANARY}{number}" for number in range(9)], first_name=CANARY))
    assert run(config, tmp_path, messages=messages).status == 0
    server.departures.max_page = 2
    since = len(server.calls)
    gate = None
    if fault in {"killed", "stopped"}:
        server.answer_next(MEMBERS, lambda _: None)
        gate = server.hold_answer(MEMBERS)
    else:
        status = 401 if fault == "refused" else 502
        bad = reply(status, {"message": CANARY})
        server.answer_next(MEMBERS, lambda _: None)
        server.answer_next(MEMBERS, bad, times=1) if fault == "once" else server.answer_next(
            MEMBERS, *[bad] * 20
        )
    with TargetProcess(
        config, tmp_path, arguments=("--verify",), environment=DEBUG, pace=PACE
    ) as target:
        target.send(*messages)
        target.close_input()
        if gate is not None:
            server.wait_for_calls(MEMBERS, 2)
            (target.process.kill if fault == "killed" else target.process.terminate)()
            gate.open()
        ended = silent(target.end(), server, tmp_path)
    statuses = {"once": 0, "killed": -9, "stopped": 143}
    assert ended.status == statuses.get(fault, 1), ended.stderr
    assert (ended.stdout, only_read(server, since)) == ("", True)
    if fault == "killed":
        assert not (tmp_path / "report.verify.json").exists()
    else:
        assert (verification_of(tmp_path)["status"] == "succeeded") is (fault == "once")


@stands_for("F87")
@pytest.mark.parametrize("change", ["joins", "leaves", "is deleted", "comes twice"])
def test_an_address_book_that_changes_while_it_is_read(
    server: DotdigitalServer, tmp_path: Path, change: str
) -> None:
    """Nobody is called right who is not, and nobody extra or missing twice."""
    config = settings_for(
        server,
        report_path=str(tmp_path / "report.json"),
        streams={"people": {"sync_mode": "mirror", "max_removal_percent": 100}},
    )
    messages = (SCHEMA, *rows(NAMES))
    assert run(config, tmp_path, messages=messages).status == 0
    server.add_contact("extra@example.com", lists=(102,))
    server.departures.max_page = 1
    first = server.hold_answer(MEMBERS)
    with TargetProcess(
        config, tmp_path, arguments=("--verify",), environment=DEBUG, pace=PACE
    ) as target:
        target.send(*messages)
        target.close_input()
        server.wait_for_calls(MEMBERS, 2)
        if change == "joins":
            server.add_contact("late@example.com", lists=(102,))
        elif change == "comes twice":
            twice = [{"contactId": 99, "status": "subscribed", "identifiers": {"email": CANARY}}]
            page = {"_items": twice * 2, "_links": {"next": None}}
            server.answer_next(MEMBERS, reply(200, page))
        else:
            with server.edited("dan@example.com") as dan:
                dan.lists.clear()
        if change == "is deleted":
            delete(server, "dan@example.com")
        first.open()
        ended = target.end()
    assert_silence(ended, server, tmp_path)
    assert ended.status == 1, ended.stderr
    told = verification_of(tmp_path)["totals"]
    if change == "comes twice":
        assert "but lists only" in ended.stderr
        return
    assert told["extra"] == (2 if change == "joins" else 1)
    missing = {"leaves": (1, 0), "is deleted": (1, 1)}.get(change, (0, 0))
    assert (told["missing"], told["not_in_the_account"]) == missing


@stands_for("F88")
def test_a_list_of_who_differs_that_cannot_be_written(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path = tmp_path / "rejects.singer.csv"
    config = settings_for(server, rejects_csv=str(path))
    messages = (SCHEMA, *rows([f"{CANARY}{number}" for number in range(50)]))
    with TargetProcess(
        config, tmp_path, arguments=("--verify",), environment=DEBUG, pace=PACE
    ) as target:
        target.send(SCHEMA)
        server.wait_for_calls("GET /v2/data-fields", 1)
        resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, (1_000, 1_000))
        target.send(*messages)
        ended = silent(target.end(), server, tmp_path)
    assert ended.status == 1
    assert "rejects_csv" in ended.stderr.splitlines()[-1]
    assert only_read(server, 0)
    assert path.stat().st_size <= 1_000


# --replay.


def rejected(server: DotdigitalServer, folder: Path, **settings: Any) -> dict[str, Any]:
    """Load rows of which two are rejected, repair them, and return the settings."""
    config = settings_for(server, rejects_path=str(folder / "rejects.singer"), **settings)
    broken = [record(email=f"{name} at example.com", first_name=CANARY) for name in NAMES[2:]]
    ended = run(config, folder, messages=(SCHEMA, *rows(NAMES[:2]), *broken))
    assert ended.status == 0, ended.stderr
    path = folder / "rejects.singer"
    path.write_text(path.read_text().replace(" at example", "@example"))
    return config


def replay(config: dict[str, Any], folder: Path) -> FinishedRun:
    return run(config, folder, "--replay", "rejects.singer")


@stands_for("F89")
@pytest.mark.parametrize("fault", ["killed", "stopped", "no answer", "watchdog", "reply lost"])
def test_a_replay_that_breaks_off_leaves_the_file(
    server: DotdigitalServer, tmp_path: Path, fault: str
) -> None:
    config = rejected(server, tmp_path, shutdown_grace_seconds=0)
    path = tmp_path / "rejects.singer"
    text = path.read_bytes()
    if fault in {"killed", "stopped"}:
        server.hold_imports()
        accepted = len(server.imports)
        with TargetProcess(
            config, tmp_path, arguments=("--replay", str(path)), environment=DEBUG
        ) as target:
            server.wait_for_imports(accepted + 1)
            (target.process.kill if fault == "killed" else target.process.terminate)()
            ended = silent(target.end(), server, tmp_path)
        server.release_all()
        assert ended.status == (-9 if fault == "killed" else 143)
    elif fault == "watchdog":
        server.end_next_imports("RejectedByWatchdog")
        assert silent(replay(config, tmp_path), server, tmp_path).status == 1
    else:
        answer = lost_reply() if fault == "reply lost" else reply(503, {})
        server.answer_next(IMPORT, answer, times=2 if fault == "reply lost" else None)
        ended = silent(replay(config, tmp_path), server, tmp_path)
        assert ended.status == (0 if fault == "reply lost" else 1)
        server.answer_normally()
    if fault == "reply lost":
        assert not path.exists()
    else:
        assert path.read_bytes() == text
        assert silent(replay(config, tmp_path), server, tmp_path).status == 0
    assert set(server.contacts) == {f"{name}@example.com" for name in NAMES}
    assert len(list(tmp_path.glob("rejects.singer.*.replayed"))) == 1


TAPS = json.dumps(SCHEMA) + "\n" + json.dumps(record(email=f"{CANARY}@example.com")) + "\n"
BAD_FILES: dict[str, tuple[str | None, str, str]] = {
    "missing": (None, "rejects.singer", "cannot be read: No such file"),
    "empty": ("", "rejects.singer", "has no rows"),
    "a spreadsheet": (f"email;name\n{CANARY};x\n", "rejects.singer", "has no rows"),
    "of a tap": (TAPS, "rejects.singer", "no row has _sdc_reject_code"),
    "replayed before": (TAPS, "rejects.singer.20260101T000000Z.replayed", "was replayed before"),
    "a folder": (None, ".", "is not a file"),
}


@stands_for("F90")
@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("option", ["--replay", "--undo"])
def test_a_file_that_cannot_be_loaded_ends_the_command_before_any_call(
    server: DotdigitalServer, tmp_path: Path, option: str, kind: str
) -> None:
    content, name, told = BAD_FILES[kind]
    if option == "--undo" and content == TAPS:
        told = "is not an undo file"
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    ended = run(settings_for(server), tmp_path, option, name)
    assert (ended.status, ended.stdout) == (1, "")
    assert told in ended.stderr.splitlines()[-1]
    assert "[to act: " in ended.stderr.splitlines()[-1]
    assert CANARY not in ended.stderr
    assert not server.calls
    assert content is None or path.read_text() == content


@stands_for("F90")
def test_a_rejects_file_that_was_cut_off_stays(server: DotdigitalServer, tmp_path: Path) -> None:
    config = rejected(server, tmp_path)
    path = tmp_path / "rejects.singer"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    ended = silent(replay(config, tmp_path), server, tmp_path)
    assert ended.status == 1
    assert "Line 3" in ended.stderr
    assert path.read_bytes() == whole[:-20]


@stands_for("F91")
@pytest.mark.parametrize("change", ["replayed", "written on", "replaced", "moved"])
def test_a_file_that_changes_while_it_is_replayed_loses_no_row(
    server: DotdigitalServer, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "rejects"
    folder.mkdir()
    config = {**rejected(server, folder), "rejects_path": "unused"}
    path = folder / "rejects.singer"
    line = path.read_bytes().splitlines()[-1].replace(b"dan@", b"eve@") + b"\n"
    server.hold_imports()
    accepted = len(server.imports)
    with TargetProcess(
        config, tmp_path, arguments=("--replay", str(path)), environment=DEBUG
    ) as target:
        server.wait_for_imports(accepted + 1)
        if change == "replayed":
            second = silent(run(config, tmp_path, "--replay", str(path)), server, tmp_path)
            assert second.status == 1
            assert "is being loaded by another run" in second.stderr
        elif change == "written on":
            with path.open("ab") as file:
                file.write(line)
        elif change == "replaced":
            path.unlink()
            path.write_bytes(line)
        else:
            shutil.move(folder, tmp_path / "elsewhere")
        server.release_all()
        ended = silent(target.end(), server, tmp_path)
    assert ended.status == (1 if change == "moved" else 0), ended.stderr
    told = {
        "replayed": "The file is called",
        "written on": "was changed meanwhile, so it stays. Replay it once more",
        "replaced": "was replaced meanwhile. The new file stays",
        "moved": "are settled, but the file cannot be renamed",
    }
    assert told[change] in ended.stderr
    stays = change in {"written on", "replaced"}
    assert path.exists() is stays
    assert not stays or line in path.read_bytes()
    assert len(list(folder.glob("*.replayed"))) == (change == "replayed")


# --undo.


def undone(server: DotdigitalServer, folder: Path) -> tuple[dict[str, Any], Path]:
    """Let a mirror take people out, and return the settings and the file."""
    fill(server, *NAMES)
    config = mirror(server)
    assert run(config, folder, messages=(schema(), *rows(NAMES[:1]))).status == 0
    assert members(server) == set(NAMES[:1])
    (path,) = undo_files(folder)
    return config, path


@stands_for("F92")
def test_a_file_of_another_account_puts_nobody_back(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Contact IDs are those of other people there."""
    config, path = undone(server, tmp_path)
    server.account_id = 2
    since = len(server.calls)
    for more in ({}, {"dry_run": True}):
        ended = silent(run({**config, **more}, tmp_path, "--undo", str(path)), server, tmp_path)
        assert ended.status == 1
        assert "The file is of account 1, but the settings are of account 2" in ended.stderr
    assert only_read(server, since)
    # One that does not say it is of an older version.
    path.write_text(path.read_text().replace('"account": 1, ', ""))
    assert run(config, tmp_path, "--undo", str(path)).status == 0
    assert members(server) == set(NAMES)


@stands_for("F92")
def test_an_address_book_that_is_gone_is_told_before_anything_is_written(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config, path = undone(server, tmp_path)
    del server.address_books[BOOK]
    since = len(server.calls)
    ended = silent(
        run({**config, "create_address_book": True}, tmp_path, "--undo", str(path)),
        server,
        tmp_path,
    )
    assert ended.status == 1
    assert str(BOOK) in ended.stderr.splitlines()[-1]
    assert "[to act: fix the settings]" in ended.stderr.splitlines()[-1]
    assert only_read(server, since)


@stands_for("F92")
def test_whoever_was_deleted_meanwhile_is_rejected_and_not_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config, path = undone(server, tmp_path)
    delete(server, "dan@example.com")
    ended = silent(run(config, tmp_path, "--undo", str(path)), server, tmp_path)
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob", "cid"}
    assert len(server.contacts) == 3
    assert "read 3 = imported 2 + rejected 1" in ended.counts("leavers")
    (left,) = set(undo_files(tmp_path)) - {path}
    assert left.stat().st_mode & 0o777 == 0o600


@stands_for("F92")
@pytest.mark.parametrize("end", [-3, -60])
def test_an_undo_file_that_was_cut_off_fails_and_puts_back_the_others(
    server: DotdigitalServer, tmp_path: Path, end: int
) -> None:
    config, path = undone(server, tmp_path)
    path.write_bytes(path.read_bytes()[:end])
    ended = silent(run(config, tmp_path, "--undo", str(path)), server, tmp_path)
    assert ended.status == 1
    assert "Line" in ended.stderr
    assert path.exists()


@stands_for("F93")
@pytest.mark.parametrize("option", ["--verify", "--replay", "--undo"])
def test_a_dry_run_of_each_only_reads(
    server: DotdigitalServer, tmp_path: Path, option: str
) -> None:
    messages: tuple[Any, ...] = ()
    if option == "--undo":
        config, path = undone(server, tmp_path)
        arguments: tuple[str, ...] = (option, str(path))
    else:
        config, path = rejected(server, tmp_path), tmp_path / "rejects.singer"
        arguments = (option, str(path))
    if option == "--verify":
        arguments, messages = (option,), (SCHEMA, *rows(NAMES[:2]))
    before, text, since = server.contents(), path.read_bytes(), len(server.calls)
    files = {each.name for each in tmp_path.iterdir()}
    config = {**config, "dry_run": True}
    ended = silent(run(config, tmp_path, *arguments, messages=messages), server, tmp_path)
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert server.contents() == before
    assert only_read(server, since)
    assert path.read_bytes() == text
    assert {each.name for each in tmp_path.iterdir()} == files
    if option == "--verify":
        assert found(ended) == {"expected": 2, "as it should be": 2}
    else:
        assert "Plan of a dry run" in ended.stderr

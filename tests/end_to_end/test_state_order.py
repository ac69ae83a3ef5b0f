"""STATE, by the order in which imports end and by which of them fail, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dotdigital.answers import lost_reply
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.account.account import Import
    from tests.support.dotdigital.server import DotdigitalServer

FIRST, SECOND = 0, 1
TWO_IMPORTS = (
    schema(),
    record(id=1, email="ann@example.com"),
    state({"row": 1}),
    record(id=2, email="bob@example.com"),
    state({"row": 2}),
)


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)], ids=["in order", "reversed"])
@pytest.mark.parametrize(
    ("failing", "states"),
    [
        pytest.param((), {"row": 2}, id="none fails"),
        pytest.param((FIRST,), None, id="the first fails"),
        pytest.param((SECOND,), {"row": 1}, id="the second fails"),
        pytest.param((FIRST, SECOND), None, id="both fail"),
    ],
)
def test_state_covers_settled_rows_only(
    server: DotdigitalServer,
    tmp_path: Path,
    order: tuple[int, int],
    failing: tuple[int, ...],
    states: dict[str, int] | None,
) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(*TWO_IMPORTS, record(id=3, email="cid@example.com"))
        emails = [
            each.contacts[0]["identifiers"]["email"] for each in server.wait_for_imports(2)[:2]
        ]
        for which in order:
            index = emails.index(("ann@example.com", "bob@example.com")[which])
            if which in failing:
                server.fail(index, "RejectedByWatchdog")
            else:
                server.finish(index)
        server.release_all()
        ended = target.end()
    assert ended.status == (1 if failing else 0)
    printed = ended.states
    assert (printed[-1] if printed else None) == states
    assert printed == sorted(printed, key=lambda value: int(value["row"]))
    if failing:
        assert "Watchdog" in ended.stderr
        assert " + unsettled " in ended.counts()


def test_state_leaves_while_the_tap_is_silent(server: DotdigitalServer, tmp_path: Path) -> None:
    config = settings_for(server, batch_size_rows=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(*TWO_IMPORTS)
        target.wait_for('{"row": 1}')  # the tap has sent nothing more, and has not ended
        assert target.process.poll() is None
        assert target.end().states[-1] == {"row": 2}


def test_an_old_batch_leaves_while_the_tap_is_silent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, batch_wait_limit_seconds=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), record(id=1, email="ann@example.com"), state({"row": 1}))
        target.wait_for('{"row": 1}')
        assert list(server.contacts) == ["ann@example.com"]


def test_state_is_printed_exactly_as_it_came(server: DotdigitalServer, tmp_path: Path) -> None:
    odd = '{"b": 1.10, "a":[1E5,   null], "k": "\\u00e9", "big": 123456789012345678901234567890}'
    ended = load(
        settings_for(server),
        tmp_path,
        schema(),
        record(id=1, email="ann@example.com"),
        f'{{"type": "STATE", "value": {odd}}}',
        state({}),
        state(None),
    )
    assert ended.status == 0
    assert ended.stdout == f"{odd}\n"


def test_rows_of_one_person_in_many_imports_keep_their_order(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.polls_to_finish = lambda each: each.index % 3
    rows = [
        record(id=number, email=f"{'ann' if number % 2 else 'bob'}@example.com", first_name=number)
        for number in range(1, 13)
    ]
    properties: dict[str, dict[str, str]] = {"id": {}, "email": {}, "first_name": {}}
    ended = load(
        settings_for(server, batch_size_rows=1), tmp_path, schema(properties=properties), *rows
    )
    assert ended.status == 0
    assert server.order_violations == 0
    names = {email: contact.data_fields["FIRSTNAME"] for email, contact in server.contacts.items()}
    assert names == {"ann@example.com": "11", "bob@example.com": "12"}


@pytest.mark.parametrize("fails", [None, FIRST, 3])
def test_a_load_that_is_divided_among_slots_keeps_order_and_state(
    server: DotdigitalServer, tmp_path: Path, fails: int | None
) -> None:
    """4,500 people, and one of them again at the end, with another value and in another import."""

    def polls(each: Import) -> int:
        if each.index == fails:
            each.ends_with = "RejectedByWatchdog"
        return 1 + each.index % 2

    server.polls_to_finish = polls
    people = [record(id=number, email=f"p{number}@example.com") for number in range(4_500)]
    properties: dict[str, dict[str, str]] = {"id": {}, "email": {}, "first_name": {}}
    again = record(id=0, email="p0@example.com", first_name="new")
    messages = [schema(properties=properties), *people, state(1), again, state(2)]
    ended = load(settings_for(server), tmp_path, *messages)
    assert server.order_violations == 0
    if fails is not None:
        assert ended.status == 1
        assert ended.stdout in {"", "1\n"}
        assert fails != FIRST or not ended.stdout
        return
    assert ended.status == 0
    assert ended.stdout.splitlines()[-1] == "2"
    sizes = [len(each.contacts) for each in server.imports]
    assert len(sizes) >= 4
    assert max(sizes) <= 2_000
    assert len(server.contacts) == 4_500
    assert server.contacts["p0@example.com"].data_fields["FIRSTNAME"] == "new"


def test_rows_of_two_streams_about_one_person_keep_their_order(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"crm": {"address_book": 101}, "shop": {"address_book": "Customers"}}
    ended = load(
        settings_for(server, streams=streams),
        tmp_path,
        schema("crm"),
        schema("shop"),
        record("crm", id=1, email="ann@example.com", first_name="old"),
        record("shop", id=7, email="Ann@Example.com", first_name="new"),
    )
    assert ended.status == 0
    (contact,) = server.contacts.values()
    assert contact.data_fields["FIRSTNAME"] == "new"
    assert contact.lists == {101, 102}
    assert ended.counts("crm").startswith("read 1 = imported 1 + rejected 0 + collapsed 0")
    assert ended.counts("shop").startswith("read 1 = imported 1 + rejected 0 + collapsed 0")


def test_a_reply_that_is_lost_is_asked_for_again(server: DotdigitalServer, tmp_path: Path) -> None:
    server.answer_next(IMPORT, lost_reply())
    ended = load(settings_for(server), tmp_path, *TWO_IMPORTS)
    assert ended.status == 0
    assert ended.states == [{"row": 2}]
    assert len(server.calls_of(IMPORT)) == 2
    assert sorted(server.contacts) == ["ann@example.com", "bob@example.com"]

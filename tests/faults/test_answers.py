"""F76: answers that are spelled otherwise, or that have no body where none has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault_case import fault
from tests.faults.input_rows import email, people, row, with_states
from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.departure_routes import DELETE, REMOVAL_STATUS, REMOVE
from tests.support.dotdigital.routes import CREATE_DATA_FIELD, IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.fault_case import FaultCase

HURRY = 20


def pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def mixed(name: str) -> str:
    """Spell every second name otherwise: one answer may have both spellings."""
    return name.upper() if len(name) % 2 else name


SPELLINGS: dict[str, Callable[[str], str]] = {
    "pascal": pascal,
    "lower": str.lower,
    "upper": str.upper,
    "mixed": mixed,
}


@fault("F76", *(f"{way} {name}" for way in ("remove", "delete") for name in SPELLINGS))
def test_answers_are_read_however_their_names_are_spelled(case: FaultCase, variant: str) -> None:
    on_delete, _, spelling = variant.partition(" ")
    case.server.spell = SPELLINGS[spelling]
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102,))
    case.server.reject(email(2))
    case.skipped, case.left_out, case.gone = [5], [2], [email(5)]
    case.writes = (IMPORT, REMOVE if on_delete == "remove" else DELETE)
    case.settings["streams"] = {"people": {"on_delete": on_delete}}
    leaver = row(5, _sdc_deleted_at="2026-01-01T00:00:00Z")
    ended = case.run([*people(3), leaver, *with_states([6])], pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    assert "imported 3 + rejected 1" in ended.counts()
    assert "Trying again" not in ended.stderr
    contact = case.server.contacts.get(email(5))
    assert (None if contact is None else contact.lists) == (
        set() if on_delete == "remove" else None
    )


@fault("F76", "body", "no body", "no body pascal")
def test_a_data_field_is_created_whatever_the_answer_tells(case: FaultCase, variant: str) -> None:
    case.server.tells_created_field = variant == "body"
    if variant.endswith("pascal"):
        case.server.spell = pascal
    del case.server.data_fields["ROW"]
    case.writes = (IMPORT, CREATE_DATA_FIELD)
    case.settings["create_data_fields"] = True
    case.settings["streams"] = {"people": {"fields": {"FIRSTNAME": "first_name", "row": "row"}}}
    ended = case.run(people(3), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
    assert len(case.server.calls_of(CREATE_DATA_FIELD)) == 1
    assert "Trying again" not in ended.stderr


@fault("F76")
def test_json_that_cannot_be_read_is_not_the_networks_fault(case: FaultCase) -> None:
    case.server.answer_next(REMOVAL_STATUS, reply(200, {"request": "done"}), times=None)
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102,))
    case.skipped, case.gone, case.writes = [5], [email(5)], (IMPORT, REMOVE)
    case.settings["streams"] = {"people": {"on_delete": "remove"}}
    leaver = row(5, _sdc_deleted_at="2026-01-01T00:00:00Z")
    ended = case.run([*people(2), leaver, *with_states([6])], pace=100)
    assert ended.status == 1
    assert "answers 200 with JSON that is not as documented, 8 times" in ended.stderr
    assert "[to act: ask Dotdigital support]" in ended.stderr

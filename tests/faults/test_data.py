"""F45 to F62 but for the values: how a tap sends its rows, and who else is there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.faults.fault_case import fault
from tests.faults.input_rows import (
    CANARY,
    OPTED_OUT,
    PROPERTIES,
    SUPPRESSED,
    email,
    landed,
    people,
    row,
    with_states,
)
from tests.support.dotdigital.answers import lost_reply
from tests.support.dotdigital.departure_routes import DELETE, REMOVE
from tests.support.dotdigital.routes import CREATE_DATA_FIELD, IMPORT
from tests.support.messages import record, schema, state

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase


@fault("F45")
def test_the_same_contact_twice_in_an_import_is_sent_once_as_it_was_last(case: FaultCase) -> None:
    rows = [*people(3), row(4, 1, email=email(1).upper()), row(5, 1, email=f" {email(1)} ")]
    ended = case.run([*rows, state({"row": 5})])
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert ended.counts().startswith("read 5 = imported 3 + rejected 0 + collapsed 2")
    (call,) = case.server.calls_of(IMPORT)
    assert len(call.contacts) == 3


@fault("F46", "the first ends last", "the first fails once", "the first reply is lost")
def test_the_same_contact_in_two_imports_ends_as_it_was_last(case: FaultCase, variant: str) -> None:
    rows = people(2)
    for number in range(3, 9):
        rows += [row(number, 1 + number % 2), state({"row": number})]
    if variant == "the first ends last":
        case.server.polls_to_finish = lambda each: max(0, 3 - each.index)
    elif variant == "the first fails once":
        case.server.end_next_imports("Failed")
    else:
        case.server.answer_next(IMPORT, lost_reply())
    ended = case.run(rows, pace=20, batch_size_rows=1)
    assert (ended.status, ended.states[-1]) == (0, {"row": 8})
    assert case.server.order_violations == 0


@fault("F47", "mapped", "to be created")
def test_a_data_field_that_the_account_lacks(case: FaultCase, variant: str) -> None:
    missing = ("NOT_THERE", "NOR_THIS")
    fields = {"FIRSTNAME": "first_name", "ROW": "row", **dict.fromkeys(missing, "row")}
    case.settings["streams"] = {"people": {"fields": fields}}
    if variant == "to be created":
        case.settings["create_data_fields"] = True
        case.writes = (IMPORT, CREATE_DATA_FIELD)
        case.expected = {
            key: {**held, **dict.fromkeys(missing, held["ROW"])}
            for key, held in landed(people(3)).items()
        }
        ended = case.run(people(3))
        assert (ended.status, ended.states[-1]) == (0, {"row": 3})
        calls = case.server.calls_of(CREATE_DATA_FIELD)
        created = {call.json["name"]: call.json["type"] for call in calls}
        assert created == dict.fromkeys(missing, "Numeric")
        return
    ended = case.run(people(3))
    assert (ended.status, ended.states) == (1, [])
    for name in missing:
        assert f"The account has no data field '{name}'" in ended.stderr
    assert not case.server.calls_of(IMPORT)
    case.forget_input()


@fault("F53", "written", "refused")
def test_people_who_left_are_not_brought_back(case: FaultCase, variant: str) -> None:
    if variant == "refused":
        for person in (OPTED_OUT, SUPPRESSED):
            case.server.reject(email(person), "GloballySuppressed")
        case.left_out = [OPTED_OUT, SUPPRESSED]
    ended = case.run(people(6))
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    for person, status in ((OPTED_OUT, "unsubscribed"), (SUPPRESSED, "suppressed")):
        contact = case.server.contact(email(person))
        assert contact is not None
        assert contact.email_status == status
        assert ("FIRSTNAME" in contact.data_fields) == (variant == "written")


@fault("F54", "a new property", "a mapped property goes")
def test_a_schema_that_changes_lets_earlier_rows_go_first(case: FaultCase, variant: str) -> None:
    fields = {"FIRSTNAME": "first_name", "ROW": "row"}
    case.settings["streams"] = {"people": {"fields": fields}}
    changed = dict(PROPERTIES)
    if variant == "a new property":
        changed["city"] = {"type": "string"}
    else:
        del changed["first_name"]
    rows = [*people(3), schema(properties=changed)]
    if variant == "a new property":
        rows += [row(4, 1, city="Rome"), state({"row": 4})]
    ended = case.run(rows)
    if variant == "a new property":
        assert (ended.status, ended.states[-1]) == (0, {"row": 4})
        assert [len(call.contacts) for call in case.server.calls_of(IMPORT)] == [3, 1]
    else:
        assert (ended.status, ended.states[-1]) == (1, {"row": 3})
        assert "The schema has no property 'first_name' (for FIRSTNAME)" in ended.stderr
        assert "3 of 3 rows are settled. [to act: fix the settings]" in ended.stderr
        case.forget_input()  # its last SCHEMA fits no better the next time


ODD_MESSAGES: dict[str, tuple[list[Any], str]] = {
    "a record before its schema": ([row(1)], "came before its SCHEMA"),
    "an unknown type": (
        [*people(2), {"type": "GREETING", "x": CANARY}],
        "the message has no known type",
    ),
    "no type": ([*people(2), {"stream": "people", "record": {"x": CANARY}}], "lacks type"),
    "a batch": (
        [*people(2), {"type": "BATCH", "stream": "people", "manifest": [CANARY], "encoding": {}}],
        "the BATCH of stream 'people' does not say how its files are encoded",
    ),
}


@fault("F55", *ODD_MESSAGES)
def test_a_message_that_cannot_be_used_ends_the_run_with_a_clear_line(
    case: FaultCase, variant: str
) -> None:
    messages, told = ODD_MESSAGES[variant]
    ended = case.run(messages, batch_size_rows=1)
    assert ended.status == 1
    assert told in ended.stderr
    assert "[to act: fix the data]" in ended.stderr
    case.forget_input()  # it is no better the next time


@fault("F55")
def test_blank_lines_and_versions_are_ignored(case: FaultCase) -> None:
    version = {"type": "ACTIVATE_VERSION", "version": 1}
    versions = [{**version, "stream": name} for name in ("people", "x")]
    ended = case.run(["", *people(2), "   ", *versions, *with_states([3]), ""])
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})


@fault("F56", "by the server's limit", "51 MB")
def test_a_record_that_is_too_large_is_rejected_and_holds_nothing_up(
    case: FaultCase, variant: str
) -> None:
    case.left_out = [5]
    if variant == "51 MB":
        large = row(5, first_name=f"{CANARY} " * 3_700_000)
        case.max_peak_megabytes = 410  # the line itself, its text and its copy for the rejects
        code = "field.too_long"
    else:
        case.server.max_body_bytes = 300
        large = row(5, first_name=CANARY * 50)
        code = "record.too_large"
    ended = case.run([*people(2), large, *with_states([6])])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    assert ended.counts().endswith(f"rejected by code: {code} 1")


@fault("F57")
def test_a_stream_of_which_every_row_is_bad_stops(case: FaultCase) -> None:
    bad = [row(number, email=f"{CANARY} {number}") for number in range(1, 3001)]
    case.left_out = range(1, 3001)
    case.expected = {}
    ended = case.run([schema(properties=PROPERTIES), *bad, state({"row": 3000})])
    assert (ended.status, ended.states) == (1, [])
    assert (
        "1000 of 1000 rows (100 %) are rejected, more than the limit of 50 % (max_reject_percent)"
        in ended.stderr
    )
    assert "1000 of 1000 rows are settled. [to act: fix the data]" in ended.stderr
    assert not case.server.calls_of(IMPORT)


@fault("F57", "run", "dry run")
def test_a_few_rows_that_are_all_bad_end_with_their_stream(case: FaultCase, variant: str) -> None:
    bad = [row(number, email=f"{CANARY} {number}") for number in range(1, 20)]
    case.left_out = range(1, 20)
    case.expected = {}
    ended = case.run(
        [schema(properties=PROPERTIES), *bad, state({"row": 19})], dry_run=variant == "dry run"
    )
    assert (ended.status, ended.states) == (1, [])
    assert (
        "19 of 19 rows (100 %) are rejected, more than the limit of 50 % (max_reject_percent)"
        in ended.stderr
    )


@fault("F64", *(f"{when}, {size} a batch" for when in ("before", "after") for size in (3, 100)))
def test_rejects_beyond_the_limit_fail_the_run_whenever_they_are_counted(
    case: FaultCase, variant: str
) -> None:
    """Before the imports of their stream settle, as the target's own, or with them."""
    when, _, size = variant.partition(", ")
    culprits = [2, 11]
    rows = people(12)
    if when == "before":
        for number in culprits:
            rows[2 * number - 1] = row(number, email=f"{CANARY} {number}")
    else:
        for number in culprits:
            case.server.reject(email(number))
    case.left_out = culprits
    ended = case.run(rows, pace=20, max_reject_percent=10, batch_size_rows=int(size.split()[0]))
    assert ended.status == 1
    assert {"row": 12} not in ended.states
    assert (
        "2 of 12 rows (16.7 %) are rejected, more than the limit of 10 % (max_reject_percent)"
        in ended.stderr
    )


@fault("F77", "overwrite", "overwriteIfNotEmpty")
def test_each_of_two_streams_is_told_who_is_in_its_own_address_book(
    case: FaultCase, variant: str
) -> None:
    case.settings["streams"] = {
        "people": {},
        "leads": {"address_book": 101, "merge_option": variant},
    }
    rows = [
        schema(properties=PROPERTIES),
        schema("leads", PROPERTIES),
        row(1),
        row(2),
        row(5, 1, "leads"),
        row(6, 2, "leads"),
        row(7, 2, "leads"),
        state({"row": 7}),
    ]
    ended = case.run(rows, pace=20)
    assert (ended.status, ended.states[-1]) == (0, {"row": 7})
    assert ended.counts("people") == "read 2 = imported 2 + rejected 0 + collapsed 0 + skipped 0"
    assert ended.counts("leads") == "read 3 = imported 2 + rejected 0 + collapsed 1 + skipped 0"
    for person in (1, 2):
        assert case.server.contacts[email(person)].lists == {101, 102}


@fault("F58", "ignore", "remove", "delete")
def test_a_row_that_is_marked_as_deleted_is_never_upserted(case: FaultCase, variant: str) -> None:
    deleted = row(5, first_name="gone", _sdc_deleted_at="2026-01-01T00:00:00Z")
    case.skipped = [5]
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102,))
    case.gone = [email(5)]
    case.writes = {"remove": (IMPORT, REMOVE), "delete": (IMPORT, DELETE)}.get(variant, (IMPORT,))
    case.settings["streams"] = {"people": {"on_delete": variant}}
    ended = case.run([*people(2), deleted, *with_states([6])])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    what = {"ignore": "", "remove": "; left the address book 1", "delete": "; deleted 1"}[variant]
    assert ended.counts().endswith(f"skipped 1{what}")
    contact = case.server.contacts.get(email(5))
    if variant == "delete":
        assert contact is None
    else:
        assert contact is not None
        assert contact.data_fields == {"FIRSTNAME": "before"}
        assert contact.lists == ({102} if variant == "ignore" else set())


NO_MARKS = {"blank": "", "spaces": "  ", "false": False, "zero": 0}
NO_DATE_TIMES = {"the word null": "null", "the word false": "false", "object": {}, "number": 1}


@fault("F67", *NO_MARKS, *NO_DATE_TIMES)
def test_nobody_leaves_by_a_mark_that_is_no_date_time(case: FaultCase, variant: str) -> None:
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102, 101))
    mark = {**NO_MARKS, **NO_DATE_TIMES}[variant]
    odd = row(5, _sdc_deleted_at=mark)
    case.settings["streams"] = {"people": {"on_delete": "delete"}}
    if variant in NO_DATE_TIMES:
        case.left_out, case.gone = [5], [email(5)]
    ended = case.run([*people(2), odd, *with_states([6])])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    told = "; rejected by code: delete.invalid 1" if variant in NO_DATE_TIMES else ""
    assert ended.counts().endswith(f"skipped 0{told}")
    assert case.server.contacts[email(5)].lists == {102, 101}


STREAM_MAPS: dict[str, dict[str, Any]] = {
    "made": {"_sdc_deleted_at": "deleted_on"},
    "taken away": {"_sdc_deleted_at": None},
    "taken away with others": {
        "__else__": None,
        **{name: name for name in PROPERTIES},
    },
}


@fault("F68", *STREAM_MAPS)
def test_a_deletion_mark_is_what_the_stream_map_says(case: FaultCase, variant: str) -> None:
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102,))
    case.settings["stream_maps"] = {"people": STREAM_MAPS[variant]}
    case.settings["streams"] = {"people": {"on_delete": "remove"}}
    name = "deleted_on" if variant == "made" else "_sdc_deleted_at"
    when: dict[str, Any] = {name: "2026-01-01T00:00:00Z"}
    if variant == "made":
        case.skipped, case.gone, case.writes = [5], [email(5)], (IMPORT, REMOVE)
    text = {"type": ["string", "null"]}
    messages = [schema(properties={**PROPERTIES, "deleted_on": text})]
    messages += [
        row(1, deleted_on=None),
        row(5, **when),
        row(6, deleted_on=None),
        state({"row": 6}),
    ]
    ended = case.run(messages)
    assert (ended.status, ended.states) == (0, [{"row": 6}])
    assert (102 in case.server.contacts[email(5)].lists) == (variant != "made")


@fault("F69", "remove", "delete")
def test_a_deleted_row_without_the_match_identifier_is_told(case: FaultCase, variant: str) -> None:
    case.server.add_contact(email(5), {"FIRSTNAME": "before"}, lists=(102,))
    case.settings["streams"] = {"people": {"on_delete": variant}}
    case.left_out, case.gone = [5, 6], [email(5)]
    when = "2026-01-01T00:00:00Z"
    deleted = [record(row=number, _sdc_deleted_at=when) for number in case.left_out]
    ended = case.run([*people(2), *deleted, state({"row": 6})])
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})
    assert ended.counts().endswith("rejected by code: delete.unidentified 2")
    assert ended.stderr.count("REPLICA IDENTITY FULL") == 1
    assert case.server.contacts[email(5)].lists == {102}


@fault("F59")
def test_a_mirror_of_a_source_that_returned_little_removes_nobody(case: FaultCase) -> None:
    for number in range(100, 140):
        case.server.add_contact(f"{number}@example.com", lists=(102,))
    before = case.server.members(102)
    ended = case.run(people(2), streams={"people": {"sync_mode": "mirror"}})
    assert (ended.status, ended.states) == (1, [])
    assert "max_removal_percent" in ended.stderr
    # The two rows have joined. The case has made sure that no removal was asked for.
    assert case.server.members(102) == before + 2
    case.forget_input()


ODD_STATES = [
    '{"a": 1.10, "row": 2}',
    '{"big": 12345678901234567890123, "row": 2}',
    '{"a": "\u0142", "row": 2}',
    "{}",
    "null",
]


@fault("F60", *ODD_STATES)
def test_a_state_is_passed_on_as_it_came(case: FaultCase, variant: str) -> None:
    line = f'{{"type": "STATE", "value": {variant}}}'
    # A machine whose locale knows less than JSON does.
    case.environment.update(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    ended = case.run([*people(2, state_each=9), line])
    assert ended.status == 0
    assert ended.stdout == ("" if variant in {"{}", "null"} else f"{variant}\n")


@fault("F61")
def test_a_hundred_streams_and_one_without_rows(case: FaultCase) -> None:
    names = [f"stream_{number}" for number in range(1, 101)]
    rows: list[Any] = [schema(name, properties=PROPERTIES) for name in names]
    for turn in range(2):
        for number, name in enumerate(names[:-1], start=1):
            rows += [row(turn * 100 + number, number, stream=name)]
        rows.append(state({"row": turn * 100 + 99}))
    with case.started(rows, batch_size_rows=20) as target:
        target.send(*rows)
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (0, {"row": 199})
    assert ended.counts("stream_1").startswith("read 2 =")
    assert ended.counts("stream_100").startswith("read 0 =")
    # Two of each active import (one watches the deadline), and the main thread.
    assert target.peak_threads <= 2 * 20 + 1


@fault("F62")
def test_four_targets_on_one_account_wait_their_turn(case: FaultCase) -> None:
    case.server.polls_to_finish = lambda each: each.index % 4
    case.max_calls = 4_000
    inputs = [people(90, first=1 + 1000 * number) for number in range(4)]
    benches = [case.sibling(f"target{number}") for number in range(4)]
    with ExitStack() as stack:
        targets = [
            stack.enter_context(
                each.started(rows, pace=10, batch_size_rows=1, max_active_imports=20)
            )
            for each, rows in zip(benches, inputs, strict=True)
        ]
        # Nobody is done before all have begun.
        for target, rows in zip(targets, inputs, strict=True):
            target.send(*rows[:3])
        for target, rows in zip(targets, inputs, strict=True):
            target.send(*rows[3:])
        for target in targets:
            target.close_input()
        ends = [target.end() for target in targets]
    assert [(each.status, each.states[-1]) for each in ends] == [
        (0, {"row": 90 + 1000 * number}) for number in range(4)
    ]
    assert 20 < case.server.active_peak <= 25
    everybody = [message for rows in inputs for message in rows]
    case.assert_contents(everybody)

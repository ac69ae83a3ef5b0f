"""Mirrors: when nobody leaves, although somebody is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import reply, v3_error
from tests.support.dotdigital.departure_routes import MEMBERS, REMOVE
from tests.support.dotdigital.routes import ADDRESS_BOOK
from tests.support.messages import activate, record, rows, schema, state, versioned
from tests.support.mirrors import BOOK, PACE, fill, members, mirror, run, undo_files
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

EVERYBODY = {"ann", "bob", "cid", "dan"}


@pytest.fixture(autouse=True)
def _nobody_leaves(server: DotdigitalServer, tmp_path: Path) -> Any:  # noqa: ANN401 - a generator
    fill(server, *EVERYBODY)
    yield
    assert members(server) >= EVERYBODY
    assert not server.calls_of(REMOVE)
    assert not undo_files(tmp_path)


def assert_refused(ended: FinishedRun, *words: str) -> None:
    assert ended.status == 1, ended.stderr
    assert ended.states == []
    for word in words:
        assert word in ended.stderr


# What the settings say.


@pytest.mark.parametrize(("percent", "present"), [(49, 2), (20, 3), (0, 3), (99, 0)])
def test_more_than_the_limit(
    server: DotdigitalServer, tmp_path: Path, percent: int, present: int
) -> None:
    names = sorted(EVERYBODY)[:present] or ["new"]
    server.add_contact("new@example.com", lists=(BOOK,) if not present else ())
    config = mirror(server, stream={"max_removal_percent": percent if present else 79})
    ended = run(config, tmp_path, schema(), *rows(names), state(1))
    missing = 4 - present
    share = (
        f"{missing} of {4 if present else 5} contacts ({missing * 100 // (4 if present else 5)} %)"
    )
    limit = percent if present else 79
    told = f"{share} of address book 'Customers' (102) are not in stream 'people'"
    assert_refused(ended, told, f"the limit of {limit} % (max_removal_percent)")


def test_one_address_book_over_the_limit_keeps_everybody_in_the_others(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"sync_mode": "mirror", "max_removal_percent": 99}
    streams = {
        "a": {**stream, "address_book": 101},
        "b": {**stream, "max_removal_percent": 10},
    }
    config = settings_for(server, streams=streams)
    messages = [schema("a"), schema("b"), *rows(["ann"], "a"), *rows(["bob"], "b"), state(1)]
    assert_refused(run(config, tmp_path, *messages), "address book 'Customers' (102)")
    assert members(server, 101) == EVERYBODY


def test_two_mirrors_of_one_address_book_that_do_not_say_so(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"a": {"sync_mode": "mirror"}, "b": {"sync_mode": "mirror", "mirror_shared": True}}
    ended = load(settings_for(server, streams=streams), tmp_path, schema("a"), *rows(["ann"], "a"))
    assert_refused(ended, "streams.a, streams.b", "mirror_shared")
    assert not server.calls


def test_two_mirrors_of_one_address_book_under_two_names(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {
        "a": {"sync_mode": "mirror", "address_book": "Customers"},
        "b": {"sync_mode": "mirror", "address_book": 102},
    }
    config = settings_for(server, streams=streams)
    ended = run(config, tmp_path, schema("a"), *rows(["ann"], "a"), state(1), schema("b"))
    assert_refused(ended, "a, b", "mirror_shared")


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_read(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    config = mirror(server, rejects_path=str(tmp_path / "file" / "rejects.singer"))
    ended = load(config, tmp_path, schema(), *rows(["ann"]))
    assert_refused(ended)
    assert not server.calls


# What the tap says.


@pytest.mark.parametrize("properties", [["updated_at"], "updated_at"], ids=repr)
@pytest.mark.parametrize("again", [False, True], ids=["first", "second"])
def test_an_incremental_stream(
    server: DotdigitalServer, tmp_path: Path, properties: object, *, again: bool
) -> None:
    first = [schema()] if again else []
    second = schema(bookmark_properties=properties)
    ended = run(mirror(server), tmp_path, *first, second, *rows(["ann"]), state(1))
    assert_refused(ended, "streams.people.sync_mode", "bookmark_properties", "fix the settings")
    assert not server.imports


def test_a_rejects_file(server: DotdigitalServer, tmp_path: Path) -> None:
    of_rejects = {"email": {"type": "string"}, "_sdc_reject_code": {"type": ["string", "null"]}}
    config = mirror(server, stream={"max_removal_percent": 99})
    ended = run(config, tmp_path, schema(properties=of_rejects), *rows(["ann", "new"]))
    assert ended.status == 0, ended.stderr
    assert "Stream 'people' comes from a rejects file" in ended.stderr
    assert "Stream 'people': read 2 = imported 2 " in ended.stderr


def test_a_rejects_file_beside_a_full_load_of_the_same_address_book(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    of_rejects = {"email": {"type": "string"}, "_sdc_reject_code": {"type": ["string", "null"]}}
    shared = {
        "address_book": BOOK,
        "sync_mode": "mirror",
        "mirror_shared": True,
        "max_removal_percent": 99,
    }
    config = settings_for(server, streams={"a": shared, "b": shared})
    repaired = (schema("a", properties=of_rejects), *rows(["ann"], "a"))
    ended = run(config, tmp_path, *repaired, schema("b"), *rows(["bob"], "b"))
    assert "Stream 'a' comes from a rejects file" in ended.stderr


@pytest.mark.parametrize("properties", [None, []], ids=repr)
def test_a_full_load_may_say_that_it_has_no_bookmark(
    server: DotdigitalServer, tmp_path: Path, properties: object
) -> None:
    people = schema(bookmark_properties=properties)
    ended = run(mirror(server), tmp_path, people, *rows(EVERYBODY))
    assert ended.status == 0


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [record(email="ann@example.com", _sdc_deleted_at="2026-01-31T10:00:00Z")],
        [record(email=None), record(id=7)],
        [activate(1)],
    ],
    ids=["no row", "deleted", "nameless", "version"],
)
def test_an_empty_stream(
    server: DotdigitalServer, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    config = mirror(server, stream={"max_removal_percent": 100})
    ended = run(config, tmp_path, schema(), *messages)
    assert ended.status == 1
    assert "the tap sent no contact" in ended.stderr
    assert "fix the data" in ended.stderr


def test_without_its_stream_nobody_leaves(server: DotdigitalServer, tmp_path: Path) -> None:
    """No input at all is no failure. Input of other streams alone is one: nothing was loaded."""
    for messages, status in (
        ([], 0),
        ([state(1)], 0),
        ([schema("other"), *rows(["ann"], "other")], 1),
    ):
        ended = run(mirror(server), tmp_path, *messages)
        assert ended.status == status
        assert "'people' is named in 'streams', but the tap did not send it" in ended.stderr


@pytest.mark.parametrize(
    "messages",
    [
        versioned(1, "ann"),
        [*versioned(1, "ann"), activate(2)],
        [activate(2), *versioned(1, "ann")],
        [activate(1), *versioned(1, "ann"), *versioned(2, "bob")],
        [*versioned(1, "ann"), activate(2), *versioned(1, "bob"), *rows(["cid"])],
        [*versioned(1, "ann"), activate(1), *versioned(2, "bob")],
        [*rows(["ann"]), *versioned(1, "bob")],
        [*versioned(1, "ann"), activate(1, "other")],
        [*versioned(1, "ann"), activate(None)],
        [*versioned(1, "ann"), activate(["1"])],
    ],
    ids=[
        "none",
        "another",
        "another before",
        "two",
        "between",
        "older",
        "mixed",
        "stream",
        "null",
        "odd",
    ],
)
def test_a_version_that_was_not_activated(
    server: DotdigitalServer, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    ended = run(mirror(server), tmp_path, schema(), *messages, state(1))
    assert_refused(ended, "ACTIVATE_VERSION")


@pytest.mark.parametrize(
    "messages",
    [
        [*versioned(1, "ann", "bob", "cid")],
        [state(1), *versioned(1, "ann", "bob", "cid")],
        [*versioned(1, "ann", "bob"), state(1), *versioned(1, "cid")],
        [*versioned(1, "ann", "bob"), state(1), *rows(["cid"])],
    ],
    ids=["no state", "state before", "state between", "row without version"],
)
def test_a_tap_that_dies_after_announcing_a_version(
    server: DotdigitalServer, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    # A tap made with the Meltano SDK sends its last STATE when the stream has ended.
    config = mirror(server, stream={"max_removal_percent": 100})
    ended = run(config, tmp_path, schema(), activate(1), *messages)
    assert ended.status == 1
    assert "the tap did not mark the end of its load" in ended.stderr


@pytest.mark.parametrize(
    "value", ["people", "shop-public-people", "db.people", "who knows", ["people"], 7], ids=repr
)
def test_a_tap_that_was_interrupted(
    server: DotdigitalServer, tmp_path: Path, value: object
) -> None:
    earlier, last = state({"currently_syncing": None}), state({"currently_syncing": value})
    messages = [*rows(["ann"]), earlier, *rows(["bob"]), last]
    ended = run(mirror(server), tmp_path, schema(), schema("other"), *messages)
    assert_refused(ended, "currently_syncing")


def test_a_cut_line(server: DotdigitalServer, tmp_path: Path) -> None:
    cut = b'{"type": "RECORD", "stream": "people", "record": {"email": "ann@ex'
    assert_refused(run(mirror(server), tmp_path, schema(), *rows(["ann"]), cut))


# What becomes of the rows.


def test_an_import_that_failed(server: DotdigitalServer, tmp_path: Path) -> None:
    server.end_next_imports("RejectedByWatchdog")
    assert_refused(run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1)), "Watchdog")


def test_too_many_rejects(server: DotdigitalServer, tmp_path: Path) -> None:
    bad = [record(email="broken") for _ in range(1_000)]
    config = mirror(server, max_reject_percent=50)
    assert_refused(run(config, tmp_path, schema(), *rows(["ann"]), *bad), "max_reject_percent")


# What Dotdigital says of the address book.


def test_a_list_that_is_shorter_than_the_address_book(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.departures.told_too_many = 1
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert_refused(ended, "counts 5 contacts in address book", "lists only 4", "No contact was")


def test_a_page_that_fails(server: DotdigitalServer, tmp_path: Path) -> None:
    server.departures.max_page = 1
    server.answer_next(MEMBERS, lambda _call: None, v3_error(400, "contacts:badRequest", "no"))
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert_refused(ended, "badRequest")


def test_pages_that_go_round_in_circles(server: DotdigitalServer, tmp_path: Path) -> None:
    people = {name: each.contact_id for name, each in server.contacts.items()}
    first, second = sorted(people.values())[:2]
    for next_markers, ids in (
        (["a", "b", "a"], [[first], [second], []]),
        (["a", "a"], [[first], [second]]),
        (["a", "b", "c"], [[first], [second], [first]]),
        (["a", "b", "c", "d", "e"], [[first], [], [], [], []]),
    ):
        pages = [
            {
                "_items": [{"contactId": each} for each in page],
                "_links": {"next": {"marker": marker}},
            }
            for marker, page in zip(next_markers, ids, strict=True)
        ]
        server.answer_normally(MEMBERS)
        server.answer_next(MEMBERS, *(reply(200, page) for page in pages))
        ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1))
        assert_refused(ended, "repeats itself")


def test_an_address_book_that_is_gone(server: DotdigitalServer, tmp_path: Path) -> None:
    found = reply(200, {"id": BOOK, "name": "Customers"})
    server.answer_next(ADDRESS_BOOK, found)
    with TargetProcess(mirror(server), tmp_path, pace=PACE) as target:
        target.send(schema(), *rows(["ann"]))
        target.wait_for("Connected", "stderr")
        server.answer_next(
            ADDRESS_BOOK,
            reply(404, {"message": "There is none. ERROR_ADDRESSBOOK_NOT_FOUND"}),
            times=None,
        )
        ended = target.end()
    assert_refused(ended, "ddress book 102 no longer exists")

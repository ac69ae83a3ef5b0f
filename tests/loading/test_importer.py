"""One import to its end: polled, sent again, halved. Time is the test's own."""

from __future__ import annotations

import math
from collections import Counter
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from target_dotdigital.account import KnownContacts
from target_dotdigital.api.client import Client
from target_dotdigital.api.jobs import IMPORT, Jobs, PollLimit
from target_dotdigital.api.replies import ImportStatus
from target_dotdigital.errors import (
    AbandonedError,
    AuthenticationError,
    DataError,
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    RequestTooLargeError,
    TooManyActiveJobsError,
)
from target_dotdigital.events import Events
from target_dotdigital.loading.bisection import MAX_REFUSED
from target_dotdigital.loading.importer import Importer
from target_dotdigital.loading.imports import MAX_BODY_BYTES, Import
from tests.support.builders import contact
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_dotdigital.clock import Clock
    from target_dotdigital.loading.settlement.settlement import Settlement

TIMEOUT_SECONDS = 4 * 3600.0
PEOPLE = [contact(f"p{number}@example.com") for number in range(512)]
REFUSED = RequestRefusedError("PUT /contacts/v3/import: 400", "badRequest")
TOO_LARGE = RequestTooLargeError("PUT /contacts/v3/import: 413")
NO_SLOT = TooManyActiveJobsError("PUT /contacts/v3/import: 429")
LOST = NotFoundError("GET /contacts/v3/import/{id}: 404")


class FakeClient(Client):
    """Takes imports, and answers polls as it is told; by default with a clean success."""

    def __init__(
        self,
        *scripts: Sequence[str | Exception],
        judge: Callable[[list[str], bytes], Exception | None] = lambda _emails, _body: None,
    ) -> None:
        self._scripts = [list(script) for script in scripts]
        self._judge = judge
        self._taken: list[list[str]] = []
        self.accepted: list[bytes] = []
        self.calls = 0
        self.polls = 0
        self.on_poll: Callable[[], object] = lambda: None

    @override
    def import_contacts(self, body: bytes | memoryview) -> str:
        body = bytes(body)
        self.calls += 1
        contacts: list[dict[str, Any]] = msgspec.json.decode(body)["contacts"]
        emails = [one["identifiers"]["email"] for one in contacts]
        if refusal := self._judge(emails, body):
            raise refusal
        self._taken.append(emails)
        self.accepted.append(body)
        return f"import-{len(self._taken) - 1}"

    @override
    def import_status(self, import_id: str) -> ImportStatus:
        self.polls += 1
        self.on_poll()
        number = int(import_id.removeprefix("import-"))
        script = self._scripts[number] if number < len(self._scripts) else []
        word = script.pop(0) if script else "Finished"
        if isinstance(word, Exception):
            raise word
        created = [{"identifiers": {"email": email}} for email in self._taken[number]]
        return msgspec.convert({"status": word, "created": created}, ImportStatus)


def refuse(*positions: int) -> Callable[[list[str], bytes], Exception | None]:
    bad = {f"p{position}@example.com" for position in positions}
    return lambda emails, _body: None if bad.isdisjoint(emails) else REFUSED


def too_large(limit: int) -> Callable[[list[str], bytes], Exception | None]:
    return lambda _emails, body: TOO_LARGE if len(body) > limit else None


def import_of(count: int = 2) -> Import:
    load = Import("overwrite", 1, 0.0)
    load.contacts = {one.key: one for one in PEOPLE[:count]}
    return load


def importer(client: Client, clock: Clock | None = None, jitter: float = 0.5) -> Importer:
    clock = clock or FakeClock()
    jobs = Jobs(IMPORT, clock, TIMEOUT_SECONDS, PollLimit(), lambda: jitter)
    return Importer(client, jobs, Events(clock), KnownContacts(client))


def places(settlement: Settlement) -> tuple[set[int], dict[int, str]]:
    """The positions that were imported, and the codes of those that were rejected."""

    def position(key: str) -> int:
        return int(key.removeprefix("email:p").partition("@")[0])

    imported = Counter(position(one.key) for one in settlement.imported)
    rejected = {position(one.key): code for one, code in settlement.rejected}
    assert max(imported.values(), default=1) == 1
    assert len(rejected) == len(settlement.rejected)
    return set(imported), rejected


class BuffersOfAnotherThread(list[BytesIO]):
    """Buffers of which another thread takes the last one between a look and a grasp."""

    def __bool__(self) -> bool:
        return True


def test_a_buffer_that_another_thread_takes_first_is_no_failure() -> None:
    loading = importer(FakeClient())
    loading._buffers = BuffersOfAnotherThread()
    assert places(loading.load(import_of())) == ({0, 1}, {})


# Polls.


def test_an_import_that_finishes_is_settled() -> None:
    client = FakeClient(["NotFinished", " FINISHED "])
    assert places(importer(client).load(import_of())) == ({0, 1}, {})
    assert (client.calls, client.polls) == (1, 2)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_polls_slow_down_to_a_minute_until_the_deadline(jitter: float) -> None:
    client, clock = FakeClient(["NotFinished"] * 10_000), FakeClock()
    client.on_poll = lambda: polled_at.append(clock.now())
    polled_at: list[float] = []
    with pytest.raises(DotdigitalError, match=r"import-0 .* 240 minutes"):
        importer(client, clock, jitter).load(import_of())
    waits = [later - earlier for earlier, later in pairwise(polled_at)]
    assert waits[0] < 1.5
    assert all(earlier <= later + 1 for earlier, later in pairwise(waits))
    assert 50 < max(waits) <= 61
    assert TIMEOUT_SECONDS <= sum(clock.waits) <= TIMEOUT_SECONDS + 61
    assert client.calls == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_import_not_found_right_after_it_was_taken_is_polled_again(times: int) -> None:
    client = FakeClient([*[LOST] * times, "NotFinished", *[LOST] * times])
    assert places(importer(client).load(import_of())) == ({0, 1}, {})
    assert client.calls == 1


def test_an_import_that_stays_lost_is_sent_again() -> None:
    client = FakeClient([LOST] * 100)
    assert places(importer(client).load(import_of())) == ({0, 1}, {})
    assert client.calls == 2
    assert client.polls <= 10


@pytest.mark.parametrize("ending", [["Failed"], ["NotFinished", "failed"], [LOST] * 100])
def test_an_import_that_comes_to_nothing_is_sent_again_at_most_twice(
    ending: list[str | Exception],
) -> None:
    client = FakeClient(ending, ending)
    assert places(importer(client).load(import_of())) == ({0, 1}, {})
    assert client.calls == 3
    client = FakeClient(*[ending] * 9)
    with pytest.raises(DotdigitalError, match="import-2"):
        importer(client).load(import_of())
    assert client.calls == 3


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("RejectedByWatchdog", "Watchdog"),
        ("rejectedbywatchdog", "Watchdog"),
        ("ExceedsAllowedContactLimit", "contacts"),
        ("InvalidFileFormat", "InvalidFileFormat"),
        ("Unknown", "Unknown"),
        ("NotAvailableInThisVersion", "NotAvailableInThisVersion"),
    ],
)
def test_a_final_word_other_than_finished_ends_the_run_and_is_not_sent_again(
    word: str, said: str
) -> None:
    client = FakeClient(["NotFinished", word])
    with pytest.raises(DotdigitalError, match=f"import-0.*{said}"):
        importer(client).load(import_of())
    assert (client.calls, client.polls) == (1, 2)


@pytest.mark.parametrize("word", ["Complete", "Processing", "Success", "", "ok", "Finished1", "é"])
def test_a_word_that_nobody_documented_is_never_a_success(word: str) -> None:
    client = FakeClient([word] * 100)
    with pytest.raises(DotdigitalError, match="import-0 has an unknown status"):
        importer(client).load(import_of())
    assert client.calls == 1
    assert client.polls <= 10


def test_a_word_that_could_be_a_value_is_not_repeated() -> None:
    client = FakeClient(["ann@example.com"] * 100)
    with pytest.raises(DotdigitalError) as caught:
        importer(client).load(import_of())
    assert "ann" not in str(caught.value)


def test_an_odd_answer_in_between_is_survived() -> None:
    client = FakeClient(["Odd", LOST, "Odd", "NotFinished"] * 5)
    assert places(importer(client).load(import_of())) == ({0, 1}, {})


def test_errors_of_the_account_are_passed_on_at_once() -> None:
    client = FakeClient([AuthenticationError("401")])
    with pytest.raises(AuthenticationError):
        importer(client).load(import_of())
    assert (client.calls, client.polls) == (1, 1)


def test_an_abandoned_run_stops_polling() -> None:
    client, clock = FakeClient(["NotFinished"] * 100), FakeClock()
    clock.on_sleep = clock.abandon
    with pytest.raises(AbandonedError):
        importer(client, clock).load(import_of())
    assert client.polls <= 2  # right after it was taken, and after the wait that was under way


# Bisection.


def check_cost_of_one(count: int, position: int) -> None:
    client = FakeClient(judge=refuse(position))
    imported, rejected = places(importer(client).load(import_of(count)))
    assert imported == set(range(count)) - {position}
    assert rejected == {position: "dotdigital.badRequest"}
    assert client.calls - 1 <= 2 * math.log2(count) + 1


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 512), st.data())
def test_one_contact_at_fault_is_found_with_few_requests(count: int, data: st.DataObject) -> None:
    check_cost_of_one(count, data.draw(st.integers(0, count - 1), label="position"))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 7, 8, 9, 333, 512])
@pytest.mark.parametrize("place", ["first", "last"])
def test_one_contact_at_fault_is_found_at_either_end(count: int, place: str) -> None:
    check_cost_of_one(count, 0 if place == "first" else count - 1)


@settings(max_examples=100, deadline=None)
@given(st.integers(6, 512), st.data())
def test_several_contacts_at_fault_are_all_found(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(count // 2, count - 1), min_size=1, max_size=20))
    client = FakeClient(judge=refuse(*bad))
    imported, rejected = places(importer(client).load(import_of(count)))
    assert imported == set(range(count)) - bad
    assert set(rejected) == bad
    assert client.calls <= 1 + 2 * len(bad) * math.ceil(math.log2(count))


@pytest.mark.parametrize(
    "bad", [(0, 1), (0, 256), (0, 256, 384), (0, 128, 256), (0, 1, 2)], ids=str
)
def test_a_few_contacts_at_fault_never_stop_the_run_wherever_they_are(bad: tuple[int, ...]) -> None:
    """Three of 512 say nothing about the other 509."""
    client = FakeClient(judge=refuse(*bad))
    imported, rejected = places(importer(client).load(import_of(512)))
    assert set(rejected) == set(bad)
    assert len(imported) == 512 - len(bad)
    # A consent record that is sent again would be there twice.
    sent = [
        one["identifiers"]["email"]
        for body in client.accepted
        for one in msgspec.json.decode(body)["contacts"]
    ]
    assert len(sent) == len(set(sent))


def test_too_many_contacts_at_fault_end_the_run() -> None:
    bad = range(256, 256 + MAX_REFUSED + 1)
    client = FakeClient(judge=refuse(*bad))
    with pytest.raises(DataError, match="badRequest"):
        importer(client).load(import_of(512))


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 512))
def test_a_fault_in_the_envelope_stops_after_a_handful_of_requests(count: int) -> None:
    client = FakeClient(judge=lambda _emails, _body: REFUSED)
    with pytest.raises(DataError, match="badRequest"):
        importer(client).load(import_of(count))
    assert client.calls <= 3 * math.ceil(math.log2(count)) + 4


def test_a_part_may_be_polled_and_sent_again_like_a_whole() -> None:
    client = FakeClient(["Failed"], [LOST, "Finished"], judge=refuse(1))
    imported, rejected = places(importer(client).load(import_of(4)))
    assert (imported, set(rejected)) == ({0, 2, 3}, {1})


# Sizes.


def test_a_body_that_is_too_large_is_halved_and_the_limit_is_kept() -> None:
    client = FakeClient(judge=too_large(4000))
    loader = importer(client)
    assert loader.max_body_bytes == MAX_BODY_BYTES
    assert places(loader.load(import_of(100))) == (set(range(100)), {})
    assert 1000 <= loader.max_body_bytes <= 4000


def test_a_limit_that_is_known_never_grows_back() -> None:
    client = FakeClient(judge=too_large(4000))
    loader = importer(client)
    loader.load(import_of(100))
    limit = loader.max_body_bytes
    loader.load(import_of(3))
    assert loader.max_body_bytes == limit


def test_the_limit_stays_above_what_dotdigital_takes() -> None:
    """Contacts larger than the limit are rejected unsent: one that was taken must not be."""
    load = import_of(6)
    large = contact("p0@example.com", {"NOTES": "x" * 3000})
    load.contacts[large.key] = large
    client = FakeClient(judge=too_large(3300))
    loader = importer(client)
    assert places(loader.load(load)) == (set(range(6)), {})
    assert loader.max_body_bytes >= max(map(len, client.accepted))


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_contact_that_is_too_large_alone_is_rejected_and_the_others_land(count: int) -> None:
    load = import_of(count)
    large = contact("p0@example.com", {"NOTES": "x" * 5000})
    load.contacts[large.key] = large
    client = FakeClient(judge=too_large(4000))
    imported, rejected = places(importer(client).load(load))
    assert imported == set(range(1, count))
    assert rejected == {0: "record.too_large"}
    assert client.calls <= 2 * math.log2(count) + 2


@pytest.mark.parametrize("position", range(1, 9))
def test_a_contact_at_fault_and_one_that_is_too_large_are_both_found(position: int) -> None:
    load = import_of(9)
    large = contact(f"p{position}@example.com", {"NOTES": "x" * 5000})
    load.contacts[large.key] = large
    refuses, is_too_large = refuse(0), too_large(4000)
    client = FakeClient(judge=lambda *one: is_too_large(*one) or refuses(*one))
    imported, rejected = places(importer(client).load(load))
    assert imported == set(range(9)) - {0, position}
    assert rejected == {0: "dotdigital.badRequest", position: "record.too_large"}


# Slots.


@pytest.mark.parametrize("times", [1, 5, 20])
def test_a_full_account_is_waited_for(times: int) -> None:
    answers: list[Exception | None] = [NO_SLOT] * times
    client = FakeClient(judge=lambda _emails, _body: answers.pop() if answers else None)
    clock = FakeClock()
    assert places(importer(client, clock).load(import_of())) == ({0, 1}, {})
    assert client.calls == times + 1
    assert sum(clock.waits) <= times * 61


def test_a_full_account_is_not_waited_for_beyond_the_deadline() -> None:
    client, clock = FakeClient(judge=lambda _emails, _body: NO_SLOT), FakeClock()
    with pytest.raises(DotdigitalError, match="240 minutes"):
        importer(client, clock).load(import_of())
    assert TIMEOUT_SECONDS <= clock.time - 1000 <= TIMEOUT_SECONDS + 1
    assert client.calls < 1000


def test_an_import_of_our_own_that_ends_is_reason_enough_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    clock = FakeClock()
    tried_at: list[float] = []

    def judge(emails: list[str], _body: bytes) -> Exception | None:
        if len(emails) == 3:
            return None
        tried_at.append(clock.now())
        return NO_SLOT if len(tried_at) < 8 else None

    loader = importer(FakeClient(judge=judge), clock)

    def end_another() -> None:
        if len(tried_at) == 7:
            clock.on_sleep = lambda: None
            assert places(loader.load(import_of(3))) == ({0, 1, 2}, {})

    clock.on_sleep = end_another
    assert places(loader.load(import_of(2))) == ({0, 1}, {})
    gaps = [later - earlier for earlier, later in pairwise(tried_at)]
    assert gaps[:6] == [2, 4, 8, 16, 32, 60]
    assert gaps[6] < 2

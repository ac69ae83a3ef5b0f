from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, failure_codes, people, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.sandbox import EmbeddedSandbox

THREADS = 8


def in_threads(embedded: EmbeddedSandbox, work: Callable[[SandboxClient, int], Any]) -> list[Any]:
    """Run work in several threads at once, each with a client of its own."""

    def run(number: int) -> Any:  # noqa: ANN401 - whatever the work returns
        with SandboxClient(embedded.url, (embedded.username, embedded.password)) as client:
            return work(client, number)

    with ThreadPoolExecutor(THREADS) as executor:
        return list(executor.map(run, range(THREADS)))


def test_imports_at_once_are_all_done_in_full(
    embedded: EmbeddedSandbox, sandbox: SandboxClient
) -> None:
    def work(client: SandboxClient, number: int) -> dict[str, Any]:
        return client.load(*people(1_050, f"thread{number}-", lists=[LIST_ID]))

    reports = in_threads(embedded, work)
    assert [report["summary"]["newContacts"] for report in reports] == [1_050] * THREADS
    assert len(sandbox.members(LIST_ID)) == 1_050 * THREADS


def test_a_contact_in_many_imports_at_once_is_created_once(embedded: EmbeddedSandbox) -> None:
    def work(client: SandboxClient, number: int) -> dict[str, Any]:
        shared = people(200, "shared", dataFields={"FIRSTNAME": f"thread {number}"})
        return client.load(*shared)

    reports = in_threads(embedded, work)
    assert sum(report["summary"]["newContacts"] for report in reports) == 200
    assert sum(report["summary"]["updatedContacts"] for report in reports) == 200 * (THREADS - 1)
    assert [failure_codes(report) for report in reports] == [[]] * THREADS
    ids = {frozenset(one["contactId"] for one in r["created"] + r["updated"]) for r in reports}
    assert len(ids) == 1


def test_fields_that_imports_at_once_set_on_one_contact_all_stay(
    embedded: EmbeddedSandbox, sandbox: SandboxClient
) -> None:
    for number in range(THREADS):
        sandbox.create_field(f"FIELD_{number}", "Numeric")

    def work(client: SandboxClient, number: int) -> None:
        for round_number in range(5):
            client.load(person("one@example.com", dataFields={f"FIELD_{number}": round_number}))

    in_threads(embedded, work)
    expected = {f"FIELD_{number}": 4 for number in range(THREADS)}
    assert sandbox.fields("one@example.com") == expected


def test_one_of_many_creators_of_a_name_wins(embedded: EmbeddedSandbox) -> None:
    def work(client: SandboxClient, _number: int) -> tuple[int, int]:
        book = client.call("POST", "/v2/address-books", json={"name": "Contested"})
        field = client.call("POST", "/v2/data-fields", json={"name": "WON", "type": "String"})
        return book.status_code, field.status_code

    books, fields = zip(*in_threads(embedded, work), strict=True)
    assert sorted(books) == [201] + [400] * (THREADS - 1)
    assert sorted(fields) == [201] + [400] * (THREADS - 1)


def test_reading_goes_on_while_an_import_is_written(sandbox: SandboxClient) -> None:
    import_id = sandbox.start_import(people(5_000, "written"))
    seen = []
    while sandbox.report(import_id)["status"] == "NotFinished":
        seen.append(sandbox.get("/v2/address-books").status_code)
    assert set(seen) == {200}

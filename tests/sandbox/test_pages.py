"""The links of a page, and the pages that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.sandbox.client import people, person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

PATH = "/contacts/v3"
EVER = "gte::2000-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def list_id(sandbox: SandboxClient) -> int:
    """A list whose members are not the only contacts, nor next to each other by their IDs."""
    list_id = sandbox.create_list("Paged")
    for number in range(7):
        sandbox.load(
            *people(2, f"other{number}-"), person(f"p{number}@example.com", lists=[list_id])
        )
    return list_id


def names(page: dict[str, Any]) -> list[str]:
    return [one["identifiers"]["email"].partition("@")[0] for one in page["_items"]]


def follow(sandbox: SandboxClient, page: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the page that a link leads to; its marker leads to the same."""
    link = page["_links"][name]
    path = link["link"].removeprefix(sandbox.url)
    assert parse_qs(urlsplit(path).query)["marker"] == [link["marker"]]
    found: dict[str, Any] = sandbox.get(path).json()
    return found


def walk(sandbox: SandboxClient, page: dict[str, Any], name: str) -> list[list[str]]:
    """Return the names on a page, and on those that a link of that name leads to."""
    found = [names(page)]
    while name in page["_links"] and len(found) < 30:
        page = follow(sandbox, page, name)
        found.append(names(page))
    return found


FILTERS = pytest.mark.parametrize(
    "filters", [{}, {"~created": EVER}, {"~modified": EVER}], ids=["all", "created", "modified"]
)


LIMITS = [("list", 1), ("list", 2), ("list", 3), ("list", 6), ("list", 7), ("list", 8)]


@FILTERS
@pytest.mark.parametrize(("whose", "limit"), [*LIMITS, ("account", 4), ("account", 5_000)])
def test_pages_are_the_same_whichever_way_they_are_reached(
    sandbox: SandboxClient, list_id: int, limit: int, whose: str, filters: dict[str, str]
) -> None:
    parameters: dict[str, str | int] = {"limit": limit, **filters}
    if whose == "list":
        parameters["~listId"] = list_id
    first = sandbox.get(PATH, **parameters).json()
    forwards = walk(sandbox, first, "next")
    last = follow(sandbox, first, "last")
    assert walk(sandbox, last, "prev") == forwards[::-1]
    page = first
    for number, expected in enumerate(forwards):
        assert names(page) == expected
        assert names(follow(sandbox, page, "self")) == expected
        assert names(follow(sandbox, page, "first")) == forwards[0]
        assert names(follow(sandbox, page, "last")) == forwards[-1]
        assert ("prev" in page["_links"]) == (number > 0)
        assert ("next" in page["_links"]) == (number < len(forwards) - 1)
        if "next" in page["_links"]:
            page = follow(sandbox, page, "next")
    assert page["_links"]["last"] == page["_links"]["self"]
    assert page["_items"] == last["_items"]


def test_the_last_page_is_counted_from_the_page_that_is_there(
    sandbox: SandboxClient, list_id: int
) -> None:
    one = sandbox.get(PATH, **{"~listId": list_id, "limit": 1}).json()
    marker = one["_links"]["next"]["marker"]
    shifted = sandbox.get(PATH, **{"~listId": list_id, "limit": 4, "marker": marker}).json()
    assert walk(sandbox, shifted, "next") == [["p1", "p2", "p3", "p4"], ["p5", "p6"]]
    assert names(follow(sandbox, shifted, "last")) == ["p5", "p6"]
    assert names(follow(sandbox, shifted, "prev")) == ["p0", "p1", "p2", "p3"]


def test_pages_of_nothing(sandbox: SandboxClient) -> None:
    page = sandbox.get(PATH, **{"~created": "gte::9999-01-01T00:00:00Z"}).json()
    assert page["_items"] == []
    assert set(page["_links"]) == {"self", "first", "last"}
    assert follow(sandbox, page, "last")["_items"] == []


def test_who_left_is_on_no_page_before(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Left")
    created = sandbox.load(*people(3, "left", lists=[list_id]))["created"]
    page = sandbox.get(PATH, **{"~listId": list_id, "limit": 2}).json()
    for one in created[:2]:
        member = f"/v2/address-books/{list_id}/contacts/{one['contactId']}"
        assert sandbox.call("DELETE", member).status_code == 204
    following = follow(sandbox, page, "next")
    assert names(following) == ["left2"]
    assert "prev" not in following["_links"]


@pytest.mark.parametrize(
    "marker", ["Pi0x", "PDw1", "MV8w", "IDU=", "Ljk=", "PjE4NDQ2NzQ0MDczNzA5NTUxNjE2"]
)
def test_a_marker_of_nothing_is_refused(sandbox: SandboxClient, marker: str) -> None:
    reply = sandbox.get(PATH, marker=marker)
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:invalidMarker")

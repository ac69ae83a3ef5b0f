"""Segments: made through the sandbox's own call, read and refreshed through Dotdigital's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from pathlib import Path

MAKE, LIST = "/sandbox/segments", "/v2/segments"


def make(sandbox: SandboxClient, name: str, **rule: Any) -> int:
    reply = sandbox.call("POST", MAKE, json={"name": name, "rule": rule})
    assert reply.status_code == 201, reply.text
    segment_id: int = reply.json()["id"]
    return segment_id


def refresh(sandbox: SandboxClient, segment_id: int) -> None:
    path = f"{LIST}/refresh/{segment_id}"
    reply = sandbox.call("POST", path)
    assert reply.status_code == 202
    assert reply.json() == {"id": segment_id, "status": "NotFinished"}
    over = sandbox.poll(path, "NotFinished")
    assert over == {"id": segment_id, "status": "Finished"}


def found(sandbox: SandboxClient, segment_id: int, **parameters: str | int) -> list[str]:
    reply = sandbox.get("/contacts/v3", **{"~segmentId": segment_id}, **parameters)
    assert reply.status_code == 200, reply.text
    return [one["identifiers"]["email"].partition("@")[0] for one in reply.json()["_items"]]


def listed(sandbox: SandboxClient, segment_id: int) -> dict[str, Any]:
    return next(one for one in sandbox.get(LIST).json() if one["id"] == segment_id)


@pytest.fixture(scope="module")
def lists(sandbox: SandboxClient) -> tuple[int, int]:
    """Two lists: one contact in each of them, one in both, one in neither."""
    left, right = sandbox.create_list("Left"), sandbox.create_list("Right")
    sandbox.load(
        person("left@example.com", lists=[left], dataFields={"POSTCODE": "N1"}),
        person("right@example.com", lists=[right], dataFields={"POSTCODE": "N2"}),
        person("both@example.com", lists=[left, right], dataFields={"POSTCODE": "N1"}),
        person("neither@example.com"),
    )
    return left, right


def test_a_segment_has_who_is_in_any_or_in_all_of_its_address_books(
    sandbox: SandboxClient, lists: tuple[int, int]
) -> None:
    anywhere = make(sandbox, "In any", inAny=[*lists, lists[0]])
    everywhere = make(sandbox, "In all", inAll=[*lists, lists[0]])
    assert found(sandbox, anywhere) == ["left", "right", "both"]
    assert found(sandbox, everywhere) == ["both"]
    assert listed(sandbox, anywhere) == {"id": anywhere, "name": "In any", "contacts": 3}
    assert listed(sandbox, everywhere)["contacts"] == 1


def test_a_segment_has_who_has_a_value_in_a_data_field(
    sandbox: SandboxClient, lists: tuple[int, int]
) -> None:
    assert lists
    sandbox.create_field("SCORE", "Numeric")
    sandbox.create_field("VIP", "Boolean")
    sandbox.load(person("valued@example.com", dataFields={"SCORE": 7.5, "VIP": True}))
    assert found(sandbox, make(sandbox, "North", field="postcode", equals="N1")) == ["left", "both"]
    assert found(sandbox, make(sandbox, "Score", field="SCORE", equals=7.5)) == ["valued"]
    assert found(sandbox, make(sandbox, "VIPs", field="VIP", equals=True)) == ["valued"]


def test_who_comes_into_a_segment_is_in_it_after_a_refresh(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Grows")
    segment_id = make(sandbox, "Growing", inAny=[list_id])
    sandbox.load(person("late@example.com", lists=[list_id]))
    assert found(sandbox, segment_id) == []
    refresh(sandbox, segment_id)
    assert found(sandbox, segment_id) == ["late"]
    assert listed(sandbox, segment_id)["contacts"] == 1
    sandbox.call("DELETE", "/contacts/v3/email/late%40example.com")
    assert found(sandbox, segment_id) == []
    refresh(sandbox, segment_id)
    assert listed(sandbox, segment_id)["contacts"] == 0


def test_pages_of_a_segment_follow_each_other(
    sandbox: SandboxClient, lists: tuple[int, int]
) -> None:
    segment_id = make(sandbox, "Pages", inAny=list(lists))
    page = sandbox.get("/contacts/v3", **{"~segmentId": segment_id, "limit": 2}).json()
    marker = page["_links"]["next"]["marker"]
    assert len(page["_items"]) == 2
    assert found(sandbox, segment_id, limit=2, marker=marker) == ["both"]
    shown = [one["id"] for one in sandbox.get(LIST).json()]
    assert [one["id"] for one in sandbox.get(LIST, select=1, skip=1).json()] == shown[1:2]


def test_v2_lists_a_segments_contacts_as_those_of_an_address_book(
    sandbox: SandboxClient, lists: tuple[int, int]
) -> None:
    segment_id = make(sandbox, "Read by v2", inAll=list(lists))
    reply = sandbox.get(f"/v2/address-books/{segment_id}/contacts")
    assert [one["email"] for one in reply.json()] == ["both@example.com"]
    assert sandbox.get(f"/v2/address-books/{segment_id}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_segment_that_is_not_there_cannot_be_refreshed(
    sandbox: SandboxClient, method: str
) -> None:
    for segment_id in ("7", "2147483647"):
        reply = sandbox.call(method, f"{LIST}/refresh/{segment_id}")
        assert reply.status_code == 404
        assert reply.json()["message"].endswith(" ERROR_SEGMENT_NOT_FOUND")
    assert sandbox.call(method, f"{LIST}/refresh/x").status_code == 400


def test_contacts_of_a_segment_that_is_not_there_are_refused(sandbox: SandboxClient) -> None:
    for value in ("7", "x", "0"):
        reply = sandbox.get("/contacts/v3", **{"~segmentId": value})
        assert reply.status_code == 400
        assert reply.json()["errorCode"] == "contacts:invalidFilter"


def test_address_books_and_segments_share_their_names(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Shared")
    make(sandbox, "Segmented", inAny=[list_id])
    for method, path in (("POST", "/v2/address-books"), ("PUT", f"/v2/address-books/{list_id}")):
        reply = sandbox.call(method, path, json={"name": "SEGMENTED"})
        assert reply.status_code == 400
        assert reply.json()["message"].endswith(" ERROR_ADDRESSBOOK_DUPLICATE")
    for name in ("shared", "segmented", "all contacts"):
        new = {"name": name, "rule": {"inAny": [list_id]}}
        assert sandbox.call("POST", MAKE, json=new).status_code == 409
    renamed = sandbox.call("PUT", f"/v2/address-books/{list_id}", json={"name": "sHARED"})
    assert renamed.json()["name"] == "sHARED"


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"inAny": []},
        {"inAny": [7]},
        {"inAny": ["Left"]},
        {"inAny": [1_000_001]},
        {"inAny": [1_000_002], "inAll": [1_000_002]},
        {"field": "POSTCODE"},
        {"equals": "N1"},
        {"field": "NO_SUCH_FIELD", "equals": "N1"},
        {"field": "POSTCODE", "equals": "N1", "inAny": [1_000_002]},
        {"like": "N1"},
        {"field": "POSTCODE", "equals": 2**63},
    ],
)
def test_a_rule_that_is_none_is_refused(sandbox: SandboxClient, rule: dict[str, Any]) -> None:
    for name in ("No rule", " "):
        reply = sandbox.call("POST", MAKE, json={"name": name, "rule": rule})
        assert reply.status_code == 400
        assert reply.json()["errorCode"] == "sandbox:badSegment"


def test_what_is_no_segment_is_refused(sandbox: SandboxClient) -> None:
    for body in (b"{", b"[]", b"\xff", b'{"name": "", "rule": {"inAny": [1000002]}}'):
        headers = {"Content-Type": "application/json"}
        reply = sandbox.call("POST", MAKE, data=body, headers=headers)
        assert reply.status_code == 400
        assert reply.json()["errorCode"] == "sandbox:badSegment"
    assert sandbox.call("POST", MAKE, data=b"{}").status_code == 415


def test_a_segment_that_is_deleted_is_gone(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Stays")
    segment_id = make(sandbox, "Goes", inAny=[list_id])
    assert sandbox.call("DELETE", f"{MAKE}/{segment_id}").status_code == 204
    assert sandbox.call("DELETE", f"{MAKE}/{segment_id}").status_code == 404
    assert sandbox.call("DELETE", f"{MAKE}/x").status_code == 404
    assert sandbox.get("/contacts/v3", **{"~segmentId": segment_id}).status_code == 400
    assert sandbox.call("POST", MAKE, json={"name": "Goes", "rule": {"inAny": [list_id]}}).ok


def test_a_reset_leaves_no_segment_and_a_start_does_not_take_its_name(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        make(client, "Taken", inAny=[client.create_list("Anything")])
    with pytest.raises(ValueError, match="name of a segment"):
        SandboxServer(Options(database, address_books=["taken"]))
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert len(client.get(LIST).json()) == 1
        assert client.call("POST", "/sandbox/reset", json={}).status_code == 204
        assert client.get(LIST).json() == []

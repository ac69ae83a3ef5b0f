"""A slash at the end of a path makes no other route of it, for any layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.api import API_ROUTES
from target_dotdigital.sandbox.faults import TierLimits
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST_ID = 42
ROUTES = sorted(
    (method, re.sub(r":\w+(?=\})", "", route.path))
    for route in API_ROUTES
    for method in route.methods or ()
    if method != "HEAD"
)
TEAPOT = 418


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    database = tmp_path_factory.mktemp("slashes") / "dotdigital.db"
    limits = TierLimits(low=10_000, medium=10_000, high=10_000)
    options = Options(database, address_books=[LIST_ID], rate_limits=limits)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_every_layer_names_the_same_route(limited: SandboxClient, method: str, route: str) -> None:
    path = re.sub(r"\{\w+\}", str(LIST_ID), route)
    fault = {"route": f"{method} {route}", "kind": "answer", "status": TEAPOT, "times": 2}
    assert limited.call("POST", "/sandbox/faults/", json=fault).status_code == 201
    replies = [limited.call(method, f"{path}{end}") for end in ("?limit=1", "/?limit=1")]
    assert [reply.status_code for reply in replies] == [TEAPOT, TEAPOT]
    assert len({reply.headers["X-RateLimit-Scope"] for reply in replies}) == 1
    newest = limited.get("/sandbox/page/requests").json()["calls"][:2]
    assert {(call["method"], call["route"]) for call in newest} == {(method, route)}


def test_an_import_is_an_import(sandbox: SandboxClient) -> None:
    body = {"contacts": [person("slash@example.com", lists=[LIST_ID])]}
    reply = sandbox.call("PUT", "/contacts/v3/import/", json=body)
    assert reply.status_code == 202
    report = f"/contacts/v3/import/{reply.json()['importId']}/"
    assert sandbox.poll(report, "NotFinished")["summary"]["newContacts"] == 1


def test_a_query_is_read_behind_a_slash(sandbox: SandboxClient) -> None:
    sandbox.load(person("one@example.com"), person("two@example.com"))
    page = sandbox.get("/contacts/v3/", limit=1).json()
    following = page["_links"]["next"]["link"].removeprefix(sandbox.url)
    assert following.startswith("/contacts/v3?")
    assert len(page["_items"]) == len(sandbox.get(following).json()["_items"]) == 1
    assert len(sandbox.get("/v2/address-books/", select=1).json()) == 1
    created = sandbox.call("POST", "/v2/address-books/", json={"name": "Behind a slash"})
    assert created.json()["name"] == "Behind a slash"


@pytest.mark.parametrize(
    ("path", "value"),
    [("a", "a"), ("a/", "a"), ("a%2F", "a/"), ("a%2f/", "a/"), ("%2F", "/"), ("a/b/", "a/b")],
)
def test_a_value_that_ends_with_a_slash_is_encoded(
    sandbox: SandboxClient, path: str, value: str
) -> None:
    reply = sandbox.get(f"/contacts/v3/email/{path}")
    assert reply.status_code == 400
    assert f"'{value}'" in reply.json()["description"]


def test_the_page_is_its_slash(sandbox: SandboxClient) -> None:
    assert sandbox.get("/").headers["Content-Type"].startswith("text/html")
    assert sandbox.get("/sandbox/page/page.js/").status_code == 200

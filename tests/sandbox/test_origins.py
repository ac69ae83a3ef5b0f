"""Programs may call; other sites in somebody's browser may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = ["/", "/sandbox/page/page.js", "/sandbox/page/contacts", "/v2/account-info", "/contacts/v3"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("origins") / "dotdigital.db"
    with SandboxServer(Options(database, allowed_hosts=["dotdigital.test"])) as server:
        yield server.url


def status(url: str, path: str = "/v2/account-info", **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = requests.get(url + path, headers=sent, auth=("any", "one"), timeout=DEADLINE_SECONDS)
    return reply.status_code


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_client_is_answered(url: str, path: str) -> None:
    assert status(url, path) == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8025", "localhost.evil.example", "10.0.0.1", "", "[::1].evil"],
)
def test_a_foreign_host_is_refused(url: str, path: str, host: str) -> None:
    assert status(url, path, Host=host) in (400, 421)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "a.localhost", "dotdigital.test"]
)
def test_its_own_names_are_answered_at_any_port(url: str, host: str) -> None:
    assert status(url, Host=host) == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "unheard-of"])
def test_a_call_that_another_site_makes_is_refused(url: str, path: str, site: str) -> None:
    assert status(url, path, Sec_Fetch_Site=site) == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"]
)
def test_another_origin_is_refused(url: str, path: str, origin: str) -> None:
    assert status(url, path, Origin=origin) == 403


def test_the_page_itself_is_answered(url: str) -> None:
    assert status(url, Origin=url, Sec_Fetch_Site="same-origin") == 200
    assert status(url, "/", Sec_Fetch_Site="none") == 200


def test_the_page_runs_nothing_but_its_own_files(url: str) -> None:
    reply = requests.get(url + "/", timeout=DEADLINE_SECONDS)
    assert reply.status_code == 200
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "<script>" not in reply.text
    assert "style=" not in reply.text


@pytest.mark.parametrize("path", ["page/..%2Fpage.py", "page/none"])
def test_what_the_page_does_not_have_is_not_found(url: str, path: str) -> None:
    assert status(url, f"/sandbox/{path}") == 404


@pytest.mark.parametrize(
    "query", ["list=x", "status=none", "position=-1", "position=9999999999999999999999"]
)
def test_a_page_of_contacts_that_cannot_be_is_refused(url: str, query: str) -> None:
    assert status(url, f"/sandbox/page/contacts?{query}") == 400

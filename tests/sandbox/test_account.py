from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

PATHS = [
    "/v2/account-info",
    "/v2/address-books",
    "/contacts/v3",
    "/contacts/v3/email/somebody%40example.com",
    "/no/such/path",
]


def test_the_api_endpoint_is_the_servers_own_address_with_a_slash(sandbox: SandboxClient) -> None:
    account = sandbox.get("/v2/account-info").json()
    values = {one["name"]: one["value"] for one in account["properties"]}
    assert values["ApiEndpoint"] == sandbox.url + "/"
    assert {"Name", "MainEmail"} <= set(values)
    assert all(isinstance(value, str) for value in values.values())


def test_the_server_time_is_now_in_utc(sandbox: SandboxClient) -> None:
    reply = sandbox.get("/v2/server-time")
    assert reply.headers["Content-Type"].startswith("text/plain")
    told = datetime.fromisoformat(reply.text)
    assert abs(datetime.now(timezone.utc) - told) < timedelta(seconds=10)


@pytest.mark.parametrize("path", PATHS)
def test_without_credentials_a_call_is_answered_401(sandbox: SandboxClient, path: str) -> None:
    reply = requests.get(sandbox.url + path, timeout=10)
    assert reply.status_code == 401
    assert reply.json() == {"message": "Authorization has been denied for this request."}


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic %%%",
        "Basic dXNlcg==",
        "Basic YW55b25lOmFueXRoaW5n",
        "Bearer YW55b25lOmFueXRoaW5n",
        "Basic \xff",
    ],
)
def test_wrong_credentials_are_answered_401(sandbox: SandboxClient, authorization: str) -> None:
    reply = requests.get(
        sandbox.url + "/v2/account-info",
        headers={"Authorization": authorization.encode("latin-1")},
        timeout=10,
    )
    assert reply.status_code == 401


def test_what_does_not_exist_is_answered_in_the_shape_of_its_version(
    sandbox: SandboxClient,
) -> None:
    assert set(sandbox.get("/v2/campaigns").json()) == {"message"}
    assert set(sandbox.get("/insightData/v3/import").json()) == {"errorCode", "description"}
    assert sandbox.get("/v2/campaigns").status_code == 404
    assert sandbox.call("DELETE", "/contacts/v3/import").status_code == 405

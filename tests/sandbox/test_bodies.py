"""What a body may be said to be, and how it may be packed."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.sandbox.client import SandboxClient, people

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests


class Call(NamedTuple):
    """A call with a body that is taken, and the codes with which it may be refused."""

    method: str
    path: str
    body: bytes
    unsupported: str
    malformed: str


IMPORT = Call(
    "PUT",
    "/contacts/v3/import",
    json.dumps({"contacts": people(1, "body")}).encode(),
    "server:unsupportedMediaType",
    "contacts:badJson",
)
LIST = Call(
    "POST",
    "/v2/address-books",
    json.dumps({"name": "Body"}).encode(),
    "ERROR_CONTENT_TYPE_IS_NOT_SUPPORTED",
    "ERROR_MALFORMED_REQUEST",
)
CALLS = pytest.mark.parametrize("call", [IMPORT, LIST], ids=["v3", "v2"])
LIMIT_BYTES = 50_000_000


@contextlib.contextmanager
def switched(database: Path, *assignments: str) -> Iterator[SandboxClient]:
    options = Options(database, switches=read_switches(assignments))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


def send(client: SandboxClient, call: Call, body: bytes, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.call(call.method, call.path, data=body, headers=named)


def error(reply: requests.Response) -> tuple[int, str]:
    body: dict[str, str] = reply.json()
    code = body["errorCode"] if "errorCode" in body else body["message"].split()[-1]
    return reply.status_code, code


@CALLS
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "text/csv", "json"]
)
def test_another_type_than_json_is_refused(database: Path, call: Call, media_type: str) -> None:
    with switched(database) as client:
        reply = send(client, call, call.body, Content_Type=media_type)
        assert error(reply) == (415, call.unsupported)


@CALLS
@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json ;x"]
)
def test_json_is_taken_whatever_follows(database: Path, call: Call, media_type: str) -> None:
    with switched(database, "no-content-type=refused") as client:
        assert send(client, call, call.body, Content_Type=media_type).ok


@CALLS
@pytest.mark.parametrize("position", ["taken", "refused"])
def test_a_body_without_a_type(database: Path, call: Call, position: str) -> None:
    with switched(database, f"no-content-type={position}") as client:
        reply = send(client, call, call.body)
        assert "Content-Type" not in reply.request.headers
        assert reply.ok if position == "taken" else error(reply) == (415, call.unsupported)
        # Where there is no body there is nothing that could have a type.
        assert error(send(client, call, b"")) == (400, call.malformed)


@CALLS
@pytest.mark.parametrize("position", ["refused", "taken"])
def test_a_byte_order_mark(database: Path, call: Call, position: str) -> None:
    with switched(database, f"byte-order-mark={position}") as client:
        reply = send(client, call, codecs.BOM_UTF8 + call.body)
        assert reply.ok if position == "taken" else error(reply) == (400, call.malformed)
        twice = send(client, call, codecs.BOM_UTF8 * 2 + call.body)
        assert error(twice) == (400, call.malformed)


@CALLS
@pytest.mark.parametrize("position", ["refused", "taken"])
def test_a_body_that_is_packed(database: Path, call: Call, position: str) -> None:
    with switched(database, f"gzip={position}") as client:
        reply = send(client, call, gzip.compress(call.body), Content_Encoding="GZip")
        assert reply.ok if position == "taken" else error(reply) == (415, call.unsupported)
        assert error(send(client, call, b"{}", Content_Encoding="br")) == (415, call.unsupported)
        assert send(client, call, b"{}", Content_Encoding="identity").status_code == 400


@CALLS
def test_what_cannot_be_unpacked_is_no_json(database: Path, call: Call) -> None:
    packed = gzip.compress(call.body)
    with switched(database, "gzip=taken") as client:
        for damaged in (packed[:-9], packed[:20] + packed, b"\x1f"):
            reply = send(client, call, damaged, Content_Encoding="gzip")
            assert error(reply) == (400, call.malformed)


@pytest.mark.parametrize(("size", "status"), [(LIMIT_BYTES, 400), (LIMIT_BYTES + 1, 413)])
def test_what_is_unpacked_has_the_limit_of_a_body(database: Path, size: int, status: int) -> None:
    with switched(database, "gzip=taken") as client:
        packed = gzip.compress(b" " * size)
        assert send(client, IMPORT, packed, Content_Encoding="gzip").status_code == status

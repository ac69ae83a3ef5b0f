"""Whatever a call names, its answer has one of the statuses that its route names."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from target_dotdigital.sandbox.api.statuses import STATUSES
from target_dotdigital.sandbox.http import route_name
from tests.support.sandbox_tables import routes

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

UNKNOWN = {
    "identifier": "email",
    "value": "unknown@example.com",
    "contact": "unknown@example.com",
    "name": "Unknown",
    "key": "1",
    "date": "2026-01-01",
    "merge_option": "OverwriteExisting",
    "id": "9",
    "import_id": "d7de900d-d337-43f6-b1e1-c8ec73e1a434",
    "contact_id": "9",
}
"""Values that could be there, and are not."""

JOBS = re.compile(r"(?<=/)(delete|deletion|import|async)/\{id\}")
BODIES = (b"{}", b"[]", b"{", b'{"unsubscribedContact": {"id": 9}}', b'{"keys": ["9"]}')


@pytest.mark.parametrize("kind", ["unknown", "none"])
@pytest.mark.parametrize("route", list(routes()))
def test_an_answer_has_a_status_of_its_route(sandbox: SandboxClient, route: str, kind: str) -> None:
    method, _, path = route.partition(" ")
    path = JOBS.sub(r"\1/{import_id}", path)
    for name, value in UNKNOWN.items():
        path = path.replace(f"{{{name}}}", quote(value if kind == "unknown" else "!\n"))
    for body in BODIES if method != "GET" else (b"",):
        reply = sandbox.call(method, path, data=body, headers={"Content-Type": "application/json"})
        named = {HTTPStatus(status) for status in STATUSES[route_name(route)]}
        assert reply.status_code in named, (body, reply.text)

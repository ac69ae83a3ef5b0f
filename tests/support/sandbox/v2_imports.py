"""Imports of v2 as its clients send them, and what they ask for afterwards."""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.support.sandbox.client import SandboxClient

ROUTE = "/v2/contacts/import"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def csv_of(*rows: tuple[object, ...]) -> bytes:
    """Return rows as a file, the first of them the names of the columns."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def upload(
    client: SandboxClient, content: bytes, route: str = ROUTE, name: str = "contacts.csv"
) -> requests.Response:
    """Send a file in a form, as the vendor's Magento extension does."""
    return client.call("POST", route, files={"file": (name, content, "text/csv")})


def send_json(
    client: SandboxClient, content: bytes, route: str = ROUTE, name: str = "contacts.csv"
) -> requests.Response:
    """Send a file in JSON, as OroCRM does, its names in Pascal case."""
    data = base64.b64encode(content).decode()
    return client.call("POST", route, json={"FileName": name, "Data": data})


def finish(client: SandboxClient, reply: requests.Response, status: str = "Finished") -> str:
    """Wait for the end of an import that was accepted, and return its ID."""
    assert reply.status_code == 202, reply.text
    assert reply.json()["status"] == "NotFinished"
    import_id: str = reply.json()["id"]
    assert client.poll(f"{ROUTE}/{import_id}", "NotFinished")["status"] == status
    return import_id


def sums(client: SandboxClient, import_id: str) -> dict[str, Any]:
    """Return the sums of an import that are not zero."""
    reply = client.get(f"{ROUTE}/{import_id}/report")
    assert reply.status_code == 200, reply.text
    return {name: value for name, value in reply.json().items() if value}


def faults(client: SandboxClient, import_id: str) -> list[list[str]]:
    """Return the list of faults, without its byte order mark."""
    reply = client.get(f"{ROUTE}/{import_id}/report-faults")
    assert reply.status_code == 200, reply.text
    assert reply.content.startswith(BYTE_ORDER_MARK)
    text = reply.content.removeprefix(BYTE_ORDER_MARK).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def load(client: SandboxClient, *rows: tuple[object, ...], route: str = ROUTE) -> dict[str, Any]:
    """Import rows, the first of them the names of the columns, and return the sums."""
    return sums(client, finish(client, upload(client, csv_of(*rows), route)))

"""A small client of the sandbox; it knows HTTP and nothing of the sandbox's insides."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import requests
from typing_extensions import Self

DEADLINE_SECONDS = 90.0
"""How long anything may take before a test fails."""

PAUSE_SECONDS = 0.01
"""Between polls."""

CONSENT = {
    "text": "Yes",
    "dateTimeConsented": "2023-01-26T21:29:00Z",
    "url": "http://www.example.com/signup",
    "ipAddress": "129.168.0.2",
    "userAgent": "Mozilla/5.0",
}
"""A record of consent that is as it should be."""


class SandboxClient:
    """Calls to one sandbox."""

    def __init__(self, url: str, credentials: tuple[str, str] = ("any", "one")) -> None:
        self.url = url
        self.credentials = credentials
        self._session = requests.Session()
        self._session.auth = credentials

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._session.close()

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._session.request(method, self.url + path, timeout=DEADLINE_SECONDS, **arguments)

    def get(self, path: str, **parameters: str | int) -> requests.Response:
        return self.call("GET", path, params=parameters)

    def send_import(
        self, contacts: list[dict[str, Any]], merge_option: str | None = None
    ) -> requests.Response:
        body: dict[str, Any] = {"contacts": contacts}
        if merge_option:
            body["mergeOption"] = merge_option
        return self.call("PUT", "/contacts/v3/import", json=body)

    def start_import(self, contacts: list[dict[str, Any]], merge_option: str | None = None) -> str:
        reply = self.send_import(contacts, merge_option)
        assert reply.status_code == 202, reply.text
        import_id: str = reply.json()["importId"]
        return import_id

    def report(self, import_id: str) -> dict[str, Any]:
        reply = self.get(f"/contacts/v3/import/{import_id}")
        assert reply.status_code == 200, reply.text
        report: dict[str, Any] = reply.json()
        return report

    def finish(self, import_id: str, status: str = "Finished") -> dict[str, Any]:
        """Wait for the end of an import and return its report."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (report := self.report(import_id))["status"] == "NotFinished":
            assert time.monotonic() < deadline, "the import does not finish"
            time.sleep(PAUSE_SECONDS)
        assert report["status"] == status
        return report

    def poll(self, path: str, *running: str) -> dict[str, Any]:
        """Wait until a job's status is none of those of a running one, and return the answer."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            reply = self.get(path)
            assert reply.status_code == 200, reply.text
            answer: dict[str, Any] = reply.json()
            if answer["status"] not in running:
                return answer
            assert time.monotonic() < deadline, "the job does not end"
            time.sleep(PAUSE_SECONDS)

    def wait_for(self, path: str) -> None:
        """Wait until something is there."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.get(path).status_code == 404:
            assert time.monotonic() < deadline, "it does not come"
            time.sleep(PAUSE_SECONDS)

    def load(self, *contacts: dict[str, Any], merge_option: str | None = None) -> dict[str, Any]:
        """Import contacts and wait for the report."""
        return self.finish(self.start_import(list(contacts), merge_option))

    def contact(self, value: str | int, identifier: str = "email") -> dict[str, Any]:
        encoded = quote(str(value), safe="")
        reply = self.get(f"/contacts/v3/{identifier}/{encoded}")
        assert reply.status_code == 200, reply.text
        contact: dict[str, Any] = reply.json(parse_float=Decimal)
        return contact

    def fields(self, email: str) -> dict[str, Any]:
        fields: dict[str, Any] = self.contact(email)["dataFields"]
        return fields

    def members(self, list_id: int, page_contacts: int = 5_000) -> list[dict[str, Any]]:
        """Read all pages of a list."""
        found: list[dict[str, Any]] = []
        parameters: dict[str, str | int] = {"~listId": list_id, "limit": page_contacts}
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            assert time.monotonic() < deadline, "the pages do not end"
            page = self.get("/contacts/v3", **parameters).json()
            found += page["_items"]
            if "next" not in page["_links"]:
                return found
            parameters["marker"] = page["_links"]["next"]["marker"]

    def create_list(self, name: str) -> int:
        reply = self.call("POST", "/v2/address-books", json={"name": name})
        assert reply.status_code == 201, reply.text
        list_id: int = reply.json()["id"]
        return list_id

    def create_field(self, name: str, kind: str) -> None:
        reply = self.call("POST", "/v2/data-fields", json={"name": name, "type": kind})
        assert reply.status_code == 201, reply.text


def person(email: str, **parts: Any) -> dict[str, Any]:
    """Return a contact that is matched by its address."""
    return {"matchIdentifier": "email", "identifiers": {"email": email}, **parts}


def people(count: int, prefix: str, **parts: Any) -> list[dict[str, Any]]:
    """Return so many contacts, their addresses numbered."""
    return [person(f"{prefix}{number}@example.com", **parts) for number in range(count)]


def failure_codes(report: dict[str, Any]) -> list[str]:
    """Return the codes of a report's failures, in its order."""
    return [
        failure["failureCode"] for failed in report["failures"] for failure in failed["failures"]
    ]

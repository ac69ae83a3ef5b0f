"""The least that can call the test server, or any other Dotdigital."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 30


class PlainClient:
    """Calls with a session that holds the credentials."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session

    def get(self, path: str) -> requests.Response:
        return self._session.get(self._url + path, timeout=TIMEOUT_SECONDS, allow_redirects=False)

    def post(self, path: str, body: object) -> requests.Response:
        return self._session.post(self._url + path, json=body, timeout=TIMEOUT_SECONDS)

    def put(self, *contacts: dict[str, Any], merge_option: str = "overwrite") -> requests.Response:
        return self.send({"mergeOption": merge_option, "contacts": contacts})

    def send(self, body: object) -> requests.Response:
        return self._session.put(
            f"{self._url}/contacts/v3/import", json=body, timeout=TIMEOUT_SECONDS
        )

    def poll(self, import_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/contacts/v3/import/{import_id}").json()
        return answer

    def load(self, *contacts: dict[str, Any], merge_option: str = "overwrite") -> dict[str, Any]:
        """Import, and return the report."""
        return self.poll(self.put(*contacts, merge_option=merge_option).json()["importId"])


def contact(email: str, *lists: int, **data_fields: object) -> dict[str, Any]:
    made: dict[str, Any] = {"matchIdentifier": "email", "identifiers": {"email": email}}
    if data_fields:
        made["dataFields"] = data_fields
    if lists:
        made["lists"] = list(lists)
    return made


def failure_codes(report: dict[str, Any]) -> list[str]:
    return [each["failures"][0]["failureCode"] for each in report["failures"]]

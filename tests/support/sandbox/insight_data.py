"""Insight data as a client sends it, and the shapes in which the vendor documents the answers.

The shapes are those of the vendor's specification of insight data v3 (3.3.1), as data: a name in
brackets may be absent.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.support.sandbox.client import DEADLINE_SECONDS, PAUSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from tests.support.sandbox.client import SandboxClient

PATH = "/insightData/v3"

ERROR = {"errorCode": str, "description": str, "[details]": [{"item": str, "description": str}]}
ACCEPTED_IMPORT = {"importId": str}
ACCEPTED_JOB = {"jobId": str}
IMPORT = {
    "importId": str,
    "status": str,
    "[collectionName]": str,
    "[summary]": {"totalRecords": int, "totalImported": int, "totalRejected": int},
    "[failures]": [
        {
            "collectionOwner": {
                "ownerType": str,
                "[contactIdentity]": {"identifier": str, "value": str},
            },
            "failureReason": str,
            "[details]": [str],
            "key": str,
            "json": dict,
        }
    ],
}
JOB = {
    "jobId": str,
    "status": str,
    "[summary]": {"totalRecords": int, "totalProcessed": int, "totalFailed": int},
}
COLLECTIONS = [
    {"collectionName": str, "collectionType": str, "[collectionScope]": str, "recordCount": int}
]
SCHEMA = {"collectionName": str, "collectionType": str, "schema": dict}
RECORD = {"key": str, "json": dict, "created": str, "updated": str, "[ownerContactId]": int}
LINK = {"marker": str, "link": str}
RECORDS = {
    "_items": [RECORD],
    "_links": {"self": LINK, "first": LINK, "[prev]": LINK, "[next]": LINK, "[last]": LINK},
}
DELETED = {
    "summary": {"totalRecords": int, "totalDeleted": int, "totalNotFound": int},
    "failures": list,
    "[notFound]": [str],
}


def check_shape(value: object, shape: Any, place: str = "$") -> None:  # noqa: ANN401 - a shape
    """Check that a value has a shape and nothing beyond it."""
    if isinstance(shape, type):
        assert type(value) is shape, f"{place} is no {shape.__name__}"
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for number, each in enumerate(value):
            check_shape(each, shape[0], f"{place}[{number}]")
    else:
        assert isinstance(value, dict), place
        names = {name.strip("[]"): name for name in shape}
        missing = {name for name, written in names.items() if name == written} - set(value)
        assert not missing, f"{place} lacks {missing}"
        for name, each in value.items():
            assert name in names, f"{place} has {name}"
            check_shape(each, shape[names[name]], f"{place}.{name}")


def answer_of(reply: requests.Response, status: int, shape: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an answer of that status and shape."""
    assert reply.status_code == status, reply.text
    answer = reply.json()
    check_shape(answer, shape)
    return answer


def error_of(reply: requests.Response) -> tuple[int, str]:
    check_shape(reply.json(), ERROR)
    return reply.status_code, reply.json()["errorCode"]


def one(key: Any, email: str | None = None, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - any key
    """Return a record, of a contact if an address is given."""
    record: dict[str, Any] = {"key": key, "json": content}
    if email is not None:
        record["contactIdentity"] = {"identifier": "email", "value": email}
    return record


def send_import(
    client: SandboxClient, *records: Mapping[str, Any], **parts: Any
) -> requests.Response:
    body = {
        "collectionName": "Products",
        "collectionScope": "account",
        "collectionType": "catalog",
        "records": list(records),
    }
    return client.call("PUT", f"{PATH}/import", json=body | parts)


def start_import(client: SandboxClient, *records: Mapping[str, Any], **parts: Any) -> str:
    reply = send_import(client, *records, **parts)
    import_id: str = answer_of(reply, 202, ACCEPTED_IMPORT)["importId"]
    return import_id


def finish(client: SandboxClient, import_id: str, status: str = "Finished") -> dict[str, Any]:
    """Wait for the end of an import and return its report."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        report: dict[str, Any] = answer_of(client.get(f"{PATH}/import/{import_id}"), 200, IMPORT)
        if report["status"] not in {"NotStarted", "Processing"}:
            assert report["status"] == status
            return report
        assert time.monotonic() < deadline, "the import does not finish"
        time.sleep(PAUSE_SECONDS)


def load(client: SandboxClient, *records: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """Import records and wait for the report."""
    return finish(client, start_import(client, *records, **parts))


def load_orders(client: SandboxClient, *records: Mapping[str, Any]) -> dict[str, Any]:
    """Import records of contacts and wait for the report."""
    parts = {"collectionName": "Orders", "collectionScope": "contact", "collectionType": "orders"}
    return load(client, *records, **parts)


def remove(client: SandboxClient, path: str) -> dict[str, Any]:
    """Remove many records and wait for the report."""
    accepted = answer_of(client.call("DELETE", PATH + path), 202, ACCEPTED_JOB)
    job = f"{PATH}/async/{accepted['jobId']}"
    report = client.poll(job, "NotStarted", "NotFinished")
    check_shape(report, JOB)
    return report


def records(client: SandboxClient, path: str, **parameters: str | int) -> list[dict[str, Any]]:
    """Read all pages of records."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        assert time.monotonic() < deadline, "the pages do not end"
        page = answer_of(client.get(PATH + path, **parameters), 200, RECORDS)
        found += page["_items"]
        if "next" not in page["_links"]:
            return found
        parameters["marker"] = page["_links"]["next"]["marker"]


def keys(client: SandboxClient, path: str, **parameters: str | int) -> list[str]:
    """Read the keys of all records."""
    return [each["key"] for each in records(client, path, **parameters)]

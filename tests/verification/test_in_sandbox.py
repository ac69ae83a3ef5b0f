"""`--verify` against the sandbox, with what Dotdigital's documents leave open either way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.messages import record, schema
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.switches import DEFAULTS, LIST_ID, OTHERWISE, configured
from tests.support.target.command import load
from tests.support.target.commands import differing, found, verify

if TYPE_CHECKING:
    from pathlib import Path

PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "first_name": {"type": ["string", "null"]},
    "since": {"type": ["string", "null"]},
    "score": {"type": ["string", "number", "null"]},
}
MESSAGES = (
    schema(properties=PROPERTIES),
    record(email="Ann@Example.com", first_name="Ann", since="2026-01-31", score=1.5),
    record(email="bob@example.com", first_name=None, since=None, score="2"),
    record(email="cid@example.com", first_name="Cid"),
    record(email="chloé@bücher.example", first_name="Chloé"),
)


@pytest.mark.parametrize("switches", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"])
def test_what_was_loaded_into_the_sandbox_is_there(
    tmp_path: Path, switches: tuple[str, ...]
) -> None:
    options = Options(
        tmp_path / "sandbox.sqlite", address_books=[LIST_ID], switches=read_switches(switches)
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.create_field("SINCE", "Date")
        client.create_field("SCORE", "Numeric")
        config = configured(server)
        assert load(config, tmp_path, *MESSAGES, pace=20).status == 0
        ended = verify(config, tmp_path, *MESSAGES)
        assert (ended.status, ended.stdout) == (0, ""), ended.stderr
        assert found(ended) == {"expected": 4, "as it should be": 4}
        # A week later: one has changed, one has opted out, one has left the list, one the account.
        client.send_import([_person("ann@example.com", dataFields={"SCORE": 2})])
        answer = client.call("POST", "/v2/contacts/unsubscribe", json={"email": "cid@example.com"})
        assert answer.status_code == 200, answer.text
        path = f"/v2/address-books/{LIST_ID}/contacts/unsubscribe"
        answer = client.call("POST", path, json={"email": "bob@example.com"})
        assert answer.status_code == 200, answer.text
        answer = client.call("DELETE", "/contacts/v3/email/chloé@bücher.example")
        assert answer.ok, answer.text
        ended = verify(config, tmp_path, *MESSAGES)
        assert ended.status == 1
        assert differing(ended) == {"SCORE": 1}
        assert found(ended) == {
            "expected": 4,
            "as it should be": 1,
            "differing": 1,
            "missing": 2,
            "not in the account": 1,
            "opted out": 2,
        }


def test_an_embedded_sandbox_is_only_read(tmp_path: Path) -> None:
    config = {"sandbox_path": "sandbox.sqlite", "address_book": "People"}
    ended = verify(config, tmp_path, *MESSAGES)
    assert ended.status == 1
    assert found(ended) == {"expected": 4, "missing": 4, "not in the account": 4}
    assert load(config, tmp_path, *MESSAGES).status == 0
    assert verify(config, tmp_path, *MESSAGES).status == 0


def _person(email: str, **parts: Any) -> dict[str, Any]:
    return {"matchIdentifier": "email", "identifiers": {"email": email}, **parts}

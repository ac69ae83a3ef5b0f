"""Requests of clients that no registry here carries, replayed as they are on the wire."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.faults.rate_limits import TierLimits
from tests.sandbox.conftest import LIST_ID, PREFERENCES
from tests.support.dotdigital.contract.openapi import FOLDER_VARIABLE, check_response
from tests.support.sandbox.replay import Conversation, Replay, conversations

if TYPE_CHECKING:
    from target_dotdigital.sandbox import EmbeddedSandbox

WITHOUT_VENDOR_FILE = ("/insightData/",)
"""The vendor describes them in a file that the contract does not have."""

KEPT = {"book": LIST_ID, "preference": PREFERENCES[0]}
"""What conversations name of the account."""

CASES = [
    pytest.param(conversation, id=f"{file.stem}: {conversation.title}")
    for file in sorted(Path(__file__).parent.glob("*.json"))
    for conversation in conversations(file)
]


@pytest.mark.parametrize("conversation", CASES)
def test_the_answers_are_what_the_client_reads(
    conversation: Conversation, request: pytest.FixtureRequest, database: Path
) -> None:
    if conversation.options:
        with SandboxServer(options_of(conversation, database)) as server:
            replay = Replay(server.url, ("any", "one"), KEPT)
            replay.hold(conversation)
    else:
        embedded: EmbeddedSandbox = request.getfixturevalue("embedded")
        replay = Replay(embedded.url, (embedded.username, embedded.password), KEPT)
        replay.hold(conversation)
    assert violations(replay) == []


def options_of(conversation: Conversation, database: Path) -> Options:
    calls = conversation.options.get("calls_a_minute")
    return Options(
        database,
        address_books=[LIST_ID],
        switches=Switches(**conversation.options.get("switches", {})),
        rate_limits=calls and TierLimits(low=calls, medium=calls, high=calls),
    )


def violations(replay: Replay) -> list[str]:
    """Return where answers are not what the vendor's files describe, if those files are there."""
    if not os.environ.get(FOLDER_VARIABLE):
        return []
    return [
        f"{reply.method} {reply.path}: {each}"
        for reply in replay.replies
        if not reply.path.startswith(WITHOUT_VENDOR_FILE)
        for each in check_response(
            reply.method, reply.path.rstrip("/"), reply.status, reply.headers, reply.content
        )
    ]

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.dotdigital import answers
from tests.support.dotdigital.plain_client import PlainClient, contact
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT

if TYPE_CHECKING:
    from tests.support.dotdigital.contract.recording import RecordingProxy
    from tests.support.dotdigital.server import DotdigitalServer


def test_the_proxy_changes_nothing(
    server: DotdigitalServer, proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    server.answer_next(DATA_FIELDS, answers.rate_limited(seconds=3))
    answer = recorded_client.get("/v2/data-fields?a=b%20c")
    recorded_client.put(contact("ä@example.com"))
    assert answer.headers["X-RateLimit-Reset"] == "3"
    (limited, put) = proxy.exchanges
    assert limited.query == {"a": "b c"}
    assert put.request_body == server.calls_of(IMPORT)[0].body
    assert server.calls[0].headers["host"] == proxy.url.removeprefix("http://")


@pytest.mark.parametrize("armed", [answers.reset(), answers.truncated_reply()])
def test_the_proxy_passes_on_a_broken_connection(
    server: DotdigitalServer,
    proxy: RecordingProxy,
    recorded_client: PlainClient,
    armed: answers.Answer,
) -> None:
    server.answer_next(DATA_FIELDS, armed)
    with pytest.raises(requests.ConnectionError):
        recorded_client.get("/v2/data-fields")
    assert (proxy.exchanges, proxy.broken) == ([], 1)

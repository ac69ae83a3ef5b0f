from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.command import main
from tests.support.sandbox.client import DEADLINE_SECONDS, SandboxClient, people, person
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_dotdigital.sandbox import EmbeddedSandbox

INFO = "GET /v2/account-info"
IMPORT = "PUT /contacts/v3/import"


@pytest.fixture(autouse=True)
def disarmed(sandbox: SandboxClient) -> Iterator[None]:
    yield
    assert sandbox.call("DELETE", "/sandbox/faults").status_code == 204


def arm(sandbox: SandboxClient, route: str, kind: str, **parts: Any) -> requests.Response:
    reply = sandbox.call("POST", "/sandbox/faults", json={"route": route, "kind": kind, **parts})
    assert reply.status_code == 201, reply.text
    return reply


def statuses(sandbox: SandboxClient, calls: int) -> list[int]:
    return [sandbox.get("/v2/account-info").status_code for _ in range(calls)]


def exists(sandbox: SandboxClient, email: str) -> bool:
    return sandbox.get(f"/contacts/v3/email/{email}").status_code == 200


def wait_for(sandbox: SandboxClient, email: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not exists(sandbox, email):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_call_can_be_answered_with_any_status_headers_and_body(sandbox: SandboxClient) -> None:
    headers = {"X-RateLimit-Reset": "30", "Retry-After": "5"}
    arm(sandbox, INFO, "answer", status=429, headers=headers, body={"errorCode": "a:b"})
    reply = sandbox.get("/v2/account-info")
    assert (reply.status_code, reply.json()) == (429, {"errorCode": "a:b"})
    assert reply.headers["X-RateLimit-Reset"] == "30"
    assert reply.headers["Retry-After"] == "5"
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_text_is_answered_as_it_is_and_a_body_can_be_left_out(sandbox: SandboxClient) -> None:
    arm(sandbox, INFO, "answer", status=200, body="half of {")
    assert sandbox.get("/v2/account-info").text == "half of {"
    arm(sandbox, INFO, "answer", status=503)
    reply = sandbox.get("/v2/account-info")
    assert (reply.status_code, reply.content) == (503, b"")


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        ({"status": 204, "body": "none of this"}, ""),
        ({"status": 200, "body": "all of it", "headers": {"content-length": "3"}}, "all of it"),
    ],
)
def test_an_answer_is_well_formed_whatever_is_asked_for(
    sandbox: SandboxClient, parts: dict[str, Any], body: str
) -> None:
    arm(sandbox, INFO, "answer", **parts)
    assert sandbox.get("/v2/account-info").text == body


def test_a_fault_is_for_the_next_calls_of_its_route_only(sandbox: SandboxClient) -> None:
    arm(sandbox, INFO, "answer", status=500, times=2, skip=1)
    assert sandbox.get("/v2/data-fields").status_code == 200
    assert statuses(sandbox, 4) == [200, 500, 500, 200]
    assert sandbox.get("/sandbox/faults").json() == []


def test_a_fault_can_be_for_ever_and_for_every_route(sandbox: SandboxClient) -> None:
    arm(sandbox, "*", "answer", status=503, times=None)
    assert statuses(sandbox, 3) == [503] * 3
    assert sandbox.get("/contacts/v3/email/a%40example.com").status_code == 503
    assert sandbox.call("DELETE", "/sandbox/faults").status_code == 204
    assert statuses(sandbox, 1) == [200]


def test_faults_of_a_route_come_one_after_the_other(sandbox: SandboxClient) -> None:
    faults = [{"route": INFO, "kind": "answer", "status": status} for status in (500, 502)]
    assert sandbox.call("POST", "/sandbox/faults", json=faults).status_code == 201
    assert statuses(sandbox, 3) == [500, 502, 200]


def test_what_is_armed_is_listed_and_can_be_disarmed_one_by_one(sandbox: SandboxClient) -> None:
    first = arm(sandbox, INFO, "answer", status=500, times=3).json()[0]["id"]
    second = arm(sandbox, INFO, "html").json()[0]["id"]
    sandbox.get("/v2/account-info")
    listed = sandbox.get("/sandbox/faults").json()
    assert [(one["id"], one["times"], one["fault"]["kind"]) for one in listed] == [
        (first, 2, "answer"),
        (second, 1, "html"),
    ]
    assert sandbox.call("DELETE", f"/sandbox/faults/{first}").status_code == 204
    assert sandbox.call("DELETE", f"/sandbox/faults/{first}").status_code == 404
    assert sandbox.call("DELETE", "/sandbox/faults/x").status_code == 404
    assert statuses(sandbox, 2) == [502, 200]


def test_a_page_of_html(sandbox: SandboxClient) -> None:
    arm(sandbox, INFO, "html", status=200)
    reply = sandbox.get("/v2/account-info")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.text.startswith("<!DOCTYPE html>")


def test_a_reset_before_the_call_is_carried_out(sandbox: SandboxClient) -> None:
    arm(sandbox, IMPORT, "reset")
    with pytest.raises(requests.ConnectionError):
        sandbox.send_import([person("reset@example.com")])
    assert sandbox.load(person("after-reset@example.com"))["summary"]["newContacts"] == 1
    assert not exists(sandbox, "reset@example.com")


def test_a_reply_that_is_lost_although_the_call_was_carried_out(sandbox: SandboxClient) -> None:
    arm(sandbox, IMPORT, "reset", carried_out=True)
    with pytest.raises(requests.ConnectionError):
        sandbox.send_import([person("lost@example.com")])
    wait_for(sandbox, "lost@example.com")


@pytest.mark.parametrize("carried_out", [False, True])
def test_an_answer_in_place_of_the_true_one(sandbox: SandboxClient, *, carried_out: bool) -> None:
    email = f"instead-{carried_out}@example.com"
    arm(sandbox, IMPORT, "answer", status=504, carried_out=carried_out)
    assert sandbox.send_import([person(email)]).status_code == 504
    if carried_out:
        wait_for(sandbox, email)
    else:
        sandbox.load(person("later@example.com"))
        assert not exists(sandbox, email)


def test_a_large_body_is_read_before_it_is_refused(sandbox: SandboxClient) -> None:
    arm(sandbox, IMPORT, "answer", status=413)
    reply = sandbox.call("PUT", "/contacts/v3/import", data=b" " * 20_000_000)
    assert reply.status_code == 413


def test_a_slow_reply_comes_after_all(sandbox: SandboxClient) -> None:
    arm(sandbox, INFO, "slow", seconds=0.3)
    began = time.monotonic()
    assert sandbox.get("/v2/account-info").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_client_that_does_not_wait_for_a_slow_reply_is_no_harm(sandbox: SandboxClient) -> None:
    arm(sandbox, INFO, "slow", seconds=600)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/v2/account-info", auth=sandbox.credentials, timeout=0.2)
    assert statuses(sandbox, 1) == [200]


def test_a_reply_that_trickles_is_whole_in_the_end(sandbox: SandboxClient) -> None:
    whole = sandbox.get("/v2/account-info").content
    arm(sandbox, INFO, "trickle", seconds=0.05, bytes=len(whole) // 4)
    began = time.monotonic()
    assert sandbox.get("/v2/account-info").content == whole
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("parts", [{}, {"bytes": 0}, {"bytes": 10}])
def test_a_reply_that_is_cut_short(sandbox: SandboxClient, parts: dict[str, int]) -> None:
    arm(sandbox, INFO, "truncate", **parts)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        sandbox.get("/v2/account-info")
    assert statuses(sandbox, 1) == [200]


def test_a_truncated_call_is_carried_out(sandbox: SandboxClient) -> None:
    arm(sandbox, IMPORT, "truncate")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        sandbox.send_import([person("truncated@example.com")])
    wait_for(sandbox, "truncated@example.com")


def test_a_parameter_of_a_route_may_have_any_name(sandbox: SandboxClient) -> None:
    import_id = sandbox.start_import(people(1, "named"))
    arm(sandbox, "GET /contacts/v3/import/{anything}", "answer", status=500)
    assert sandbox.get(f"/contacts/v3/import/{import_id}").status_code == 500
    sandbox.finish(import_id)


@pytest.mark.parametrize(
    "fault",
    [
        {"route": "GET /v2/nothing", "kind": "reset"},
        {"route": "/v2/account-info", "kind": "reset"},
        {"route": INFO, "kind": "explode"},
        {"route": INFO, "kind": "answer"},
        {"route": INFO, "kind": "answer", "status": 99},
        {"route": INFO, "kind": "answer", "status": 200, "headers": {"A": "b\r\nC: d"}},
        {"route": INFO, "kind": "answer", "status": 200, "headers": {"A:": "b"}},
        {"route": INFO, "kind": "slow"},
        {"route": INFO, "kind": "slow", "seconds": -1},
        {"route": INFO, "kind": "reset", "times": 0},
        {"route": INFO, "kind": "reset", "colour": "blue"},
        {"kind": "reset"},
        [{"route": INFO, "kind": "reset"}, {"route": "GET /", "kind": "reset"}],
        "reset",
    ],
)
def test_a_fault_that_is_none_is_refused(sandbox: SandboxClient, fault: object) -> None:
    reply = sandbox.call("POST", "/sandbox/faults", json=fault)
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == "sandbox:badFault"
    assert sandbox.get("/sandbox/faults").json() == []


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", ["/sandbox/faults", "/sandbox/reset"])
def test_nothing_but_json_is_taken(
    sandbox: SandboxClient, path: str, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    body = json.dumps({"route": INFO, "kind": "reset"}).encode()
    assert sandbox.call("POST", path, data=body, headers=headers).status_code == 415


def test_control_needs_the_credentials_of_the_api(embedded: EmbeddedSandbox) -> None:
    with SandboxClient(embedded.url, (embedded.username, "wrong")) as stranger:
        for method, path in (
            ("GET", "/sandbox/faults"),
            ("POST", "/sandbox/faults"),
            ("DELETE", "/sandbox/faults"),
            ("POST", "/sandbox/reset"),
        ):
            assert stranger.call(method, path, json={}).status_code == 401


def test_stopping_answers_whoever_waits_for_a_slow_reply(database: Path) -> None:
    answers: list[int] = []

    def wait(url: str) -> None:
        with SandboxClient(url) as waiting:
            answers.append(waiting.get("/v2/account-info").status_code)

    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        arm(client, INFO, "slow", seconds=600)
        thread = threading.Thread(target=wait, args=(server.url,))
        thread.start()
        while client.get("/sandbox/faults").json():
            time.sleep(0.01)
        server.stop()
        thread.join(DEADLINE_SECONDS)
    assert answers == [200]


def test_faults_of_a_file_are_armed_from_the_start(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"route": INFO, "kind": "answer", "status": 401}]))
    with (
        SandboxCommand(database, f"--faults={file}") as command,
        SandboxClient(command.url) as client,
    ):
        assert statuses(client, 2) == [401, 200]


@pytest.mark.parametrize(
    "content", [None, "no JSON", "{}", '[{"route": "GET /nowhere", "kind": "reset"}]']
)
def test_a_file_of_faults_that_is_none_is_told(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "faults.json"
    if content is not None:
        file.write_text(content)
    assert main(["--port=0", f"--database={database}", f"--faults={file}"]) == 1
    assert "The sandbox cannot start" in capsys.readouterr().err

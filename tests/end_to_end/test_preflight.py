"""`--test`: every check is made, in words that say what to do, and nothing is written."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import ssl
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from target_dotdigital.preflight import preflight
from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import (
    Answer,
    html_reply,
    reply,
    reset,
    usage_exceeded,
    v2_error,
)
from tests.support.dotdigital.contract.openapi import needs_vendor_files, violations_of
from tests.support.dotdigital.contract.recording import RecordingProxy
from tests.support.dotdigital.contract.rules import strict_violations_of
from tests.support.dotdigital.routes import ACCOUNT_INFO, ADDRESS_BOOK, ADDRESS_BOOKS, DATA_FIELDS
from tests.support.network import R1, R2, Network, settings
from tests.support.raw_server import Peer, RawServer
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import FinishedRun, TargetProcess, settings_for

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer

PATIENCE_SECONDS = 120
STREAMS: dict[str, Any] = {
    "people": {"fields": {"FIRSTNAME": "first_name", "loyalty_points": "points"}},
    "others": {"address_book": "Newsletter"},
}
LINE = re.compile(r"(OK|FAIL|WARN) +([^:]+): (.+)")


def check(config: dict[str, Any], folder: Path, **environment: str) -> FinishedRun:
    """Run the preflight beside a tap that never says anything."""
    arguments = ("--test",)
    with TargetProcess(config, folder, environment=environment, arguments=arguments) as target:
        target.process.wait(PATIENCE_SECONDS)
        return target.end()


def verdicts(ended: FinishedRun) -> dict[str, str]:
    """Return each check's verdict and text by its subject; the last line counts for itself."""
    *lines, last = ended.stdout.splitlines()
    assert last.endswith("Nothing was written to Dotdigital.")
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), ended.stdout
    parts = [match.groups() for match in found if match is not None]
    assert len({subject for _, subject, _ in parts}) == len(parts)
    undone = [subject for verdict, subject, _ in parts if verdict == "FAIL"]
    assert ended.status == (1 if undone else 0)
    assert last.startswith(f"{len(undone)} problem" if undone else "A run can start")
    return {subject: f"{verdict}: {text}" for verdict, subject, text in parts}


def found_by(**config: Any) -> dict[str, str]:
    """Run the preflight in this process, in time that passes only by waiting."""
    findings = list(preflight(settings(**config), FakeClock()))
    return {each.subject: f"{each.verdict}: {each.text}" for each in findings}


def test_a_good_account_gets_a_line_for_each_check(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server, streams=STREAMS, rejects_path=str(tmp_path / "out" / "rejects.singer")
    )
    ended = check(config, tmp_path)
    assert ended.status == 0, ended.stdout + ended.stderr
    found = verdicts(ended)
    assert list(found) == [
        "Settings",
        "Rejects file",
        "Connection",
        "Credentials",
        "Region",
        "Address book 'Newsletter'",
        "Address book ID 102",
        "Data fields of stream 'people'",
        "Data fields",
        "Import slots",
        "Calls",
    ]
    assert found["Address book 'Newsletter'"] == "OK: found, ID 101"
    assert found["Address book ID 102"] == "OK: found, 'Customers'"
    assert found["Data fields of stream 'people'"] == "OK: FIRSTNAME, loyalty_points found"
    assert found["Data fields"].startswith("WARN: not checked for 'others': ")
    assert "does not say how many are free" in found["Import slots"]
    assert "up to 20 (max_active_imports)" in found["Import slots"]
    assert found["Calls"].startswith("OK: 1985 left")
    assert {call.method for call in server.calls} == {"GET"}
    told = ended.stdout + ended.stderr
    # `meltano config test` looks for these two in what a plugin prints.
    assert not re.search("error|exception", told, re.IGNORECASE)
    assert server.username not in told
    assert server.password not in told
    assert not (tmp_path / "out" / "rejects.singer").exists()


BY_CUSTOM_IDENTIFIER: dict[str, Any] = {
    "people": {
        "match_identifier": "customerNumbr",
        "identifiers": {"customerNumbr": "id", "crmId": "crm", "email": "email"},
    }
}


def test_custom_identifiers_are_looked_up(server: DotdigitalServer, tmp_path: Path) -> None:
    server.custom_identifiers |= {"customerNumber", "crmId"}
    found = verdicts(check(settings_for(server, streams=BY_CUSTOM_IDENTIFIER), tmp_path))
    assert found["Custom identifier 'crmId'"] == "OK: found"
    assert found["Custom identifier 'customerNumbr'"] == (
        "FAIL: not found. Did you mean 'customerNumber'? Correct the name, or create the "
        "identifier in Dotdigital"
    )
    assert {call.method for call in server.calls} == {"GET"}


@pytest.mark.parametrize("status", [403, 404, 405])
def test_custom_identifiers_that_no_call_lists_are_not_checked(
    server: DotdigitalServer, status: int
) -> None:
    server.custom_identifiers_status = status
    found = found_by(
        api_url=server.url,
        username=server.username,
        password=server.password,
        streams=BY_CUSTOM_IDENTIFIER,
    )
    assert found["Custom identifiers"] == (
        "WARN: not checked: 127.0.0.1 has no call that lists them. Compare their names with "
        "Dotdigital's settings"
    )


def test_custom_identifiers_that_cannot_be_listed_are_to_do(server: DotdigitalServer) -> None:
    server.custom_identifiers_status = 500
    found = found_by(
        api_url=server.url,
        username=server.username,
        password=server.password,
        streams=BY_CUSTOM_IDENTIFIER,
    )
    assert found["Custom identifiers"].startswith("FAIL: GET /configuration/v3/customIdentifiers")


def test_the_sandbox_gets_the_custom_identifiers_that_are_named(tmp_path: Path) -> None:
    found = found_by(sandbox_path=str(tmp_path / "sandbox.db"), streams=BY_CUSTOM_IDENTIFIER)
    assert found["Custom identifier 'crmId'"] == "OK: will be created in the sandbox"


@pytest.mark.parametrize("is_there", [False, True])
def test_files_for_people_are_looked_at(
    server: DotdigitalServer, tmp_path: Path, *, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "rejects.csv").mkdir()
        (tmp_path / "reports").touch()
    config = settings_for(
        server, rejects_csv=f"{tmp_path}/rejects.csv", report_path=f"{tmp_path}/reports/"
    )
    found = verdicts(check(config, tmp_path))
    verdict = "FAIL" if is_there else "OK"
    assert {name: found[name].partition(":")[0] for name in ("Rejects as CSV", "Report")} == {
        "Rejects as CSV": verdict,
        "Report": verdict,
    }
    assert "Rejects file" not in found
    assert not list((tmp_path / "reports").glob("*"))


def test_everything_that_is_wrong_is_told_at_once(server: DotdigitalServer, tmp_path: Path) -> None:
    server.address_books[55] = "All Contacts"
    server.data_fields["ODD"] = "Blob"
    streams = {
        "a": {"address_book": "Nope", "fields": {"NOPE": "a", "FIRSTNAME": "b", "NOR": "c"}},
        "b": {"address_book": 7, "fields": {"ODD": "p"}},
        "c": {"address_book": "55"},
    }
    config = settings_for(server, streams=streams, rejects_path=str(tmp_path))
    found = verdicts(check(config, tmp_path))
    assert {subject for subject, text in found.items() if text.startswith("FAIL")} == {
        "Rejects file",
        "Address book 'Nope'",
        "Address book ID 7",
        "Address book ID 55",
        "Data fields of stream 'a'",
        "Data fields of stream 'b'",
    }
    assert "'NOPE'" in found["Data fields of stream 'a'"]
    assert "'NOR'" in found["Data fields of stream 'a'"]
    assert "set create_data_fields" in found["Data fields of stream 'a'"]
    assert "set create_address_book" in found["Address book 'Nope'"]
    assert "create" not in found["Address book ID 7"]
    assert "reserved" in found["Address book ID 55"]
    assert {call.method for call in server.calls} == {"GET"}


def test_what_a_run_would_create_is_said_and_not_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        address_book="New",
        create_address_book=True,
        create_data_fields=True,
        streams={
            "a": {"fields": {"FIRSTNAME": "a", "NEW": "b"}},
            "b": {"address_book": 7, "fields": {"A NAME": "c", "NEW": "d"}},
        },
    )
    found = verdicts(check(config, tmp_path))
    assert found["Address book 'New'"].startswith("OK: will be created")
    assert found["Data fields of stream 'a'"].startswith("OK: FIRSTNAME found; NEW will be created")
    assert "'A NAME' cannot be created" in found["Data fields of stream 'b'"]
    assert found["Address book ID 7"].startswith("FAIL")
    assert {call.method for call in server.calls} == {"GET"}


def test_settings_that_are_wrong_are_told_before_anybody_is_called(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, region="r9", batch_size_rows=0, colour="red")
    ended = check(config, tmp_path)
    assert ended.status == 1
    lines = ended.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == [
        "FAIL Settings",
        "FAIL Settings",
        "WARN Settings",
    ]
    assert "'colour'" in lines[2]
    assert lines[3].startswith("2 problems to fix before a run can start (1 warning). Nothing")
    assert server.calls == []


def test_the_settings_may_come_from_the_environment(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    values = settings_for(server, streams=json.dumps(STREAMS))
    environment = {f"TARGET_DOTDIGITAL_{name.upper()}": str(text) for name, text in values.items()}
    arguments = ("--config", "ENV", "--test")
    with TargetProcess({}, tmp_path, environment=environment, arguments=arguments) as target:
        target.process.wait(PATIENCE_SECONDS)
        assert verdicts(target.end())["Credentials"] == "OK: accepted"


def test_wrong_credentials_are_told_and_nothing_more_is_asked(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, password="not this one")
    ended = check(config, tmp_path)
    found = verdicts(ended)
    assert found["Credentials"].startswith("FAIL: ")
    assert "username and password" in found["Credentials"]
    assert found["Connection"].startswith("OK")
    assert "not checked" in found["Address books"]
    assert len(server.calls) == 1
    assert "not this one" not in ended.stdout + ended.stderr


def test_a_host_that_nobody_answers_at_is_given_up_soon(tmp_path: Path) -> None:
    with RawServer(lambda _peer: None) as gone:
        url = gone.url
    config = {"username": "u", "password": "p", "api_url": url}
    found = verdicts(check(config, tmp_path))
    assert found["Connection"].startswith("FAIL: ")
    assert "2 times" in found["Connection"]
    assert "api_url" in found["Connection"]


def test_a_host_that_breaks_off_is_tried_twice(server: DotdigitalServer) -> None:
    server.answer_next(DATA_FIELDS, reset(), times=None)
    assert found_by(api_url=server.url)["Connection"].startswith("FAIL")
    assert len(server.calls) == 2


def test_a_proxys_page_is_told(server: DotdigitalServer) -> None:
    server.answer_next(DATA_FIELDS, html_reply(200), times=None)
    assert "with no JSON, as a proxy does" in found_by(api_url=server.url)["Connection"]


def test_a_bad_certificate_is_told(tmp_path: Path, tls_of_nobody: ssl.SSLContext) -> None:
    def behave(peer: Peer) -> None:
        peer.start_tls()
        peer.read_request()

    with RawServer(behave, tls_of_nobody) as server:
        config = {"username": "u", "password": "p", "api_url": server.url.replace("http", "https")}
        found = verdicts(check(config, tmp_path))
        assert server.heads == []
    assert "certificate" in found["Connection"]
    assert found["Connection"].startswith("FAIL")


@pytest.fixture
def tls_of_nobody() -> ssl.SSLContext:
    """Certify a server by an authority that nobody trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_the_region_is_asked_for(network: Network) -> None:
    network.servers[R1].api_endpoint = f"{R2}/"
    found = found_by(address_book="Customers")
    assert found["Region"] == "OK: r2, as Dotdigital says"
    assert found["Address book 'Customers'"].startswith("OK")


def test_the_region_that_is_set_is_taken(network: Network) -> None:
    assert found_by(region="r2")["Region"] == "OK: r2, as you set it"
    assert set(network.origins) == {R2}


def test_a_wrong_region_is_told_with_the_right_one_where_the_rest_is_checked(
    network: Network,
) -> None:
    network.servers[R1].answer_next(DATA_FIELDS, v2_error(403, "Denied."), times=None)
    network.servers[R1].api_endpoint = f"{R2}/"
    network.servers[R2].address_books[300] = "Over there"
    streams = {"a": {"address_book": "Over there", "fields": {"NOPE": "p"}}}
    found = found_by(region="r1", streams=streams)
    assert found["Region"].startswith("FAIL: ")
    assert "Set region to r2" in found["Region"]
    assert found["Address book 'Over there'"] == "OK: found, ID 300"
    assert "'NOPE'" in found["Data fields of stream 'a'"]


@pytest.mark.parametrize("region", ["r1", None])
def test_a_403_that_no_region_explains_is_told(network: Network, region: str | None) -> None:
    network.servers[R1].answer_next(DATA_FIELDS, v2_error(403, "Denied."), times=None)
    found = found_by(region=region)
    assert found["Region"].startswith("FAIL: ")
    assert ("Leave region out" if region else "in another region") in found["Region"]
    assert "not checked" in found["Address books"]


def test_an_endpoint_that_is_not_dotdigitals_is_told(network: Network) -> None:
    network.servers[R1].api_endpoint = "https://evil.example/"
    assert "gets no credentials" in found_by()["Region"]
    assert network.origins == [R1]


@pytest.mark.parametrize(
    ("route", "subject"),
    [
        (DATA_FIELDS, "Data fields"),
        (ADDRESS_BOOKS, "Address book 'Newsletter'"),
        (ADDRESS_BOOK, "Address book ID 102"),
    ],
)
def test_a_call_that_fails_does_not_keep_the_others_from_being_made(
    route: str, subject: str, server: DotdigitalServer
) -> None:
    server.answer_next(route, v2_error(500, "No. ERROR_UNKNOWN"), times=None)
    found = found_by(api_url=server.url, address_book=102, streams=STREAMS)
    wanted = {"Address book 'Newsletter'", "Address book ID 102", "Import slots", "Calls"}
    assert wanted <= found.keys()
    assert found[subject].startswith("FAIL: ")
    for other in wanted - {subject}:
        assert not found[other].startswith("FAIL")


def test_call_limits_are_not_waited_for_without_end(server: DotdigitalServer) -> None:
    server.answer_next(DATA_FIELDS, usage_exceeded(), times=None)
    clock = FakeClock()
    found = list(preflight(settings(api_url=server.url), clock))
    assert "call limit" in str(found[1])
    # Of four waits that double, each is half of it at least: chance has a say.
    assert sum(clock.waits) <= 60 + 120 + 240 + 480 + 4


@pytest.mark.parametrize(
    "answer",
    [
        v2_error(500, "No. ERROR_UNKNOWN"),
        reply(200, {"id": 1, "properties": []}),
        reply(200, {"id": 1, "properties": [{"name": "ApiCallsRemaining", "value": "<b>7</b>"}]}),
    ],
    ids=["500", "absent", "no number"],
)
def test_how_many_calls_are_left_may_not_be_told(answer: Answer, server: DotdigitalServer) -> None:
    server.answer_next(ACCOUNT_INFO, answer, times=None)
    found = found_by(api_url=server.url)
    assert found["Calls"].startswith("OK: ")
    assert "left" in found["Calls"]
    assert "<b>" not in found["Calls"]


def test_names_stay_on_their_line_in_any_script(server: DotdigitalServer, tmp_path: Path) -> None:
    server.address_books[300] = "Frühling 🎈\nOK   Region: r1"
    config = settings_for(server, address_book=300, streams={"Straße\n": {}})
    for encoding in ("utf-8", "ascii"):
        ended = check(config, tmp_path, PYTHONIOENCODING=encoding)
        assert verdicts(ended)["Address book ID 300"].startswith("OK: found, 'Fr")


def test_the_sandbox_inside_the_target_is_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "data" / "sandbox.db"
    config = {
        "sandbox_path": str(database),
        "address_book": "New",
        "streams": {"a": {"address_book": 7}, "b": {}},
    }
    for _ in range(2):
        found = verdicts(check(config, tmp_path))
        assert "sandbox" in found["Region"]
        assert found["Address book 'New'"] == "OK: will be created in the sandbox"
        assert found["Address book ID 7"] == "OK: will be created in the sandbox"
    with (
        EmbeddedSandbox(database) as sandbox,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        names = {each["name"] for each in client.get("/v2/address-books").json()}
    assert names == {"All Contacts", "Test"}


def test_a_sandbox_that_cannot_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").write_text("this is no database, whatever its name says")
    found = verdicts(check({"sandbox_path": str(tmp_path / "sandbox.db")}, tmp_path))
    assert "sandbox_path" in found["Connection"]


def on_terminal(
    config: dict[str, Any], folder: Path, capfd: pytest.CaptureFixture[str], **environment: str
) -> str:
    """Run the preflight with its standard output on a terminal, and return what that shows."""
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "target_dotdigital", "--config", "config.json", "--test"]
    variables = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    with capfd.disabled():
        main, side = pty.openpty()
        with os.fdopen(side, "wb") as terminal:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={**variables, "TERM": "xterm", "COLUMNS": "60", **environment},
            )
        shown = b""
        with suppress(OSError):  # what Linux says when the other side is closed
            while part := os.read(main, 4096):
                shown += part
        os.close(main)
        assert process.communicate(timeout=PATIENCE_SECONDS)[1] == b""
        assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_shows_colours(
    server: DotdigitalServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server.address_books[102] = "[red]Spring\x1b[2J\n"
    config = settings_for(server, report_path="r.json")
    shown = on_terminal(config, tmp_path, capfd)
    assert "\x1b[32mOK  \x1b[0m \x1b[1mCredentials: \x1b[0maccepted\n" in shown
    assert "\x1b[33mWARN\x1b[0m \x1b[1mRejects file: \x1b[0m" in shown
    assert "'[red]Spring?[2J?'\n" in shown
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in shown.splitlines()[:-1]) <= 60
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal(config, tmp_path, capfd, **variables)
        assert "\x1b" not in plain
        assert "OK   Credentials: accepted\n" in plain


def test_the_quick_start_shows_what_it_prints(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "quick-start.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- test -->\n```\n")
    shown, _, _ = rest.partition("```\n<!-- /test -->")
    books = ["Newsletter"]
    with EmbeddedSandbox(tmp_path / "sandbox.db", address_books=books) as sandbox:
        config = {
            "username": sandbox.username,
            "password": sandbox.password,
            "api_url": sandbox.url,
            "rejects_path": "rejects.singer",
            "create_data_fields": True,
            "streams": {
                "customers": {
                    "address_book": "Spring segment",
                    "fields": {
                        "FIRSTNAME": "first_name",
                        "POSTCODE": "address.postcode",
                        "LOYALTY_POINTS": "points",
                    },
                },
                "readers": {"address_book": "Newsletter"},
            },
        }
        ended = check(config, tmp_path)
    assert (ended.status, ended.stdout) == (1, shown)


@needs_vendor_files
def test_every_call_is_by_the_contract(server: DotdigitalServer, tmp_path: Path) -> None:
    with RecordingProxy(server.url) as proxy:
        config = settings_for(server, api_url=proxy.url, streams=STREAMS)
        verdicts(check(config, tmp_path))
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []
    assert {each.method for each in proxy.exchanges} == {"GET"}
    assert len(proxy.exchanges) >= 4


def test_a_run_succeeds_where_the_preflight_does(server: DotdigitalServer, tmp_path: Path) -> None:
    config = settings_for(server, streams=STREAMS)
    assert check(config, tmp_path).status == 0
    with TargetProcess(config, tmp_path) as target:
        assert target.end().status == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_it_at_once(name: str, server: DotdigitalServer, tmp_path: Path) -> None:
    gate = server.hold_answer(DATA_FIELDS)
    with TargetProcess(settings_for(server), tmp_path, arguments=("--test",)) as target:
        gate.wait()
        target.process.send_signal(getattr(signal, name))
        target.process.wait(PATIENCE_SECONDS)
        gate.open()
        ended = target.end()
    assert ended.status == 128 + getattr(signal, name)
    assert "Traceback" not in ended.stderr


def test_output_that_nobody_reads_is_no_success(server: DotdigitalServer, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(settings_for(server)))
    process = subprocess.Popen(
        [sys.executable, "-m", "target_dotdigital", "--config", "config.json", "--test"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "Standard output is closed" in told
    assert "Traceback" not in told

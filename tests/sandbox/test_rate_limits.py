from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.api import API_ROUTES
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.faults import FlatLimit, Switches, TierLimits, read_limits
from target_dotdigital.sandbox.faults.rate_limits import BASIC
from target_dotdigital.sandbox.faults.tiers import TIERS
from target_dotdigital.sandbox.http import RouteTable
from tests.support.sandbox.client import SandboxClient, people

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

# A minute begins at 1,700,000,040.
NOW = 1_700_000_050.0
WINDOW_END = 1_700_000_100


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@contextlib.contextmanager
def limited(
    database: Path, limits: TierLimits | FlatLimit, **switches: str
) -> Iterator[tuple[SandboxClient, Clock]]:
    clock = Clock()
    chosen = Switches(**switches)  # type: ignore[arg-type]
    options = Options(database, rate_limits=limits, clock=clock, switches=chosen)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client, clock


def limits_of(reply: requests.Response) -> dict[str, str]:
    prefix = "x-ratelimit-"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in reply.headers.items()
        if name.lower().startswith(prefix)
    }


def test_every_answer_tells_its_tier_and_what_is_left(database: Path) -> None:
    with limited(database, TierLimits(low=2, medium=3, high=4)) as (client, _):
        for remaining in ("1", "0", "0"):
            reply = client.get("/v2/address-books")
            assert limits_of(reply) == {
                "limit": "2",
                "remaining": remaining,
                "reset": str(WINDOW_END),
                "scope": "lowCallRate",
            }
        assert reply.status_code == 429
        # Every other tier counts for itself, and what is answered with an error counts too.
        single = limits_of(client.get("/v2/address-books/7"))
        assert (single["scope"], single["limit"], single["remaining"]) == ("highCallRate", "4", "3")
        refused = client.call("POST", "/v2/address-books", data=b"no JSON")
        assert refused.status_code == 400
        assert (limits_of(refused)["scope"], limits_of(refused)["remaining"]) == (
            "mediumCallRate",
            "2",
        )


def test_with_the_next_minute_the_tier_is_open_again(database: Path) -> None:
    with limited(database, TierLimits(low=1, medium=1, high=1)) as (client, clock):
        assert client.get("/v2/data-fields").status_code == 200
        clock.now = WINDOW_END - 0.5
        assert client.get("/v2/data-fields").status_code == 429
        clock.now = WINDOW_END
        assert client.get("/v2/data-fields").status_code == 200


def test_an_import_that_is_too_many_is_not_carried_out(database: Path) -> None:
    with limited(database, TierLimits(low=1, medium=1, high=9)) as (client, _):
        client.finish(client.start_import(people(1, "a")))
        assert client.send_import(people(1, "b")).status_code == 429
        assert client.get("/contacts/v3/email/b0@example.com").status_code == 404


@pytest.mark.parametrize(("position", "reset"), [("epoch", str(WINDOW_END)), ("seconds", "50")])
def test_the_reset_is_a_moment_or_seconds(database: Path, position: str, reset: str) -> None:
    limits = TierLimits(low=1, medium=1, high=1)
    with limited(database, limits, reset_header=position) as (client, _):
        assert limits_of(client.get("/v2/data-fields"))["reset"] == reset


@pytest.mark.parametrize("path", ["/v2/account-info", "/contacts/v3/email/a@example.com"])
@pytest.mark.parametrize("position", ["json", "none"])
def test_the_body_over_a_limit(database: Path, position: str, path: str) -> None:
    limits = TierLimits(low=1, medium=1, high=1)
    with limited(database, limits, limit_body=position) as (client, _):
        client.get(path)
        reply = client.get(path)
        assert reply.status_code == 429
        assert bool(reply.content) is (position == "json")
        if reply.content:
            assert ("message" if path.startswith("/v2") else "errorCode") in reply.json()


def test_the_status_of_an_import_can_be_unlimited(database: Path) -> None:
    limits = TierLimits(low=1, medium=1, high=1)
    with limited(database, limits, status_tier="unlimited") as (client, _):
        for path in 3 * ("/contacts/v3/import", "/v2/contacts/import"):
            reply = client.get(f"{path}/d7de900d-d337-43f6-b1e1-c8ec73e1a434")
            assert (reply.status_code, limits_of(reply)) == (404, {})


def test_the_headers_of_a_fault_are_not_overwritten(database: Path) -> None:
    with limited(database, BASIC) as (client, _):
        fault = {
            "route": "GET /v2/data-fields",
            "kind": "answer",
            "status": 429,
            "headers": {"x-ratelimit-reset": "absurd"},
        }
        assert client.call("POST", "/sandbox/faults", json=fault).status_code == 201
        assert limits_of(client.get("/v2/data-fields"))["reset"] == "absurd"


def test_the_flat_limit_is_of_the_hour_that_is_past(database: Path) -> None:
    with limited(database, FlatLimit(calls=3)) as (client, clock):
        for _ in range(3):
            reply = client.get("/v2/data-fields")
            assert (reply.status_code, limits_of(reply)) == (200, {})
            clock.now += 60
        for path in ("/v2/data-fields", "/contacts/v3"):
            over = client.get(path)
            assert over.status_code == 400
            assert "ERROR_APIUSAGE_EXCEEDED" in over.text
        clock.now = NOW + 3_600
        assert client.get("/contacts/v3").status_code == 200
        assert client.get("/contacts/v3").status_code == 400


def test_without_limits_there_are_no_headers_and_no_end(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert all(limits_of(client.get("/v2/data-fields")) == {} for _ in range(40))


def test_what_controls_the_sandbox_is_not_counted(database: Path) -> None:
    with limited(database, TierLimits(low=1, medium=1, high=1)) as (client, _):
        for _ in range(3):
            reply = client.get("/sandbox/faults")
            assert (reply.status_code, limits_of(reply)) == (200, {})


def test_every_route_has_a_tier() -> None:
    assert RouteTable(API_ROUTES).names <= set(TIERS)


def test_limits_are_read_from_words_and_numbers() -> None:
    assert read_limits("basic").low == 35  # type: ignore[union-attr]
    assert read_limits("flat") == FlatLimit(calls=2_000, seconds=3_600)
    assert read_limits("10,20,30") == TierLimits(10, 20, 30)


@pytest.mark.parametrize(
    "wrong", ["", "1,2", "1,2,3,4", "0,1,2", "a,b,c", "1,2,-3", "1,2,99999999999"]
)
def test_limits_that_are_none_are_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--rate-limits={wrong}"])
    assert "LOW,MEDIUM,HIGH" in capsys.readouterr().err

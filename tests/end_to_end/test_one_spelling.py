"""One spelling of each identifier is sent, wherever a batch ends; and a number has its country."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TEXT = {"type": ["string", "null"]}
ROWS_OF_ANN = ("Ann@Müller.example", "ann@xn--mller-kva.example", "ann@mu\u0308ller.EXAMPLE")
KELVIN = "\u212aen@example.com"


def sent(server: DotdigitalServer) -> list[str]:
    calls = server.calls_of(IMPORT)
    return [each["identifiers"]["email"] for call in calls for each in call.contacts]


@pytest.mark.parametrize("batch_size_rows", [1, 2, 3])
def test_the_outcome_does_not_hang_on_where_a_batch_ends(
    server: DotdigitalServer, tmp_path: Path, batch_size_rows: int
) -> None:
    rows = [record(id=n, email=each, first_name=f"A{n}") for n, each in enumerate(ROWS_OF_ANN)]
    settings = settings_for(server, batch_size_rows=batch_size_rows)
    ended = load(settings, tmp_path, schema(), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])
    assert set(sent(server)) == {"ann@müller.example"}
    (contact,) = server.contacts.values()
    assert contact.data_fields["FIRSTNAME"] == "A2"


@pytest.mark.parametrize("has_lane", [True, False], ids=["many rows at once", "row by row"])
def test_a_letter_that_looks_like_another_is_nobody_elses_address(
    server: DotdigitalServer, tmp_path: Path, *, has_lane: bool
) -> None:
    properties = {"email": TEXT if has_lane else {**TEXT, "maxLength": 99, "pattern": "@"}}
    ended = load(
        settings_for(server, max_reject_percent=100),
        tmp_path,
        schema(properties=properties),
        record(email="ken@example.com"),
        record(email=KELVIN),
        record(email="\uff4ben@example.com"),
    )
    assert ended.status == 0
    assert ended.counts().startswith("read 3 = imported 1 + rejected 2 + collapsed 0")
    assert "identifier.invalid 2" in ended.counts()
    assert sent(server) == ["ken@example.com"]
    assert KELVIN not in ended.stderr


@pytest.mark.parametrize("has_lane", [True, False], ids=["many rows at once", "row by row"])
def test_a_number_without_a_plus_is_taken_only_if_it_is_valid(
    server: DotdigitalServer, tmp_path: Path, *, has_lane: bool
) -> None:
    ended = load_numbers(server, tmp_path, has_lane=has_lane)
    assert ended.counts().startswith("read 5 = imported 3 + rejected 2 + collapsed 0")
    assert "identifier.invalid 2" in ended.counts()
    assert numbers(server) == {"447400123456", "6505551234", "33612345678"}
    text = (tmp_path / "rejects.singer").read_text()
    assert text.count("set mobile_country") == 2


@pytest.mark.parametrize("has_lane", [True, False], ids=["many rows at once", "row by row"])
def test_a_country_makes_national_numbers_valid(
    server: DotdigitalServer, tmp_path: Path, *, has_lane: bool
) -> None:
    ended = load_numbers(server, tmp_path, has_lane=has_lane, mobile_country="US")
    assert "identifier.invalid 2" in ended.counts()
    assert numbers(server) == {"16505551234", "6505551234", "33612345678"}
    assert "not a valid number of mobile_country US" in (tmp_path / "rejects.singer").read_text()


NUMBERS = ("447400123456", "6505551234", "+6505551234", "0033 6 12 34 56 78", "07400123456")


def load_numbers(server: DotdigitalServer, folder: Path, *, has_lane: bool, **settings: Any) -> Any:  # noqa: ANN401
    stream = {
        "match_identifier": "mobileNumber",
        "identifiers": {"mobileNumber": "phone"},
        "fields": {"FIRSTNAME": "name"},
        **settings,
    }
    phone = TEXT if has_lane else {**TEXT, "pattern": "[0-9]"}
    ended = load(
        settings_for(
            server,
            streams={"people": stream},
            rejects_path=str(folder / "rejects.singer"),
        ),
        folder,
        schema(properties={"phone": phone, "name": TEXT}),
        *(record(phone=each, name=str(place)) for place, each in enumerate(NUMBERS)),
    )
    assert ended.status == 0
    assert not any(each in ended.stderr for each in NUMBERS)
    return ended


def numbers(server: DotdigitalServer) -> set[str]:
    calls = server.calls_of(IMPORT)
    return {each["identifiers"]["mobileNumber"] for call in calls for each in call.contacts}


def test_a_country_that_there_is_not_ends_the_run(server: DotdigitalServer, tmp_path: Path) -> None:
    streams = {"people": {"mobile_country": "UK"}}
    ended = load(settings_for(server, streams=streams), tmp_path, schema())
    assert ended.status == 1
    told = "streams.people.mobile_country: must be a country's ISO 3166-1 alpha-2 code"
    assert told in ended.stderr

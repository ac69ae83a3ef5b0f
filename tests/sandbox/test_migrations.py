"""Files of other versions are brought up to this one, or refused."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.storage.schema import MIGRATIONS, SCHEMA_VERSION
from target_dotdigital.sandbox.storage.version_3 import VERSION_3
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from pathlib import Path

ADDED_BY_VERSION_2 = ("preference", "consent_record", "removal")
ADDED_BY_VERSION_3 = tuple(re.findall(r"CREATE TABLE (\w+)", VERSION_3))


def make_older(database: Path, version: int, *tables: str) -> None:
    """Make a file one of an older version: without the tables that came later."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


def test_a_file_of_the_first_version_is_brought_up_to_this_one(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("old@example.com"))
    make_older(database, 1, *ADDED_BY_VERSION_2, *ADDED_BY_VERSION_3)
    preferences = [{"id": 1, "isOptedIn": True}]
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("old@example.com", preferences=preferences))
        assert [one["id"] for one in client.contact("old@example.com")["preferences"]] == [1]


def test_custom_identifiers_that_contacts_have_are_defined_from_then_on(database: Path) -> None:
    by_key = {"matchIdentifier": "key", "identifiers": {"key": "1", "email": "one@example.com"}}
    options = Options(database, custom_identifiers=["key", "unused"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.load(by_key)
    make_older(database, 2, *ADDED_BY_VERSION_3)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        (defined,) = client.get("/configuration/v3/customIdentifiers").json()
        assert defined["name"] == "key"
        assert defined["created"].endswith("Z")
        assert len(client.load(by_key)["updated"]) == 1


def test_migrations_lead_from_the_first_version_to_this_one_without_a_gap() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_a_file_of_a_later_version_is_refused_and_left_alone(database: Path) -> None:
    SandboxServer(Options(database)).stop()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(OSError, match="another version") as caught:
        SandboxServer(Options(database))
    assert str(database) in str(caught.value)

"""Files of other versions are brought up to this one, or refused."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.storage.schema import MIGRATIONS, SCHEMA_VERSION
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from pathlib import Path

ADDED_SINCE_VERSION_1 = (
    *("preference", "consent_record", "removal"),
    *re.findall(r"CREATE TABLE (\w+)", MIGRATIONS[2]),
)


def test_a_file_of_the_first_version_is_brought_up_to_this_one(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("old@example.com"))
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for table in ADDED_SINCE_VERSION_1:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    preferences = [{"id": 1, "isOptedIn": True}]
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("old@example.com", preferences=preferences))
        assert [one["id"] for one in client.contact("old@example.com")["preferences"]] == [1]


def test_migrations_lead_from_the_first_version_to_this_one_without_a_gap() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_a_file_of_a_later_version_is_refused_and_left_alone(database: Path) -> None:
    SandboxServer(Options(database)).stop()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(OSError, match="another version") as caught:
        SandboxServer(Options(database))
    assert str(database) in str(caught.value)

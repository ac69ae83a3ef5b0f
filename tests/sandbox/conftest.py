from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.sandbox.client import SandboxClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST_ID = 42
PREFERENCES = (1, 2, 3, 4, 7)
CUSTOM_IDENTIFIERS = ("key", "customerKey", "loyaltyKey")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSandbox]:
    database = tmp_path_factory.mktemp("sandbox") / "dotdigital.db"
    with EmbeddedSandbox(
        database,
        address_books=[LIST_ID],
        preferences=PREFERENCES,
        custom_identifiers=CUSTOM_IDENTIFIERS,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(embedded: EmbeddedSandbox) -> Iterator[SandboxClient]:
    """A sandbox for the tests of one file, each of which uses addresses of its own."""
    with SandboxClient(embedded.url, (embedded.username, embedded.password)) as client:
        yield client


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "dotdigital.db"

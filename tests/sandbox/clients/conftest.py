from __future__ import annotations

import importlib
import sys
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import client_packages
from tests.support.sandbox.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.sandbox import EmbeddedSandbox

DOTMAILER_MODULES = (
    "account",
    "address_books",
    "connection",
    "contact_data_fields",
    "contacts",
    "exceptions",
    "segments",
)


@pytest.fixture(scope="module")
def dotmailer(tmp_path_factory: pytest.TempPathFactory, embedded: EmbeddedSandbox) -> Iterator[Any]:
    """PyPI's `dotmailer`, its modules by name, connected to the sandbox."""
    folder = client_packages.fetched(tmp_path_factory, "dotmailer", client_packages.dotmailer)
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes in its patterns that Python 3.12 warns of
            package = SimpleNamespace(root=importlib.import_module("dotmailer"))
            for name in DOTMAILER_MODULES:
                setattr(package, name, importlib.import_module(f"dotmailer.{name}"))
        package.account.Account.setup_connection(
            embedded.username, embedded.password, endpoint=embedded.url
        )
        yield package
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "dotmailer"]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Segment:
    """npm's `@segment/action-destinations`: the destinations that are for Dotdigital."""
    folder = client_packages.fetched(tmp_path_factory, "segment", client_packages.segment)
    return Segment(folder)

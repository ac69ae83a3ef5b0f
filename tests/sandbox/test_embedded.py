from __future__ import annotations

import ast
import sqlite3
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import target_dotdigital.sandbox
from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.sandbox.client import SandboxClient, people

if TYPE_CHECKING:
    from types import ModuleType

MAY_IMPORT = {
    "h11",
    "msgspec",
    "shtab",
    "starlette",
    "typing_extensions",
    "uvicorn",
    *sys.stdlib_module_names,
}


def client_of(sandbox: EmbeddedSandbox) -> SandboxClient:
    return SandboxClient(sandbox.url, (sandbox.username, sandbox.password))


def test_it_serves_on_loopback_until_it_is_stopped(database: Path) -> None:
    sandbox = EmbeddedSandbox(database)
    assert sandbox.url.startswith("http://127.0.0.1:")
    with client_of(sandbox) as client:
        assert client.get("/v2/account-info").status_code == 200
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=10)


def test_stopping_twice_does_nothing(database: Path) -> None:
    with EmbeddedSandbox(database) as sandbox:
        sandbox.stop()
    sandbox.stop()


def test_it_leaves_no_thread_behind(database: Path) -> None:
    before = set(threading.enumerate())
    with EmbeddedSandbox(database) as sandbox, client_of(sandbox) as client:
        client.load(*people(10, "p"))
    assert set(threading.enumerate()) <= before


def test_it_can_be_stopped_in_the_middle_of_an_import(database: Path) -> None:
    with EmbeddedSandbox(database) as first, client_of(first) as client:
        import_ids = [client.start_import(people(2_100, f"i{number}-")) for number in range(3)]
    with EmbeddedSandbox(database) as second, client_of(second) as client:
        for import_id in import_ids:
            assert client.finish(import_id)["summary"]["newContacts"] == 2_100


def test_each_start_has_credentials_of_its_own(database: Path) -> None:
    with EmbeddedSandbox(database) as first:
        old = (first.username, first.password)
    with EmbeddedSandbox(database) as second:
        assert second.password != old[1]
        with SandboxClient(second.url, old) as client:
            assert client.get("/v2/account-info").status_code == 401


def test_the_files_are_the_owners_only_in_a_directory_that_is_made(tmp_path: Path) -> None:
    database = tmp_path / "new" / "directory" / "dotdigital.db"
    with EmbeddedSandbox(database) as sandbox, client_of(sandbox) as client:
        client.load(*people(10, "p"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in database.parent.iterdir()}
    assert set(modes) >= {"dotdigital.db", "dotdigital.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(database: Path) -> None:
    database.touch(0o644)
    with EmbeddedSandbox(database):
        assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_address_books_are_created_by_name_and_by_id_once(database: Path) -> None:
    wanted: list[str | int] = ["Customers", 42, "4711", "customers", "Test", 42]
    for _ in range(2):
        with EmbeddedSandbox(database, address_books=wanted) as sandbox, client_of(sandbox) as one:
            books = {book["id"]: book["name"] for book in one.get("/v2/address-books").json()}
    assert {42, 4711} <= set(books)
    assert sorted(books.values()) == [
        "Address book 42",
        "Address book 4711",
        "All Contacts",
        "Customers",
        "Test",
    ]


@pytest.mark.parametrize("wanted", [0, -1, 2**31, "99999999999", "", " ", "x" * 129])
def test_an_address_book_that_cannot_be_is_refused(database: Path, wanted: str | int) -> None:
    with pytest.raises(ValueError, match="an address book's"):
        EmbeddedSandbox(database, address_books=[wanted])
    EmbeddedSandbox(database).stop()


def test_a_new_address_book_steps_over_an_id_that_was_named(database: Path) -> None:
    with EmbeddedSandbox(database) as sandbox, client_of(sandbox) as client:
        taken = client.create_list("One") + 1
    with EmbeddedSandbox(database, address_books=[taken]) as sandbox, client_of(sandbox) as client:
        assert client.create_list("Two") == taken + 1


def test_two_sandboxes_do_not_share_a_file(database: Path) -> None:
    with EmbeddedSandbox(database), pytest.raises(OSError, match="in use by another sandbox"):
        EmbeddedSandbox(database)


@pytest.mark.parametrize("content", [b"a letter " * 500, b"SQLite format 3\0" + b"x" * 5_000])
def test_a_file_that_is_no_database_is_refused_and_kept(database: Path, content: bytes) -> None:
    database.write_bytes(content)
    with pytest.raises(OSError, match="cannot be used as the sandbox's database"):
        EmbeddedSandbox(database)
    assert database.read_bytes() == content


def test_a_database_of_another_program_is_refused(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE letters (text)")
    connection.close()
    with pytest.raises(OSError, match="not a database of this sandbox"):
        EmbeddedSandbox(database)


def imports_of(module: ModuleType) -> set[str]:
    assert module.__file__ is not None
    names: set[str] = set()
    for file in Path(module.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None
                names.add(node.module)
    return names


def test_it_imports_nothing_of_the_target() -> None:
    for name in imports_of(target_dotdigital.sandbox):
        own = name == "target_dotdigital.sandbox" or name.startswith("target_dotdigital.sandbox.")
        assert own or name.partition(".")[0] in MAY_IMPORT, name

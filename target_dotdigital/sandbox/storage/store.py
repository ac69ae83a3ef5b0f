"""The SQLite file: one writer at a time, readers that never wait for it."""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.storage.lock_file import OWNER_ONLY, LockFile, StoreError
from target_dotdigital.sandbox.storage.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUSY_TIMEOUT_SECONDS = 30.0
"""How long SQLite waits for its own locks. They are held for moments (a checkpoint)."""

WRITER_CACHE_KIB = 4 * 1024
READER_CACHE_KIB = 512
"""Pages that a connection keeps. Embedded, this counts as the target's memory, and there are as
many readers as calls at a time, so it stays small; the operating system's cache does the rest."""


class Store:
    """The database of one sandbox.

    Attributes:
        lock_file: Keeps other sandboxes from the file.
        contacts: Held while contacts are read, changed and written back. It is not the
            writer's lock: an import can be accepted while another is being worked out.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, making it and its directory if they are missing.

        Args:
            path: The database file.

        Raises:
            StoreError: The file is in use by another sandbox, no database, or of
                another version.
            OSError: The file or its directory cannot be made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.lock_file = LockFile(path)
        self.contacts = threading.Lock()
        self._writer_lock = threading.Lock()
        self._idle_readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._writer: sqlite3.Connection | None = None
        try:
            self._writer = self._open()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a read transaction: all its queries see one moment."""
        try:
            connection = self._idle_readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
            connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}").close()
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")
        finally:
            if self._writer is None:
                connection.close()
            else:
                self._idle_readers.put(connection)

    @contextlib.contextmanager
    def writing(self, *, synchronous: bool = True) -> Iterator[sqlite3.Connection]:
        """Lend the writer in a transaction; an exception in the block undoes all of it.

        Args:
            synchronous: Wait until it is on the disk itself when the block is left.
                Otherwise it outlives this process, but perhaps not a power cut, which
                then undoes the latest transactions back to a synchronous one.
        """
        with self._writer_lock:
            if self._writer is None:
                message = "the sandbox's database is closed"
                raise StoreError(message)
            level = "FULL" if synchronous else "NORMAL"
            self._writer.execute(f"PRAGMA synchronous = {level}").close()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # After some errors (a full disk) SQLite has rolled back by itself.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close every connection and let another process have the file."""
        with self._writer_lock:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._idle_readers.get_nowait().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self.lock_file.close()

    def _connect(self) -> sqlite3.Connection:
        # Connections are lent to one thread at a time, but not always to the same one.
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _open(self) -> sqlite3.Connection:
        # SQLite gives its side files the mode of the database, so it is made first.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
        self._path.chmod(OWNER_ONLY)
        connection = self._connect()
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}").close()
            self._create_tables(connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            message = f"{self._path} cannot be used as the sandbox's database: {error}"
            raise StoreError(message) from None
        except StoreError:
            connection.close()
            raise
        return connection

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not version and not tables:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
            return
        while version in MIGRATIONS:
            connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[version]} COMMIT;")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            message = (
                f"{self._path} is not a database of this sandbox, or of another version of it: "
                "name another file, or delete this one"
            )
            raise StoreError(message)


def next_id(connection: sqlite3.Connection, name: str) -> int:
    """Return the next ID, which `take_id` or `set_next_id` gives away.

    Args:
        connection: In a transaction.
        name: Whose IDs: `contact` or `address_book`.
    """
    row = connection.execute("SELECT next FROM sequence WHERE name = ?", (name,)).fetchone()
    following: int = row["next"]
    return following


def set_next_id(connection: sqlite3.Connection, name: str, following: int) -> None:
    """Give away the IDs before one: they are never given again."""
    connection.execute("UPDATE sequence SET next = ? WHERE name = ?", (following, name))


def take_id(connection: sqlite3.Connection, name: str) -> int:
    """Return the next ID, and give it away.

    Args:
        connection: The writer, in a transaction.
        name: Whose ID: `contact` or `address_book`.
    """
    taken = next_id(connection, name)
    set_next_id(connection, name, taken + 1)
    return taken


def insert(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    """Insert a row.

    Args:
        connection: The writer, in a transaction.
        statement: It ends with `RETURNING` the column of the row's number.
        values: For its placeholders.

    Returns:
        The number.
    """
    cursor = connection.execute(statement, values)
    number: int = cursor.fetchone()[0]
    cursor.close()
    return number

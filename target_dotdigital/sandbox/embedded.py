"""The sandbox inside another program, for that program alone."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from typing_extensions import Self

from target_dotdigital.sandbox.http import Credentials
from target_dotdigital.sandbox.options import Options
from target_dotdigital.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECRET_BYTES = 32

EMBEDDED_SLOTS = 1
"""Imports under way at a time. The program around the sandbox pays for the memory of each."""


class EmbeddedSandbox:
    """A local Dotdigital on a free loopback port, until `stop` or the end of a `with` block.

    Loopback is open to everyone on the machine, so the credentials are made up at each start.

    Attributes:
        url: The base URL, without a trailing slash.
        username: The API user's name.
        password: The API user's password.
    """

    def __init__(
        self,
        database: Path,
        *,
        address_books: Sequence[str | int] = (),
        suppressed: Sequence[str] = (),
    ) -> None:
        """Start, and return once calls are answered.

        Args:
            database: The SQLite file; made if it is missing, its directory too. What it
                holds is there again at the next start, unfinished imports included.
            address_books: Address books to create if they are missing: a name, or an ID
                (an integer or digits), which the book then has.
            suppressed: Addresses and domains to put on Dotdigital's own suppression list.

        Raises:
            OSError: The database cannot be used; the text says why.
            ValueError: An address book cannot have this ID or name, or what is suppressed is
                neither an address nor a domain.
        """
        self.username = f"apiuser-{secrets.token_hex(6)}@apiconnector.com"
        self.password = secrets.token_urlsafe(SECRET_BYTES)
        credentials = Credentials(self.username, self.password)
        self._server = SandboxServer(
            Options(
                database,
                credentials=credentials,
                address_books=address_books,
                suppressed=suppressed,
                slots=EMBEDDED_SLOTS,
            )
        )
        self.url = self._server.url

    def __enter__(self) -> Self:
        """Return the sandbox, which has started already."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Stop serving; imports that are not finished go on at the next start.

        Calling it again does nothing.
        """
        self._server.stop()

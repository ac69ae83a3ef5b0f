"""The sandbox inside another program, for that program alone."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from typing_extensions import Self

from target_dotdigital.sandbox.http import Credentials
from target_dotdigital.sandbox.options import Options
from target_dotdigital.sandbox.server import SandboxServer
from target_dotdigital.sandbox.shared import share
from target_dotdigital.sandbox.storage import InUseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECRET_BYTES = 32

EMBEDDED_SLOTS = 1
"""Imports under way at a time. The program around the sandbox pays for the memory of each."""

SHARE_SECONDS = 10.0
"""How long another sandbox may take to start, or to stop, before it is given up."""

_SHARE_WAIT_SECONDS = 0.1


class EmbeddedSandbox:
    """A local Dotdigital on a free loopback port, until `stop` or the end of a `with` block.

    Loopback is open to everyone on the machine, so the credentials are made up at each start.

    If `target-dotdigital-sandbox` runs on the same database, that sandbox is used as it is: with
    its credentials, switches, faults and limits. It goes on after `stop`.

    Attributes:
        is_shared: Whether it is another program's.
        url: The base URL, without a trailing slash.
        username: The API user's name.
        password: The API user's password.
    """

    def __init__(
        self,
        database: Path,
        *,
        address_books: Sequence[str | int] = (),
        preferences: Sequence[str | int] = (),
        custom_identifiers: Sequence[str] = (),
        suppressed: Sequence[str] = (),
    ) -> None:
        """Start, and return once calls are answered.

        Args:
            database: The SQLite file; made if it is missing, its directory too. What it
                holds is there again at the next start, unfinished imports included.
            address_books: Address books to create if they are missing: a name, or an ID
                (an integer or digits), which the book then has.
            preferences: Marketing preferences to create if they are missing, named likewise.
            custom_identifiers: Names of custom identifiers to create if they are missing.
            suppressed: Addresses and domains to put on Dotdigital's own suppression list.

        Raises:
            OSError: The database cannot be used; the text says why. Another program that has a
                sandbox inside may have it.
            ValueError: Something that is to be created cannot have its ID or name.
        """
        self.is_shared = False
        self.username = f"apiuser-{secrets.token_hex(6)}@apiconnector.com"
        self.password = secrets.token_urlsafe(SECRET_BYTES)
        options = Options(
            database,
            credentials=Credentials(self.username, self.password),
            address_books=address_books,
            preferences=preferences,
            custom_identifiers=custom_identifiers,
            suppressed=suppressed,
            slots=EMBEDDED_SLOTS,
        )
        self._server = self._start(options)
        if self._server is not None:
            self.url = self._server.url

    def _start(self, options: Options) -> SandboxServer | None:
        """Serve, or find the sandbox that serves the same database already."""
        deadline = time.monotonic() + SHARE_SECONDS
        while True:
            try:
                return SandboxServer(options)
            except InUseError as error:
                holder = error.holder
                if holder is not None and holder.url is None:
                    raise  # it is inside another program, and ends with that
                if holder is not None and share(holder, options.seeds):
                    self.is_shared, self.url = True, holder.url or ""
                    self.username, self.password = holder.username, holder.password
                    return None
                if time.monotonic() > deadline:
                    raise
            time.sleep(_SHARE_WAIT_SECONDS)

    def __enter__(self) -> Self:
        """Return the sandbox, which has started already."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Stop serving; imports that are not finished go on at the next start.

        Calling it again does nothing, and neither does calling it for a shared sandbox.
        """
        if self._server is not None:
            self._server.stop()

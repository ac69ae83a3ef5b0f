"""`target-dotdigital-sandbox`: the local Dotdigital as a server of its own."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import logging
import math
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import shtab

from target_dotdigital.sandbox.faults import (
    explain,
    read_fault_file,
    read_limits,
    read_switches,
)
from target_dotdigital.sandbox.http import Credentials
from target_dotdigital.sandbox.imports import (
    DEFAULT_SLOTS,
    DOTDIGITAL_PACE,
    MAXIMUM_ACTIVE_IMPORTS,
)
from target_dotdigital.sandbox.options import LOOPBACK, Options
from target_dotdigital.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.sandbox.faults import FlatLimit, TierLimits

DEFAULT_PORT = 8025
DEFAULT_DATABASE = Path("dotdigital-sandbox.db")
LARGEST_PORT = 65_535
LEAST_PACE = 0.001
PASSWORD_VARIABLE = "TARGET_DOTDIGITAL_SANDBOX_PASSWORD"  # noqa: S105 - its name, not its value

DESCRIPTION = """
A local Dotdigital: answers the calls of Dotdigital's API from a database file, on this machine.
Point any client at its URL; with target-dotdigital that is the setting api_url.
Open that URL in a browser to see the account, and what happens in it.
Ctrl-C stops it. Imports that were accepted are finished, after a restart if need be.
"""
EPILOG = """
Without --username and --password any credentials are accepted, and only this machine can
connect. What is in the database stays there: name another file to begin anew.

Switches: what Dotdigital's documents leave open, each with its positions, the default first.
A client that is right in every position is right whatever Dotdigital does.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        arguments: Those of the command line, unless given.

    Returns:
        The exit status: 0 after a signal, 1 if it could not start.
    """
    parser = _parser()
    chosen = parser.parse_args(arguments)
    credentials = _credentials(parser, chosen)
    try:
        chosen.switches = read_switches(chosen.switch)
    except ValueError as error:
        parser.error(f"argument --switch: {error}")
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
    # Blocked before any thread starts, so that a signal waits for `sigwait` wherever it arrives.
    signals = {signal.SIGINT, signal.SIGTERM}
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = SandboxServer(_options(chosen, credentials))
    except (OSError, ValueError) as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    with server:
        _say_ready(server.url, chosen.database, credentials)
        signal.sigwait(signals)
    return 0


def _credentials(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> Credentials | None:
    password = chosen.password or os.environ.get(PASSWORD_VARIABLE)
    if bool(chosen.username) != bool(password):
        parser.error("--username and --password go together")
    if password:
        return Credentials(chosen.username, password)
    if not _is_loopback(chosen.host):
        parser.error("--host other than this machine's own needs --username and --password")
    return None


def _options(chosen: argparse.Namespace, credentials: Credentials | None) -> Options:
    return Options(
        chosen.database,
        host=chosen.host,
        port=chosen.port,
        credentials=credentials,
        address_books=chosen.address_book,
        preferences=chosen.preference,
        custom_identifiers=chosen.custom_identifier,
        suppressed=chosen.suppress,
        allowed_hosts=chosen.allow_host,
        slots=chosen.slots,
        pace=chosen.pace,
        switches=chosen.switches,
        rate_limits=chosen.rate_limits,
        faults=read_fault_file(chosen.faults) if chosen.faults else (),
        is_shared=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "target-dotdigital-sandbox",
        description=DESCRIPTION,
        epilog=EPILOG + explain(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    name = f"target-dotdigital-sandbox {version('target-dotdigital')}"
    add("--version", action="version", version=name, help="print the version and exit")
    completion = "print a script that completes this command in your shell, and exit"
    shtab.add_argument_to(parser, help=completion)
    add("--host", default=LOOPBACK, help="address to listen on (%(default)s)")
    add(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port to listen on (%(default)s); 0: any that is free",
    )
    add(
        "--database",
        type=Path,
        default=DEFAULT_DATABASE,
        metavar="FILE",
        help="SQLite file that keeps everything, made if it is missing (%(default)s)",
    ).complete = shtab.FILE  # type: ignore[attr-defined]
    add(
        "--address-book",
        action="append",
        default=[],
        metavar="NAME",
        help="create this address book if it is missing: a name, or an ID; can be repeated",
    )
    add(
        "--preference",
        action="append",
        default=[],
        metavar="NAME",
        help="create this marketing preference if it is missing: a name, or an ID; can be repeated",
    )
    add(
        "--custom-identifier",
        action="append",
        default=[],
        metavar="NAME",
        help="create this custom identifier of contacts if it is missing; can be repeated",
    )
    add(
        "--suppress",
        action="append",
        default=[],
        metavar="ADDRESS|DOMAIN",
        help="put this on Dotdigital's own suppression list; can be repeated",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="answer calls to this name too, as containers give one; can be repeated",
    )
    _add_credentials(parser)
    _add_behaviour(parser)
    return parser


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--username", help="accept this API user only")
    add(
        "--password",
        help=f"the API user's password; better in the environment as {PASSWORD_VARIABLE}, "
        "where the machine's other users do not see it",
    )


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("behaviour").add_argument
    add(
        "--slots",
        type=_slots,
        default=DEFAULT_SLOTS,
        metavar="N",
        help="how many imports are processed at a time (%(default)s); 0: they wait",
    )
    add(
        "--pace",
        type=_pace,
        metavar="N|dotdigital|quick",
        help="contacts a second in each slot; dotdigital: a million in 3 hours, the one figure "
        "that is public; quick: as many as this machine can, the default",
    )
    add(
        "--rate-limits",
        type=_limits,
        metavar="basic|flat|LOW,MEDIUM,HIGH",
        help="refuse calls that are too many, none by default; basic: by tiers a minute, of which "
        "low (35) is public and the others are guesses; flat: the older 2,000 an hour; or calls "
        "a minute in each tier",
    )
    add(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=POSITION",
        help="answer an open question otherwise, see below; can be repeated",
    )
    add(
        "--faults",
        type=Path,
        metavar="FILE",
        help="arm these faults from the start: JSON as POST /sandbox/faults takes it",
    ).complete = shtab.FILE  # type: ignore[attr-defined]


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LARGEST_PORT:
        message = f"a port is a number from 0 to {LARGEST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _slots(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAXIMUM_ACTIVE_IMPORTS:
        message = f"the number of slots is from 0 to {MAXIMUM_ACTIVE_IMPORTS}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _pace(text: str) -> float | None:
    if text == "quick":
        return None
    if text == "dotdigital":
        return DOTDIGITAL_PACE
    with contextlib.suppress(ValueError):
        pace = float(text)
        if LEAST_PACE <= pace < math.inf:
            return pace
    message = f"a pace is dotdigital, quick, or a number from {LEAST_PACE}"
    raise argparse.ArgumentTypeError(message)


def _limits(text: str) -> TierLimits | FlatLimit:
    try:
        return read_limits(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _say_ready(url: str, database: Path, credentials: Credentials | None) -> None:
    accepted = "any username and password" if credentials is None else "the username given"
    # A reader that has gone away must not keep the server from serving.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(
            f"Sandbox ready at {url} (database: {database}; Ctrl-C stops it)\n"
            f"Point the target at it with api_url: {url} and {accepted}, "
            f"or TARGET_DOTDIGITAL_API_URL={url} in its environment\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""`--test`: checks everything that a run needs, writes nothing, and says what to do."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.account import (
    Connection,
    Timeouts,
    address_book_problem,
    check_custom_identifiers,
    field_problem,
    find_address_books,
    named_address_books,
    new_beside,
    region_of,
)
from target_dotdigital.errors import (
    AuthenticationError,
    ForbiddenError,
    NetworkError,
    StorageError,
    TargetDotdigitalError,
)
from target_dotdigital.files import check_file, check_folder
from target_dotdigital.fingerprints import check_fingerprints
from target_dotdigital.loading import RejectsCsv, RejectsFile
from target_dotdigital.mapping import DATA_FIELD_TYPES, unknown_fields
from target_dotdigital.near_misses import nearly_equal
from target_dotdigital.settings import MAX_ACTIVE_IMPORTS, NO_ADDRESS_BOOK, Settings
from target_dotdigital.terminal import Finding, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from target_dotdigital.api import AddressBook, Client
    from target_dotdigital.clock import Clock
    from target_dotdigital.settings import StreamSettings

OF_A_CHECK: Final = Timeouts(deadline_seconds=30.0, max_tries=2, rate_limit_seconds=120.0)
"""Somebody is waiting in front of it."""

_MAX_COUNT_DIGITS = 9


def run_preflight(
    config: Mapping[str, Any],
    problems: Sequence[str],
    doubts: Sequence[str],
    clock: Clock,
    write: Callable[[str], None],
) -> bool:
    """Write a line for each check, and return whether a run can succeed.

    Args:
        config: The plugin's configuration, defaults filled in.
        problems: What is wrong with it in itself; then nothing is called.
        doubts: What in it is probably a mistake.
        clock: Waits between tries.
        write: Takes a line for standard output.
    """
    verdicts = []
    for finding in _findings(config, problems, doubts, clock):
        write(finding.line_for(sys.stdout))
        verdicts.append(finding.verdict)
    failures = verdicts.count("FAIL")
    write(result_of(failures, verdicts.count("WARN")))
    return not failures


def _findings(
    config: Mapping[str, Any], problems: Sequence[str], doubts: Sequence[str], clock: Clock
) -> Iterator[Finding]:
    for problem in problems:
        yield Finding("FAIL", "Settings", problem)
    if not problems:
        yield Finding("OK", "Settings", "no mistakes found")
    for doubt in doubts:
        yield Finding("WARN", "Settings", doubt)
    if not problems:
        yield from preflight(Settings.from_config(config), clock)


def preflight(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Make every check that can be made, whatever the others find.

    Args:
        settings: The target's settings, which are sound in themselves.
        clock: Waits between tries.
    """
    if settings.rejects_path is not None or settings.rejects_csv is None:
        yield _rejects_file(settings)
    csv, report, known = settings.rejects_csv, settings.report_path, settings.fingerprints_path
    if csv is not None:
        yield _file("Rejects as CSV", csv, lambda: RejectsCsv(csv).close())
    if report is not None:
        check = check_folder if settings.report_is_folder else check_file
        yield _file("Report", report, lambda: check("report_path", report))
    if known is not None:
        yield _file("Fingerprints", known, lambda: check_fingerprints(known))
    try:
        # Without address books: a sandbox would be given them.
        connection = Connection(settings, clock, timeouts=OF_A_CHECK)
    except TargetDotdigitalError as error:
        yield Finding("FAIL", "Connection", error.message)
        yield from _unreached()
        return
    try:
        yield from _Preflight(settings, connection).findings()
    finally:
        connection.close()


def _rejects_file(settings: Settings) -> Finding:
    path, subject = settings.rejects_path, "Rejects file"
    if path is None:
        text = "set rejects_path to keep rejected rows; without it they are only counted"
        return Finding("WARN", subject, text)
    try:
        RejectsFile(path).close()
    except StorageError as error:
        return Finding("FAIL", subject, error.message)
    return Finding("OK", subject, f"{path} can be written")


def _file(subject: str, path: Path, check: Callable[[], object]) -> Finding:
    try:
        check()
    except TargetDotdigitalError as error:
        return Finding("FAIL", subject, error.message)
    return Finding("OK", subject, f"{path} can be written")


def _unreached() -> Iterator[Finding]:
    for subject in ("Address books", "Data fields", "Import slots"):
        yield Finding("WARN", subject, "not checked. Fix the problem above, then run --test again")


class _Preflight:
    """The checks that need the account."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._client: Client | None = None
        self._fields: Mapping[str, str] | None = None

    def findings(self) -> Iterator[Finding]:
        """Make the checks, those after the first as far as the account can be reached."""
        yield from self._reach()
        if self._client is None:
            yield from _unreached()
            return
        yield from self._address_books(self._client)
        yield from self._data_fields()
        yield from check_custom_identifiers(self._client, self._settings)
        yield self._import_slots()
        yield _calls(self._client)

    # The way there.

    def _reach(self) -> Iterator[Finding]:
        """Check connection, credentials and region, and read the data fields on the way."""
        client: Client | None = None
        try:
            client = self._connection.client()
            self._read_fields(client)
        except AuthenticationError as error:
            yield Finding("OK", "Connection", "Dotdigital answers")
            yield Finding("FAIL", "Credentials", error.message)
        except ForbiddenError as error:
            yield from self._elsewhere(error)
        except NetworkError as error:
            hint = "Check api_url, your network, its proxy and its certificates"
            yield Finding("FAIL", "Connection", f"{error.message}. {hint}")
        except TargetDotdigitalError as error:
            # Some other call may be answered all the same, once it is known where.
            self._client = client
            subject = "Region" if client is None else "Connection"
            yield Finding("FAIL", subject, error.message)
        else:
            self._client = client
            yield Finding("OK", "Connection", f"{client.host} answers")
            yield Finding("OK", "Credentials", "accepted")
            yield Finding("OK", "Region", self._region(client))

    def _read_fields(self, client: Client) -> None:
        self._fields = {field.name: field.type for field in client.data_fields()}

    def _elsewhere(self, error: ForbiddenError) -> Iterator[Finding]:
        """After a 403: look for the account's region, and check the rest there."""
        yield Finding("OK", "Connection", "Dotdigital answers")
        if not self._connection.names_region:
            yield Finding("FAIL", "Region", error.message)
            return
        client = self._connection.client_elsewhere()
        message = self._connection.wrong_region(client).message
        if client is None:
            yield Finding("FAIL", "Region", message)
            return
        yield Finding("OK", "Credentials", "accepted")
        yield Finding("FAIL", "Region", message)
        self._client = client
        with suppress(TargetDotdigitalError):  # told where the data fields are
            self._read_fields(client)

    def _region(self, client: Client) -> str:
        if self._settings.sandbox_path is not None:
            return "none, because you load into the local sandbox"
        if self._settings.api_url is not None:
            return "not needed, because api_url is set"
        region = region_of(client.host) or client.host
        return (
            f"{region}, as you set it" if self._settings.region else f"{region}, as Dotdigital says"
        )

    # What is there.

    def _address_books(self, client: Client) -> Iterator[Finding]:
        wanted = named_address_books(self._settings)
        if not wanted:
            yield self._no_address_book()
        names = [key for key in wanted if isinstance(key, str)]
        # Names in one go, because all pages are read for them; each ID is a call of its own.
        groups: list[Sequence[str | int]] = [names] if names else []
        groups += [[key] for key in wanted if isinstance(key, int)]
        for group in groups:
            try:
                found, near = find_address_books(client, group)
            except TargetDotdigitalError as error:
                for key in group:
                    yield Finding("FAIL", f"Address book {_shown(key)}", error.message)
                continue
            for key, book in found.items():
                yield self._address_book(key, book, near.get(key))

    def _no_address_book(self) -> Finding:
        subject = "Address books"
        if self._settings.streams is None and not self._settings.default_stream.account_only:
            return Finding("FAIL", subject, f"whatever the stream, {NO_ADDRESS_BOOK}")
        return Finding("OK", subject, "the settings name none, so there is none to check")

    def _address_book(self, key: str | int, book: AddressBook | None, near: str | None) -> Finding:
        subject = f"Address book {_shown(key)}"
        if book is None and self._settings.sandbox_path is not None:
            return Finding("OK", subject, "will be created in the sandbox")
        creates = self._settings.create_address_book
        problem = address_book_problem(key, book, near, creates=creates)
        if problem is not None:
            return Finding("FAIL", subject, problem.removeprefix(f"{subject} "))
        if near is not None and nearly_equal(str(key), [near]) is not None:
            text = f"will be created. {new_beside(subject[0].lower() + subject[1:], near)}"
            return Finding("WARN", subject, text)
        if book is None:
            return Finding("OK", subject, "will be created, unless a segment has this name")
        return Finding("OK", subject, f"found, {_shown(book.name if key == book.id else book.id)}")

    def _data_fields(self) -> Iterator[Finding]:
        data_fields, streams = self._fields, self._settings.streams
        if data_fields is None:
            text = "Dotdigital did not list them. Run --test again later"
            yield Finding("FAIL", "Data fields", text)
            return
        for name, stream in (streams or {}).items():
            if stream.fields is not None:
                yield self._fields_of(name, stream, data_fields)
        by_name = [f"'{name}'" for name, each in (streams or {}).items() if each.fields is None]
        if streams is None or by_name:
            whose = "every stream" if streams is None else ", ".join(by_name)
            text = (
                f"not checked for {whose}: properties are mapped by name once the tap sends its "
                "schema. To see the result, do a dry run (dry_run: true)"
            )
            yield Finding("WARN", "Data fields", text)

    def _fields_of(
        self, name: str, stream: StreamSettings, data_fields: Mapping[str, str]
    ) -> Finding:
        subject, creates = f"Data fields of stream '{name}'", self._settings.create_data_fields
        problem = field_problem(stream, data_fields, creates=creates)
        missing = unknown_fields(stream, data_fields)
        types = {field.lower(): kind for field, kind in data_fields.items()}
        there = [field for field in stream.fields or {} if field.lower() in types]
        odd = [field for field in there if types[field.lower()] not in DATA_FIELD_TYPES]
        problems = [f"The data field '{field}' has a type that is not known." for field in odd]
        if problem is not None or odd:
            return Finding("FAIL", subject, " ".join([*problems, problem or "Map others"]))
        told = [f"{', '.join(there)} found"] if there else []
        if missing:
            told.append(f"{', '.join(missing)} will be created, typed from the stream's schema")
        near = {field: nearly_equal(field, data_fields) for field in missing}
        doubts = [new_beside(f"data field '{new}'", old) for new, old in near.items() if old]
        text = ". ".join(["; ".join(told) or "none is mapped", *doubts])
        return Finding("WARN" if doubts else "OK", subject, text)

    def _import_slots(self) -> Finding:
        # Nothing in the vendor's documents counts active imports; trying one would write.
        text = (
            f"a run uses up to {self._settings.max_active_imports} (max_active_imports) of the "
            f"account's {MAX_ACTIVE_IMPORTS}, and waits while your other integrations use them. "
            "Dotdigital does not say how many are free now"
        )
        return Finding("OK", "Import slots", text)


def _calls(client: Client) -> Finding:
    """Return what account-info says of the call limits: of some accounts nothing."""
    try:
        left = (client.account_info().property("ApiCallsRemaining") or "").strip()
    except TargetDotdigitalError as error:
        return Finding("OK", "Calls", f"how many are left is not known: {error.message}")
    if not (left.isascii() and left.isdigit() and len(left) <= _MAX_COUNT_DIGITS):
        return Finding("OK", "Calls", "Dotdigital does not say how many this account has left")
    return Finding("OK", "Calls", f"{left} left now. When they are used up, a run waits")


def _shown(key: str | int) -> str:
    return f"'{key}'" if isinstance(key, str) else f"ID {key}"

"""A target in this process, fed with made-up lines: everything that it says and sends is judged.

Nothing goes over the network: the account is a stand-in, and imports are settled at once.
"""

from __future__ import annotations

import io
import json
import logging
import re
import signal
import tempfile
import zlib
from collections import Counter
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, NoReturn
from unittest.mock import patch

import msgspec
from typing_extensions import Self, override

from target_dotdigital.errors import DataError, UnfitError
from target_dotdigital.loading.imports import MAX_BODY_BYTES, import_body
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.run import destination
from target_dotdigital.singer import SAFE_ERRORS
from target_dotdigital.singer_lines import decode
from target_dotdigital.target import TargetDotdigital
from tests.support.dotdigital.account.normal_forms import value_problem
from tests.support.target.fuzz_lines import CANARIES, FuzzLines

if TYPE_CHECKING:
    from types import TracebackType

    from target_dotdigital.loading.imports import Import
    from target_dotdigital.mapping.contacts.contact import Contact

HANG_SECONDS = 1.0
"""Processor time that one line may take."""

LINES_A_TARGET = 400
"""After so many lines the input ends, and another target begins."""

SHORT_NUMBER_DIGITS = 7
_LONG_FRACTION = re.compile(rb"(:[0-9]{2}\.[0-9]{7})[0-9]+Z")
ADDRESS_BOOK = 102
DATA_FIELDS = {
    "FIRSTNAME": "String",
    "LOYALTY_POINTS": "Numeric",
    "BIRTHDAY": "Date",
    "VIP": "Boolean",
    "CITY": "String",
    "TAGS": "String",
}
_IDENTIFIERS = {
    "email": "email",
    "mobileNumber": "mobile",
    "contactId": "contact_id",
    "crm-id": "crm_id",
}
_CUSTOM_IDENTIFIERS = {"crm-id"}
_PARTS = frozenset(
    {
        *("matchIdentifier", "identifiers", "dataFields", "channelProperties", "lists"),
        *("preferences", "consentRecords"),
    }
)

CONFIGURATIONS: tuple[dict[str, Any], ...] = (
    {},
    {
        "streams": {
            "people": {
                "identifiers": _IDENTIFIERS,
                "fields": {
                    "FIRSTNAME": "first_name",
                    "CITY": "address.city",
                    "LOYALTY_POINTS": "loyalty_points",
                    "TAGS": "tags",
                },
                "email_opt_in_type": "double",
                "preferences": {"7": "vip"},
                "consent": {
                    "text": "first_name",
                    "url": "address.city",
                    "date_time_consented": "birthday",
                    "ip_address": "first_name",
                    "user_agent": "first_name",
                },
            },
            "leads": {
                "merge_option": "overwriteIfEmpty",
                "resubscribe": True,
                "address_book_property": "tags",
            },
        }
    },
    {
        "stream_maps": {"people": {"first_name": "first_name[:5].upper()", "vip": "bool(vip)"}},
        "flattening_enabled": True,
        "flattening_max_depth": 2,
    },
    {
        "streams": {
            "people": {"match_identifier": "mobileNumber", "identifiers": _IDENTIFIERS},
            "leads": {"match_identifier": "crm-id", "identifiers": _IDENTIFIERS},
        },
        "merge_option": "overwriteIfNotEmpty",
        "validate_records": False,
        "add_record_metadata": True,
    },
)


class HangError(BaseException):
    """A line takes too long. No `Exception`, so that nobody takes it for a failing expression."""


class UnsoundError(Exception):
    """Something was sent, printed or stored that should not have been."""


class StandInAccount:
    """Stands for an account, with data fields and one address book."""

    id = 1
    data_fields = DATA_FIELDS
    client = SimpleNamespace(
        host="nowhere.example", takes_imports=lambda: True, imports_a_minute=lambda: None
    )
    creation = SimpleNamespace(planned_address_books={})
    known_address_books = MappingProxyType({ADDRESS_BOOK: SimpleNamespace(name="Book", contacts=0)})

    def __init__(self, *_: object) -> None:
        pass

    def address_book_id(self, address_book: object) -> int | None:
        return None if address_book is None else ADDRESS_BOOK

    def created_name(self, _: int) -> None:
        pass

    def missing_fields(self, *_: object) -> dict[str, str]:
        return {}

    def create_fields(self, *_: object) -> None:
        pass

    def row_address_book_id(self, address_book: str | int) -> int:
        if address_book not in {ADDRESS_BOOK, "Book"}:
            raise UnfitError("the account has no address book with this ID or name")
        return ADDRESS_BOOK

    def is_empty(self, _: object) -> bool:
        return False

    def label(self, address_book_id: int) -> str:
        return f"address book {address_book_id}"

    def check_address_books(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass


class _Importer:
    """Settles imports at once: a contact in seven is refused. Looks at each of them first."""

    max_body_bytes = MAX_BODY_BYTES

    def __init__(self, *_: object) -> None:
        pass

    def load(self, load: Import) -> Settlement:
        settlement = Settlement()
        contacts = list(load.contacts.values())
        _strict(bytes(import_body(load.merge_option, contacts, io.BytesIO())))
        for contact in contacts:
            _judge(contact)
            if zlib.crc32(contact.key.encode()) % 7 == 0:
                settlement.rejected.append((contact, "dotdigital.invalidContact"))
            else:
                settlement.imported.append(contact)
        return settlement


def _judge(contact: Contact) -> None:
    _strict(contact.body)
    body = msgspec.json.decode(contact.body)
    if not set(body) <= _PARTS:
        raise UnsoundError("a contact has parts that the API does not know")
    # The target leaves it to Dotdigital whether a second has more than seven decimals.
    shortened = msgspec.json.decode(_LONG_FRACTION.sub(rb"\1Z", contact.body))
    problem = value_problem(
        shortened,
        data_fields=DATA_FIELDS,
        address_books={ADDRESS_BOOK},
        custom_identifiers=_CUSTOM_IDENTIFIERS,
        unknown_fields="fail",
    )
    # The test account knows no such short numbers; a few countries have them.
    is_short = len(body["identifiers"].get("mobileNumber", "")) < SHORT_NUMBER_DIGITS
    if problem is not None and not (problem == "InvalidPhoneNumber" and is_short):
        raise UnsoundError(f"the account would refuse a contact: {problem}")
    if _holds_canary(repr(contact)):
        raise UnsoundError("a contact shows itself")


def _strict(text: bytes) -> None:
    """Make sure that a text is JSON in every reader's eyes."""

    def refuse(constant: str) -> NoReturn:
        raise UnsoundError(f"{constant} is no JSON")

    try:
        msgspec.json.decode(text)
        json.loads(text.decode("utf-8", "strict"), parse_constant=refuse, parse_int=str)
    except ValueError:
        raise UnsoundError("what is sent is no JSON") from None


class _LogHandler(logging.Handler):
    """Hears every log record of every logger, and remembers where a canary sang."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: Counter[str] = Counter()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.exc_info} {record.__dict__}"
        if _holds_canary(text):
            self.leaks[f"{record.name} at {record.pathname}:{record.lineno}"] += 1


def _holds_canary(text: str) -> bool:
    return any(canary in text.lower() for canary in CANARIES)


class FuzzedTarget:
    """A context manager that feeds one target after another, and keeps what it finds."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.findings: list[str] = []
        """Where and what: the kind of fault, never a line."""
        self.faulty: list[bytes] = []
        """The lines at which something was found, one for each finding."""
        self.outcomes: Counter[str] = Counter()
        self.lines = 0
        self._folder = folder
        self._seed = seed
        self._log = _LogHandler()
        self._output = io.BytesIO()
        self._target: TargetDotdigital | None = None
        self._taken = 0
        self._targets = 0
        self._line = b""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        enter = self._stack.enter_context
        self._source: IO[str] = enter(tempfile.TemporaryFile("w+", dir=self._folder))
        enter(patch.object(destination, "Account", StandInAccount))
        enter(patch.object(destination, "Importer", _Importer))
        # As strict as the real one where the locale is UTF-8.
        self._stdout = io.TextIOWrapper(self._output, encoding="utf-8", write_through=True)
        enter(redirect_stdout(self._stdout))
        before = signal.signal(signal.SIGPROF, self._hang)
        self._stack.callback(signal.signal, signal.SIGPROF, before)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._stack.callback(signal.signal, number, signal.getsignal(number))
        root = logging.getLogger()
        for logger in (root, logging.getLogger("target-dotdigital")):
            self._stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        root.addHandler(self._log)
        self._stack.callback(root.removeHandler, self._log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._target is not None and kind is None:
            self.end()
        self._stack.close()

    def take(self, line: bytes) -> None:
        """Feed a line, and judge what comes of it."""
        if self._target is None:
            self._begin()
        self.lines += 1
        self._taken += 1
        self._feed(line)
        if self._taken >= LINES_A_TARGET:
            self.end()

    def _begin(self) -> None:
        number = self._targets
        self._targets += 1
        self._taken = 0
        configuration = {
            "username": "user",
            "password": "password",
            "api_url": "http://127.0.0.1:9",
            "address_book": ADDRESS_BOOK,
            "batch_size_rows": 40,
            "max_reject_percent": 100,
            "rejects_path": str(self._folder / f"rejects-{number}.singer"),
            **CONFIGURATIONS[number % len(CONFIGURATIONS)],
        }
        self._target = TargetDotdigital(config=configuration)
        logging.getLogger("target-dotdigital").setLevel(logging.DEBUG)
        # What ends a real run is noted, and the target goes on where that changes nothing.
        self._target.message_reader.attend(self._target.run, lambda _error: None)
        for line in FuzzLines(self._seed).opening():
            self._feed(line)

    def _feed(self, line: bytes) -> None:
        target = self._target
        if target is None:
            raise AssertionError
        self._line = line
        raw = self._source.buffer  # type: ignore[attr-defined]  # a TextIOWrapper
        raw.seek(0)
        raw.truncate()
        raw.write(line)
        raw.flush()
        raw.seek(0)
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
        try:
            target.process_lines(self._source)
        except (Exception, HangError) as error:  # noqa: BLE001 - all that can leave is judged
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._judge_error(error)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        self._judge_words()

    def _judge_error(self, error: BaseException) -> None:
        name = type(error).__name__
        if isinstance(error, SAFE_ERRORS):
            self.outcomes[f"ended by {name}"] += 1
            if _holds_canary(f"{error} {error!r} {vars(error)}"):
                self._find(f"{name} repeats a value", error)
        else:
            told = f": {error}" if isinstance(error, UnsoundError) else ""
            self._find(f"{name} leaves the target{told}", error)
        if isinstance(error, DataError):
            return  # of a line that is no message: nothing has changed
        self.end(error)

    def _judge_words(self) -> None:
        for place in list(self._log.leaks):
            self._find(f"a log record repeats a value: {place}")
        self._log.leaks.clear()
        if self._output.tell():
            for line in self._output.getvalue().splitlines():
                try:
                    decode(line)
                except (ValueError, RecursionError):
                    self._find("a STATE is no JSON")
            self._output.seek(0)
            self._output.truncate()

    def end(self, error: BaseException | None = None) -> None:
        """End the input, or end with an error, as a run does; judge what the target leaves."""
        target, self._target = self._target, None
        if target is None:
            return
        signal.setitimer(signal.ITIMER_PROF, 20 * HANG_SECONDS)
        try:
            if error is None:
                target.process_endofpipe()
            elif isinstance(error, Exception):
                target.save(error)
            else:
                target.run.close()
        except (Exception, HangError) as late:  # noqa: BLE001 - all that can leave is judged
            self._find(f"{type(late).__name__} leaves the target at its end", late)
            target.run.close()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        for counts in target.run.summary.counts:
            self.outcomes["imported"] += counts.imported
            self.outcomes["collapsed"] += counts.collapsed
            self.outcomes["skipped"] += counts.skipped
            for code, number in counts.rejected.items():
                self.outcomes[f"rejected: {code}"] += number
        self._judge_words()
        self._judge_rejects(target)

    def _judge_rejects(self, target: TargetDotdigital) -> None:
        path = target.run.settings.rejects_path
        if path is None or not path.exists():
            return
        rows = 0
        for line in path.read_bytes().splitlines():
            try:
                message = decode(line)
            except (ValueError, RecursionError):
                self._find("a line of the rejects file cannot be read")
                continue
            if message["type"] != "RECORD":
                continue
            rows += 1
            record = message["record"]
            if isinstance(record, dict) and _holds_canary(str(record["_sdc_reject_reason"])):
                self._find("a reject's reason repeats a value")
        path.unlink()
        rejected = sum(counts.rejected_total for counts in target.run.summary.counts)
        if rows != rejected:
            self._find(f"{rejected} rows are rejected, and the rejects file holds {rows}")

    def _hang(self, *_: object) -> NoReturn:
        raise HangError

    def _find(self, what: str, error: BaseException | None = None) -> None:
        """Note a finding: the seed, the line's number, and where it came from."""
        where = ""
        trace = error.__traceback__ if error is not None else None
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        if places:
            where = f" ({' > '.join(places[-4:])})"
        self.findings.append(f"seed {self._seed}, line {self.lines}: {what}{where}")
        self.faulty.append(self._line)

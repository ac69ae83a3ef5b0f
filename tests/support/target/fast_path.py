"""What comes of lines on the fast path, and on the slow one."""

from __future__ import annotations

import io
import json
import logging
import tempfile
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from unittest.mock import patch

import msgspec
from typing_extensions import override

from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.mapping import IdentitySet, comparable_identities
from target_dotdigital.mirror import full_load, mirrors
from target_dotdigital.mirror.removal import MirrorRemoval
from target_dotdigital.run import destination
from target_dotdigital.sink import ContactSink
from target_dotdigital.target import TargetDotdigital
from tests.support.target.fuzzed_target import ADDRESS_BOOK, StandInAccount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from target_dotdigital.loading.imports import Import
    from target_dotdigital.loading.removals import Removal
    from target_dotdigital.mirror.mirrors import MirroredAddressBook


class Result(NamedTuple):
    """What comes of some lines."""

    contacts: list[tuple[Any, ...]]
    rejects: list[Any]
    counts: list[str]
    warnings: list[str]
    states: list[str]
    error: str | None
    mirrored: list[Any]


class _Importer:
    """Settles imports at once, in the order in which they are started, and keeps what they hold."""

    max_body_bytes = 50_000_000
    taken: ClassVar[list[tuple[Any, ...]]] = []

    def __init__(self, *_: object) -> None:
        pass

    def load(self, load: Import) -> Settlement:
        settlement = Settlement()
        for contact in load.contacts.values():
            body = (load.merge_option, msgspec.json.decode(contact.body), contact.only_if_known)
            self.taken.append(body)
            if contact.key.endswith("7@example.com"):
                settlement.rejected.append((contact, "dotdigital.invalidContact"))
            else:
                settlement.imported.append(contact)
        return settlement


class _Remover:
    """Settles removals at once, and keeps whom they hold among what is imported."""

    remove = None

    def __init__(self, *_: object) -> None:
        pass

    def perform(self, load: Removal) -> Settlement:
        for contact in load.contacts.values():
            body = msgspec.json.decode(contact.body)
            _Importer.taken.append((load.address_book_id, body, sorted(contact.identities)))
        return Settlement(left=list(load.contacts.values()))


def _mirrored(removal: MirrorRemoval) -> list[Any]:
    """Return who stays in each mirrored address book, and where their rows begin."""
    return [
        (book.address_book_id, book.streams, removal.first_row, _staying(removal, book))
        for book in removal.address_books
    ]


def _staying(removal: MirrorRemoval, book: MirroredAddressBook) -> list[str]:
    identities = sorted(_Held.everybody)
    unchanged = [False] * len(identities)
    if removal.fingerprints is not None:
        streams = (*book.streams, *book.other_streams)
        unchanged = removal.fingerprints.unchanged(streams, book.outdated).among(identities)
    return [
        identity
        for identity, is_unchanged in zip(identities, unchanged, strict=True)
        if is_unchanged or any(identity in each for each in book.identity_sets)
    ]


class _Held(IdentitySet):
    """An identity set that can be looked into."""

    everybody: ClassVar[set[str]] = set()
    """What has come to any of them."""

    @override
    def add_all(self, identities: Collection[str]) -> None:
        super().add_all(identities)
        self.everybody.update(comparable_identities(identities))


def result_of(lines: Sequence[bytes], configuration: dict[str, Any], *, is_fast: bool) -> Result:
    """Run a target in this process over some lines."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        enter = stack.enter_context
        enter(patch.object(destination, "Account", StandInAccount))
        enter(patch.object(destination, "Importer", _Importer))
        enter(patch.object(_Importer, "taken", []))
        enter(patch.object(_Held, "everybody", set()))
        # The summary names streams: half a surrogate pair in a captured log ends the test's worker.
        enter(patch.object(logging.getLogger("target-dotdigital"), "disabled", new=True))
        if not is_fast:
            enter(patch.object(ContactSink, "open_fast_path", lambda *_: None))
        mirrored: list[Any] = []

        def perform(removal: MirrorRemoval, *_: object) -> Settlement:
            mirrored.extend(_mirrored(removal))
            return Settlement()

        enter(patch.object(destination, "Remover", _Remover))
        enter(patch.object(MirrorRemoval, "perform", perform))
        for module in (full_load, mirrors):
            enter(patch.object(module, "IdentitySet", _Held))
        rejects = Path(name, "rejects.singer")
        path = Path(name, "input.singer")
        path.write_bytes(b"\n".join(lines))
        source = enter(path.open())
        output = enter(redirect_stdout(io.StringIO()))
        config = {
            "username": "user",
            "password": "password",
            "api_url": "http://127.0.0.1:9",
            "address_book": ADDRESS_BOOK,
            "batch_size_rows": 7,
            "max_active_imports": 1,
            "max_reject_percent": 100,
            "rejects_path": str(rejects),
            **configuration,
        }
        if config.get("send") == "changes":
            config["fingerprints_path"] = str(Path(name, "fingerprints"))
            with suppress(Exception), Path(name, "input.singer").open() as earlier:
                TargetDotdigital(config=dict(config)).listen(earlier)
            path.write_bytes(b"\n".join(changed(lines)))
            source = enter(path.open())
        target = TargetDotdigital(config=config)
        error = None
        try:
            target.listen(source)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it has to be the same
            error = f"{type(problem).__name__}: {problem}"
        return Result(
            _Importer.taken,
            sorted(rejected(rejects), key=json.dumps),
            sorted(target.run.summary.lines())[: len(target.run.settings.streams or "xx")],
            list(target.run.summary.warnings()),
            output.getvalue().splitlines()[-1:],
            error,
            mirrored,
        )


def changed(lines: Sequence[bytes]) -> list[bytes]:
    """Return lines of the next run: some rows are left out, and others come twice, or changed."""
    found = []
    for number, line in enumerate(lines):
        if b'"RECORD"' not in line:
            found.append(line)
        elif number % 5 == 1:
            found.append(line.replace(b"Ada", b"Eva"))
        elif number % 7:
            found += [line, *lines[:number:11]] if number % 6 == 0 else [line]
    return found


def rejected(path: Path) -> Iterator[Any]:
    """Yield what a rejects file holds; how often it repeats a SCHEMA hangs on when imports end."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    schemas = {line for line in lines if json.loads(line)["type"] == "SCHEMA"}
    for line in (*schemas, *(line for line in lines if line not in schemas)):
        message = json.loads(line)
        message.get("record", {}).pop("_sdc_rejected_at", None)
        yield message

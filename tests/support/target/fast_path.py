"""What comes of lines on the fast path, and on the slow one."""

from __future__ import annotations

import io
import json
import logging
import tempfile
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from unittest.mock import patch

import msgspec

from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.run import destination
from target_dotdigital.sink import ContactSink
from target_dotdigital.target import TargetDotdigital
from tests.support.target.fuzzed_target import ADDRESS_BOOK, StandInAccount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_dotdigital.loading.imports import Import


class Result(NamedTuple):
    """What comes of some lines."""

    contacts: list[tuple[str, Any]]
    rejects: list[Any]
    counts: list[str]
    warnings: list[str]
    states: list[str]
    error: str | None


class _Importer:
    """Settles imports at once, in the order in which they are started, and keeps what they hold."""

    max_body_bytes = 50_000_000
    taken: ClassVar[list[tuple[str, Any]]] = []

    def __init__(self, *_: object) -> None:
        pass

    def load(self, load: Import) -> Settlement:
        settlement = Settlement()
        for contact in load.contacts.values():
            self.taken.append((load.merge_option, msgspec.json.decode(contact.body)))
            if contact.key.endswith("7@example.com"):
                settlement.rejected.append((contact, "dotdigital.invalidContact"))
            else:
                settlement.imported.append(contact)
        return settlement


def result_of(lines: Sequence[bytes], configuration: dict[str, Any], *, is_fast: bool) -> Result:
    """Run a target in this process over some lines."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        enter = stack.enter_context
        enter(patch.object(destination, "Account", StandInAccount))
        enter(patch.object(destination, "Importer", _Importer))
        enter(patch.object(_Importer, "taken", []))
        # The summary names streams: half a surrogate pair in a captured log ends the test's worker.
        enter(patch.object(logging.getLogger("target-dotdigital"), "disabled", new=True))
        if not is_fast:
            enter(patch.object(ContactSink, "open_fast_path", lambda *_: None))
        rejects = Path(name, "rejects.singer")
        path = Path(name, "input.singer")
        path.write_bytes(b"\n".join(lines))
        source = enter(path.open())
        output = enter(redirect_stdout(io.StringIO()))
        target = TargetDotdigital(
            config={
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
        )
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
        )


def rejected(path: Path) -> Iterator[Any]:
    """Yield what a rejects file holds; how often it repeats a SCHEMA hangs on when imports end."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    schemas = {line for line in lines if json.loads(line)["type"] == "SCHEMA"}
    for line in (*schemas, *(line for line in lines if line not in schemas)):
        message = json.loads(line)
        message.get("record", {}).pop("_sdc_rejected_at", None)
        yield message

"""Measurements: one load with the bare loop before it, the stock target, one start."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import customers
from benchmarks.null_server import LIST_ID, NullServer
from benchmarks.processes import FinishedRun, RunError, run
from benchmarks.results import Run, Start, StockRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.features import Feature

_HERE: Final = Path(__file__).parent
_CONFIG: Final = "config.json"
_STOCK_START_ROWS: Final = 10
"""So few rows take no time: what remains is the start."""

_NO_INPUT: Final = Path(os.devnull)
_SDK: Final = ("-c", "import singer_sdk.target_base")
_STARTS: Final = {
    "`--version`": ("-m", "target_dotdigital", "--version"),
    "a run, up to its first row": ("-m", "target_dotdigital", "--config", _CONFIG),
}
_KEEPS_NONE: Final = {"PYTHONDONTWRITEBYTECODE": "1"}


def limit(source: Path, rows: int, *, typed: bool = False) -> FinishedRun:
    """Run the bare loop once, in a process of its own.

    Args:
        source: A file of customers.
        rows: How many it has.
        typed: Whether the loop decodes only what is picked.

    Raises:
        RunError: It has failed, or has not seen every row.
    """
    loop = [str(_HERE / "limit.py"), *(["--typed"] if typed else [])]
    with tempfile.TemporaryDirectory() as name:
        ended = run(loop, source, Path(name))
    contacts = int(ended.output.split()[0])
    if contacts != rows:
        raise RunError(f"the bare loop has seen {contacts} of {rows} rows")
    return ended


def load(feature: Feature, rows: int, *, source: Path | None = None) -> Run:
    """Run the bare loop, and then the target's real command line over the same rows.

    Args:
        feature: What of the target is used.
        rows: How many rows.
        source: The file of so many customers; it is looked up, or written, by default.

    Raises:
        RunError: A run has failed, or has not done all of its job.
    """
    source = source or customers.file_of(rows, table=feature.table)
    plain = source if not feature.table.is_batch else customers.file_of(rows)
    least = None if feature.times is None else limit(plain, rows)
    server = NullServer(
        customers.DATA_FIELDS,
        active=feature.active,
        members=feature.members_of(rows),
        lists=feature.lists,
    )
    with server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / _CONFIG).write_text(json.dumps(_settings(feature, server.url)))
        command = ["-m", "target_dotdigital", "--config", _CONFIG]
        earlier = 0
        if feature.before is not None:
            run(command, customers.file_of(rows, table=feature.before), folder)
            earlier = server.counts().contacts
        ended = run(command, source, folder)
        counts = server.counts()
    expected = earlier + feature.sent(rows)
    if counts.contacts != expected:
        raise RunError(f"the server has got {counts.contacts} of {expected} contacts")
    states = ended.output.splitlines()
    if not states or json.loads(states[-1]) != customers.state(rows):
        raise RunError("the target has not printed the last STATE")
    return Run(
        seconds=ended.seconds,
        cpu_seconds=ended.cpu_seconds,
        peak_megabytes=ended.peak_megabytes,
        limit_seconds=None if least is None else least.seconds,
        limit_cpu_seconds=None if least is None else least.cpu_seconds,
        counts=counts,
    )


def _settings(feature: Feature, url: str) -> dict[str, Any]:
    stream = {"address_book": LIST_ID, "fields": customers.FIELDS, **feature.stream}
    return {
        "username": "any",
        "password": "one",
        "api_url": url,
        "streams": {customers.STREAM: {k: v for k, v in stream.items() if v is not None}},
        **feature.config,
    }


def stock(rows: int) -> StockRun:
    """Run a target as the SDK's template makes it, once over so many rows, once over next to none.

    Args:
        rows: How many.

    Raises:
        RunError: It has failed, or has not done all of its job.
    """
    start_seconds = _load_stock(_STOCK_START_ROWS).seconds
    ended = _load_stock(rows)
    return StockRun(rows, ended.seconds, start_seconds, ended.peak_megabytes)


def _load_stock(rows: int) -> FinishedRun:
    source = customers.file_of(rows)
    with NullServer(customers.DATA_FIELDS) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {
            "username": "any",
            "password": "one",
            "api_url": server.url,
            "address_book": LIST_ID,
            "fields": customers.FIELDS,
        }
        (folder / _CONFIG).write_text(json.dumps(config))
        ended = run([str(_HERE / "stock_target.py"), "--config", _CONFIG], source, folder)
        contacts = server.counts().contacts
    if contacts != rows:
        raise RunError(f"the server has got {contacts} of {rows} contacts")
    return ended


def starts() -> Iterator[Start]:
    """Yield what each start takes beside the import of the SDK, with and without bytecode.

    It is processor time: a start waits for nothing, and other work on the machine does not count.

    Raises:
        RunError: A start has failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package = _HERE.parent / "target_dotdigital"
        ignored = shutil.ignore_patterns("__pycache__", "sandbox")
        shutil.copytree(package, folder / package.name, ignore=ignored)
        settings = {"username": "any", "password": "one", "api_url": "http://127.0.0.1:9"}
        (folder / _CONFIG).write_text(json.dumps(settings))
        # In this order: as soon as bytecode may be kept, it is there.
        for kept, variables in (
            ("none", {**_KEEPS_NONE, "PYTHONPYCACHEPREFIX": str(folder / "none")}),
            ("of the libraries", _KEEPS_NONE),
            ("all", {}),
        ):
            if not variables:
                run(_STARTS["`--version`"], _NO_INPUT, folder)
            least = run(_SDK, _NO_INPUT, folder, variables).cpu_seconds
            for title, arguments in _STARTS.items():
                ended = run(arguments, _NO_INPUT, folder, variables)
                yield Start(title, kept, ended.cpu_seconds, least)

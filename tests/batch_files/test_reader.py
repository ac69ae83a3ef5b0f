"""Lines of files go the way that lines of standard input go, and keep their place among them."""

from __future__ import annotations

import json
import logging
import os
import sys
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

import msgspec
import pytest
from typing_extensions import override

from target_dotdigital.batch_files import record_lines
from target_dotdigital.errors import (
    NetworkError,
    SettingsError,
    StorageError,
    TargetDotdigitalError,
)
from target_dotdigital.reader import FastStream, MessageReader
from tests.support.batches import batch, batch_of, parquet_of
from tests.support.canary import CANARY
from tests.support.messages import record, state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class _Line(msgspec.Struct, tag="RECORD", tag_field="type"):
    stream: str
    record: dict[str, Any]


class _Run:
    """A run that stops after some tending."""

    def __init__(self, stop_after: int = 1_000_000) -> None:
        self.tended = 0
        self._stop_after = stop_after

    @property
    def is_stopping(self) -> bool:
        return self.tended >= self._stop_after

    def tend(self) -> float | None:
        self.tended += 1
        return None

    def wait(self, descriptor: int) -> bool:
        raise NotImplementedError


class _RunOverAPipe(_Run):
    """A run that is told of something to read when there is nothing yet, as a pipe may do."""

    def __init__(self, written: int, texts: Sequence[bytes]) -> None:
        super().__init__()
        self._written = written
        self._texts = list(texts)

    @override
    def wait(self, descriptor: int) -> bool:
        text = self._texts.pop(0) if self._texts else None
        if text is None:
            os.close(self._written)
        else:
            os.write(self._written, text)
        return True


class _Read:
    """What a reader has handed over, in its order."""

    def __init__(self, run: _Run) -> None:
        self.rows: list[tuple[str, Any]] = []
        self.reader = MessageReader()
        self.reader.attend(run, lambda _: None)
        decode = msgspec.json.Decoder(_Line).decode
        self.reader.fast_streams["people"] = FastStream(decode, self._receive_all)

    def read(self, messages: Sequence[Any]) -> list[tuple[str, Any]]:
        return self.read_from(StringIO(_text_of(messages)))

    def read_from(self, source: IO[str]) -> list[tuple[str, Any]]:
        callbacks: dict[str, Callable[[Any], None]] = {
            "RECORD": lambda each: self.rows.append(("slow", each["record"]["n"])),
            "STATE": lambda each: self.rows.append(("state", each["value"])),
            "BATCH": lambda each: self.reader.process_batch(
                record_lines(each, self.reader.line_number, None)
            ),
        }
        self.reader.process_lines(source, callbacks)
        return self.rows

    def _receive_all(self, messages: Sequence[_Line], *_: object) -> None:
        self.rows += [("fast", each.record["n"]) for each in messages]


def _text_of(messages: Sequence[Any]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in messages)


def rows(*numbers: int) -> list[Any]:
    return [record(n=number) for number in numbers]


def test_where_there_is_nothing_to_read_yet_the_input_has_not_ended() -> None:
    descriptor, written = os.pipe()
    os.set_blocking(descriptor, False)
    text = _text_of([*rows(1, 2), state("last")]).encode()
    read = _Read(_RunOverAPipe(written, [b"", text[:70], b"", text[70:75], text[75:], b""]))
    with os.fdopen(descriptor) as source:
        found = read.read_from(source)
    assert [each for _, each in found] == [1, 2, "last"]


@pytest.mark.parametrize("write", [batch_of, parquet_of])
def test_lines_of_files_are_taken_many_at_a_time(tmp_path: Path, write: Any) -> None:  # noqa: ANN401
    read = _Read(_Run())
    messages = [
        *rows(1, 2),
        write(tmp_path / "a", rows(*range(3, 5_000))),
        state("between"),
        *rows(5_000),
        write(tmp_path / "b", rows(5_001)),
        state("last"),
    ]
    found = read.read(messages)
    assert [each for kind, each in found if kind != "state"] == [*range(1, 5_002)]
    assert found.index(("state", "between")) == 4_999
    assert found[-1] == ("state", "last")
    assert {kind for kind, _ in found} == {"fast", "state"}


def test_the_run_is_tended_between_blocks_and_reading_stops_with_it(tmp_path: Path) -> None:
    run = _Run(stop_after=2)
    read = _Read(run)
    message = batch_of(tmp_path / "a", [record(n=n, text="x" * 1000) for n in range(5_000)])
    found = read.read([message, state("never")])
    assert run.tended == 2
    assert 0 < len(found) < 1_000
    assert ("state", "never") not in found


def test_no_library_of_a_storage_logs_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = batch(f"ftp://{CANARY}:{CANARY}@127.0.0.1:1/{CANARY}.json")
    with pytest.raises(NetworkError):
        list(record_lines(message, 1, None))
    message = batch(f"zip://{CANARY}.json::file://{tmp_path}/{CANARY}.zip")
    with pytest.raises(TargetDotdigitalError):
        list(record_lines(message, 1, None))
    logging.getLogger("s3fs").critical(CANARY)
    logging.getLogger("botocore.auth").critical(CANARY)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (PermissionError(CANARY), SettingsError, "may not be read. Set credentials"),
        (ConnectionError(CANARY), NetworkError, "from its storage (ConnectionError)"),
        (ValueError(CANARY), NetworkError, "from its storage (ValueError)"),
        (IsADirectoryError(CANARY), TargetDotdigitalError, "is a folder"),
    ],
)
def test_of_a_storages_error_its_kind_is_told(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: type[TargetDotdigitalError],
    told: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("fsspec.url_to_fs", fail)
    with pytest.raises(kind) as raised:
        list(record_lines(batch("ftp://there/x.json"), 1, None))
    assert told in str(raised.value)
    assert CANARY not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = batch_of(tmp_path / "a", rows(1))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(CANARY)

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(StorageError, match=r"may not be read\. Give your user the permission"):
        list(record_lines(message, 1, None))


def test_parquet_without_its_extra_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = parquet_of(tmp_path / "a", rows(1))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingsError, match=r"pip install 'target-dotdigital\[parquet\]'"):
        list(record_lines(message, 1, None))

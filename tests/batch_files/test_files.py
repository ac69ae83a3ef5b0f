"""What files of BATCH messages may be like, and where they may be."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pytest
from pyarrow import parquet

from target_dotdigital.batch_files.parquet import read_parquet
from target_dotdigital.errors import DataError
from tests.support.batches import batch, lines_of, plain
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, rows, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

NAMES: Final = ["ada", "ben"]
ADA, BEN = (lines_of([each]) for each in rows(NAMES))

CONTENTS: Final[dict[str, bytes]] = {
    "lines": ADA + BEN,
    "without a last newline": ADA + BEN[:-1],
    "with blank lines": b"\n" + ADA + b"  \r\n\n" + BEN + b"\n",
    "with the newlines of Windows": (ADA + BEN).replace(b"\n", b"\r\n"),
    "with a byte order mark": b"\xef\xbb\xbf" + ADA + BEN,
    "indented a little": b"  " + ADA + b"\t" + BEN,
    "gzip": gzip.compress(ADA + BEN),
    "gzip in two parts": gzip.compress(ADA[:-9]) + gzip.compress(ADA[-9:] + BEN),
    "gzip that is filled up": gzip.compress(ADA + BEN) + bytes(600),
}


def rejects_of(folder: Path) -> list[Any]:
    """Return the rejected rows of a run."""
    lines = (folder / "rejects.singer").read_text().split("\n")
    return [json.loads(line) for line in lines if line]


@pytest.mark.parametrize("name", CONTENTS)
def test_what_a_file_may_be_like(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    path = tmp_path / "people.json"
    path.write_bytes(CONTENTS[name])
    ended = load(settings_for(server), tmp_path, schema(), plain(path), state({"row": 2}))
    assert (ended.status, ended.states) == (0, [{"row": 2}]), ended.stderr
    assert {*server.contents()} == {f"{each}@example.com" for each in NAMES}


def test_all_files_of_a_message_are_read_in_their_order(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for number, path in enumerate(paths):
        person = record(email="ada@example.com", first_name=str(number))
        path.write_bytes(gzip.compress(lines_of([person])))
    messages = [schema(), batch(*paths), batch(), batch(paths[1]), state({"row": 4})]
    ended = load(settings_for(server), tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [{"row": 4}]), ended.stderr
    assert server.contents()["ada@example.com"]["data_fields"] == {"FIRSTNAME": "1"}
    assert ended.counts().startswith("read 4 = imported 1 + rejected 0 + collapsed 3")


def test_a_row_that_cannot_be_read_is_rejected_alone_and_can_be_replayed(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    bad = [
        b'{"email": "cut\xff@example.com"}\n',
        b'{"email": "a@example.com", "first_name": %s1%s}\n' % (b"[" * 5000, b"]" * 5000),
        b'{"email": "b@example.com", "first_name": "\\ud800"}\n',
        b'{"email": "no",\r "first_name": "x"}\r\n',
    ]
    path = tmp_path / "people.json"
    path.write_bytes(ADA + b"".join(bad) + BEN)
    config = settings_for(server, rejects_path="rejects.singer", max_reject_percent=100)
    ended = load(config, tmp_path, schema(), plain(path), state({"row": 6}))
    assert (ended.status, ended.states) == (0, [{"row": 6}]), ended.stderr
    assert {*server.contents()} == {f"{each}@example.com" for each in NAMES}
    head, *rejected = rejects_of(tmp_path)
    assert [each["type"] for each in (head, *rejected)] == ["SCHEMA", *["RECORD"] * 4]
    for each in rejected:
        each["record"].update(email="mended@example.com", first_name="Mended")
    again = load(settings_for(server), tmp_path, head, *rejected)
    assert again.status == 0, again.stderr
    assert server.contents()["mended@example.com"]["data_fields"] == {"FIRSTNAME": "Mended"}


def test_a_file_in_a_storage_of_fsspec_is_read(server: DotdigitalServer, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as made:
        made.writestr("day/people.json.gz", gzip.compress(ADA + BEN))
    archive = (tmp_path / "people.zip").as_uri()
    direct = batch(f"zip://day/people.json.gz::{archive}")
    assert load(settings_for(server), tmp_path, schema(), direct).status == 0
    assert len(server.contents()) == 2
    # By its name alone, with what fsspec is told.
    storage = {"root": "zip://day", "params": {"fo": str(tmp_path / "people.zip")}}
    elsewhere = settings_for(server, batch_config={"storage": storage}, dry_run=True)
    named = batch("s3://key:secret@bucket/taps/people.json.gz?signature=1")
    ended = load(elsewhere, tmp_path, schema(), named)
    assert ended.status == 0, ended.stderr
    assert "people     2      2" in ended.stderr


def test_the_files_of_a_skipped_stream_are_left_alone(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path = tmp_path / "people.json"
    path.write_bytes(ADA)
    config = settings_for(server, streams={"people": {}, "orders": {"skip": True}})
    missing = batch(tmp_path / "missing.json", stream="orders")
    messages = [schema(), schema("orders"), missing, plain(path), state({"row": 1})]
    ended = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert {*server.contents()} == {"ada@example.com"}


def test_a_name_that_the_sdk_has_made_is_told_and_no_other(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    name = "8f14e45f-ceea-467f-a0e6-0123456789ab-12.json.gz"
    for given, told in (
        (f"secret--people-{name}", f"file 1 of 1 (…{name}) does not exist"),
        (f"secret-{name}.bak", "file 1 of 1 does not exist"),
    ):
        ended = load(settings_for(server), tmp_path, schema(), batch(tmp_path / given))
        assert f"Line 2: the BATCH of stream 'people', {told}" in ended.stderr
        assert "secret" not in ended.stderr


@pytest.mark.parametrize("kind", ["gzip", "parquet"])
def test_memory_does_not_grow_with_a_file(
    server: DotdigitalServer, tmp_path: Path, kind: str
) -> None:
    peaks = []
    for count in (20_000, 200_000):
        path = tmp_path / f"{count}.{kind}"
        people = [
            {"email": f"p{number % 50}@example.com", "first_name": f"P {number % 7}"}
            for number in range(count)
        ]
        if kind == "gzip":
            path.write_bytes(gzip.compress(lines_of(people), 1))
        else:
            parquet.write_table(pa.Table.from_pylist(people), path, row_group_size=20_000)
        encoding = {"format": "jsonl" if kind == "gzip" else kind}
        with TargetProcess(settings_for(server), tmp_path) as target:
            target.send(schema(), batch(path, encoding=encoding), state({"row": count}))
            ended = target.end()
        assert (ended.status, ended.states) == (0, [{"row": count}]), ended.stderr
        assert target.peak_megabytes is not None
        peaks.append(target.peak_megabytes)
    assert peaks[1] - peaks[0] < 25


def test_a_full_queue_holds_the_file_back(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    path = tmp_path / "people.json"
    path.write_bytes(lines_of([{"email": f"p{number}@example.com"} for number in range(60_000)]))
    config = settings_for(server, batch_size_rows=10, max_active_imports=2)
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), plain(path), state({"row": 60_000}))
        server.wait_for_imports(2)
        target.process.terminate()
        ended = target.end()
    assert len(server.calls_of(IMPORT)) <= 4
    assert ended.states == []
    # A block is read, and far less than there is.
    assert int(ended.counts().split()[1]) < 20_000


# Parquet, value by value.

UTC = dt.timezone.utc
VALUES: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "text": (lambda: pa.array(["É\r\n\u2028"]), '"É\\r\\n\u2028"'),
    "nothing": (lambda: pa.nulls(1), "null"),
    "an integer": (lambda: pa.array([2**63], pa.uint64()), "9223372036854775808"),
    "a decimal": (lambda: pa.array([Decimal("1.50")]), "1.50"),
    "a double": (lambda: pa.array([0.1]), "0.1"),
    "not a number": (lambda: pa.array([float("nan")]), "NaN"),
    "half a float": (lambda: pa.array([1.5], pa.float16()), "1.5"),
    "a Boolean": (lambda: pa.array([True]), "true"),
    "a date": (lambda: pa.array([dt.date(2024, 2, 29)]), '"2024-02-29"'),
    "a time": (lambda: pa.array([dt.time(1, 2)]), '"01:02:00"'),
    "nanoseconds": (
        lambda: pa.array([1], pa.timestamp("ns")),
        '"1970-01-01T00:00:00"',
    ),
    "a zone": (
        lambda: pa.array([dt.datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "Europe/Paris")),
        '"2024-01-01T00:00:00Z"',
    ),
    "bytes": (lambda: pa.array(["é".encode()]), '"é"'),
    "an array": (lambda: pa.array([[1, None]]), "[1, null]"),
    "an object": (
        lambda: pa.array([{"a": b"x", "b": dt.date(2024, 2, 29)}]),
        '{"a": "x", "b": "2024-02-29"}',
    ),
    "a category": (lambda: pa.array(["a"]).dictionary_encode(), '"a"'),
}


def written(column: Any) -> io.BytesIO:  # noqa: ANN401 - pyarrow tells no types
    file = io.BytesIO()
    parquet.write_table(pa.table({"v": column}), file)
    file.seek(0)
    return file


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_parquet_is_as_a_tap_would_write_it(name: str) -> None:
    column, text = VALUES[name]
    (((line,),)) = [*read_parquet(written(column()), "the file")]
    start, end = line.decode().split(":", 1)
    assert start == '{"v"'
    assert end.lstrip() == f"{text}}}"


@pytest.mark.parametrize("at", [4, 30, -8, -5])
def test_a_parquet_file_that_is_damaged_is_told_so(at: int) -> None:
    content = bytearray(written(pa.array(["Ada"] * 9)).getvalue())
    content[at] ^= 255
    with pytest.raises(DataError, match=r"^the file is no Parquet file, or is cut off or damaged"):
        list(read_parquet(io.BytesIO(content), "the file"))

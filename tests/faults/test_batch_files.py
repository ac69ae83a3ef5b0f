"""F82 and F83: what can become of the files of BATCH messages, and of a run that reads one."""

from __future__ import annotations

import gzip
import random
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from tests.faults.fault_case import fault
from tests.faults.input_rows import CANARY, PROPERTIES, people, row, with_states
from tests.support.batches import batch, batch_of, lines_of, parquet_of, plain
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import schema, state
from tests.support.target.command import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.fault_case import FaultCase

BAD: Final = [row(3), row(4)]
WHOLE: Final = lines_of(BAD)
SECRET: Final = "geheimnis"
"""A credential in a URL."""

JSONL, PARQUET = {"format": "jsonl", "compression": "gzip"}, {"format": "parquet"}


def _taps_folder(case: FaultCase) -> Path:
    """Return a folder for what the tap writes. The run's own holds no value of a row."""
    return Path(case.stack.enter_context(TemporaryDirectory()))


def _written(path: Path, content: bytes, message: Callable[..., Any] = plain) -> Any:  # noqa: ANN401
    path.write_bytes(content)
    return message(path)


def _cut_parquet(path: Path) -> Any:  # noqa: ANN401
    message = parquet_of(path, BAD)
    path.write_bytes(path.read_bytes()[:-7])
    return message


FILES: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "missing": (batch, "does not exist", "fix the data"),
    "a folder": (lambda path: batch(path.parent), "is a folder", "fix the data"),
    "a gzip file that is cut": (
        lambda path: _written(path, gzip.compress(WHOLE)[:-9], batch),
        "is a gzip file that is cut off",
        "fix the data",
    ),
    "a gzip file that has another end": (
        lambda path: _written(path, gzip.compress(WHOLE)[:-8] + b"12345678", batch),
        "is a gzip file that is damaged",
        "fix the data",
    ),
    "an empty gzip file": (
        lambda path: _written(path, b"", batch),
        "is empty, and no gzip file",
        "fix the data",
    ),
    "lines where gzip is told": (
        lambda path: _written(path, WHOLE, batch),
        "is no gzip file",
        "fix the data",
    ),
    "half a line": (
        lambda path: _written(path, WHOLE[:-9]),
        "line 2 is not a JSON object (74 bytes)",
        "fix the data",
    ),
    "half a line in gzip": (
        lambda path: _written(path, gzip.compress(WHOLE[:-9]), batch),
        "line 2 is not a JSON object",
        "fix the data",
    ),
    "an array": (
        lambda path: _written(path, WHOLE + f'["{CANARY}"]\n'.encode()),
        "line 3 is not a JSON object",
        "fix the data",
    ),
    "two objects in a line": (
        lambda path: _written(path, WHOLE.replace(b"}\n{", b"}{")),
        "line 1 is not a JSON object",
        "fix the data",
    ),
    "a line that ends the record": (
        lambda path: _written(path, b'{"row": 3}, "record": {"row": 4}\n'),
        "line 1 is not a JSON object",
        "fix the data",
    ),
    "a cut Parquet file": (
        _cut_parquet,
        "is no Parquet file, or is cut off or damaged",
        "fix the data",
    ),
    "lines where Parquet is told": (
        lambda path: _written(path, WHOLE, lambda each: batch(each, encoding=PARQUET)),
        "is no Parquet file, or is cut off or damaged",
        "fix the data",
    ),
    "an unknown format": (
        lambda path: batch(path, encoding={"format": CANARY}),
        "has an encoding that is unknown",
        "fix the data",
    ),
    "no format": (
        lambda path: batch(path, encoding={}),
        "does not say how its files are encoded",
        "fix the data",
    ),
    "an unknown compression": (
        lambda path: batch(path, encoding={**JSONL, "compression": CANARY}),
        "has a compression that is unknown",
        "fix the data",
    ),
    "no list of files": (
        lambda _: batch(manifest=CANARY),
        "has a manifest that is not a list of URLs",
        "fix the data",
    ),
    "an unknown storage": (
        lambda _: batch(f"{CANARY}://user:{SECRET}@there/x.json"),
        "is in a storage that fsspec does not know",
        "fix the data",
    ),
    "a storage that is not installed": (
        lambda _: batch(f"s3://{CANARY}:{SECRET}@bucket/x.json.gz"),
        "is in a storage whose package is not installed. Install s3fs to access S3",
        "fix the settings",
    ),
    "a storage that does not answer": (
        lambda _: batch(f"ftp://user:{SECRET}@127.0.0.1:1/{CANARY}.json.gz"),
        "cannot be read from its storage (ConnectionRefusedError)",
        "check the network",
    ),
}


@fault("F82", *FILES)
def test_a_file_that_cannot_be_read_ends_the_run_before_what_follows(
    case: FaultCase, variant: str
) -> None:
    write, told, act = FILES[variant]
    path = _taps_folder(case) / "batch.json.gz"
    good = people(2)
    messages = [*good, write(path), state({"row": 4}), *with_states([5])]
    with case.started(messages, batch_wait_limit_seconds=1, pace=5) as target:
        target.send(*good)
        target.wait_for('{"row": 2}')
        target.send_what_it_takes(*messages[len(good) :])
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (1, {"row": 2})
    assert told in ended.stderr
    assert "Line 6: the BATCH of stream 'people'" in ended.stderr
    assert f"[to act: {act}]" in ended.stderr
    assert SECRET not in ended.stderr
    assert "Traceback" not in ended.stderr
    # What the tap sends the next time can be read.
    mended = [*good, batch_of(path, BAD), state({"row": 4}), *with_states([5])]
    assert case.run(mended).states[-1] == {"row": 5}


@fault("F82")
def test_a_batch_before_its_schema_ends_the_run(case: FaultCase) -> None:
    ended = case.run([batch_of(_taps_folder(case) / "batch.json.gz", BAD), state({"row": 4})])
    assert (ended.status, ended.states) == (1, [])
    assert "Line 1: a BATCH of stream 'people' came before its SCHEMA" in ended.stderr
    case.forget_input()


# What becomes of a run in the middle of a file.

MANY: Final = 60


def _with_files(folder: Path) -> list[Any]:
    """Return an input of three files of one import's size each, and more, with RECORDs between."""
    messages: list[Any] = [schema(properties=PROPERTIES)]
    for first in (1, 21, 41):
        rows = [row(number) for number in range(first, first + 18)]
        messages.append(batch_of(folder / f"{first}.json.gz", rows))
        messages += [row(first + 18), row(first + 19), state({"row": first + 19})]
    return messages


@fault("F83", "SIGTERM", "SIGINT", "SIGKILL")
def test_a_signal_in_the_middle_of_a_file(case: FaultCase, variant: str) -> None:
    case.max_calls = 200
    case.server.hold_imports()
    messages = _with_files(_taps_folder(case))
    with case.started(
        messages, batch_size_rows=4, max_active_imports=1, shutdown_grace_seconds=1
    ) as target:
        target.send(*messages)
        case.server.wait_for_imports(1)
        target.process.send_signal(getattr(signal, variant))
        target.process.wait(PATIENCE_SECONDS)  # its input is still open
        ended = target.end()
    assert ended.status == {"SIGTERM": 143, "SIGINT": 130, "SIGKILL": -9}[variant]
    assert ended.states == []
    assert len(case.server.calls_of(IMPORT)) < MANY / 4


@fault("F83", *map(str, range(6)))
def test_sigkill_while_files_are_read(case: FaultCase, variant: str) -> None:
    case.max_calls = 200
    messages = _with_files(_taps_folder(case))
    after = random.Random(variant).randint(1, 14)  # noqa: S311 - no secret
    with case.started(messages, batch_size_rows=4, max_active_imports=2) as target:
        target.send_what_it_takes(*messages)
        case.server.wait_for_imports(after)
        target.process.kill()
        target.end()

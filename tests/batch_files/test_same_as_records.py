"""The same rows as RECORD and as BATCH messages: the same contents, rejects, counts and STATE."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.batches import batch, lines_of, parquet_of, plain
from tests.support.dotdigital.server import DotdigitalServer
from tests.support.messages import activate, record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from collections.abc import Sequence

PACE = 20
PROPERTIES: Final[dict[str, Any]] = {
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "loyalty_points": {"type": ["number", "string", "null"]},
    "address": {"type": ["object", "null"], "properties": {"city": {"type": "string"}}},
    "_sdc_deleted_at": {"type": ["string", "null"]},
}
CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "mapped": {"streams": {"people": {"fields": {"LASTNAME": "address.city"}}}},
    "leaving": {"streams": {"people": {"on_delete": "remove"}}},
    "mirror": {"streams": {"people": {"sync_mode": "mirror", "max_removal_percent": 100}}},
    "stream map": {
        "stream_maps": {"people": {"first_name": "first_name.upper()", "__filter__": "email"}}
    },
    "flattening": {
        "flattening_enabled": True,
        "flattening_max_depth": 2,
        "streams": {"people": {"fields": {"LASTNAME": "address__city"}}},
    },
    "metadata": {"add_record_metadata": True},
    "only changes": {"send": "changes", "fingerprints_path": "fingerprints"},
}
VALUES = {
    "first_name": st.sampled_from(["Ada", "É\u2028\r\n", "", None, "x" * 1001, 5]),
    "loyalty_points": st.sampled_from([1, 2.5, None, "many", float("nan"), 10**25]),
    "address": st.sampled_from([None, {}, {"city": "Rome"}, {"city": 1}]),
    "_sdc_deleted_at": st.sampled_from([None, "", "2026-01-01T00:00:00Z", "soon"]),
}
EMAILS = st.sampled_from(
    ["a@example.com", "b@example.com", "C@example.com", "c@example.com", "no", None]
)
ROWS = st.builds(
    lambda email, **others: record(email=email, **{k: v for k, v in others.items() if v != 0}),
    EMAILS,
    **{name: values | st.just(0) for name, values in VALUES.items()},
)
SIZES = st.lists(st.integers(0, 5), min_size=1, max_size=12)


class Loaded(NamedTuple):
    """What a load has left."""

    status: int
    contents: dict[str, Any]
    rejects: list[tuple[Any, ...]]
    last_states: list[Any]
    counts: str


def loaded(folder: Path, config: dict[str, Any], messages: Sequence[Any]) -> Loaded:
    """Load messages into an account of their own."""
    folder.mkdir()
    with DotdigitalServer() as server:
        server.add_contact("left@example.com", {}, lists=(102,))
        own = {"rejects_path": "rejects.singer", "max_reject_percent": 100, "batch_size_rows": 3}
        ended = load(settings_for(server, **own, **config), folder, *messages, pace=PACE)
        contents = server.contents()
    assert "Traceback" not in ended.stderr, ended.stderr
    path = folder / "rejects.singer"
    lines = path.read_text().splitlines() if path.exists() else []
    rejects = [json.loads(line) for line in lines]
    told = [
        (each["stream"], sorted((k, str(v)) for k, v in each["record"].items() if k != WHEN))
        for each in rejects
        if each["type"] == "RECORD"
    ]
    counts = re.findall(r"Stream 'people': read .*", ended.stderr)
    return Loaded(ended.status, contents, told, ended.states[-1:], "".join(counts))


WHEN = "_sdc_rejected_at"


def as_batches(
    folder: Path, messages: Sequence[Any], sizes: Sequence[int], version: object
) -> list[Any]:
    """Return messages in which rows are in files: so many, every second time as they are."""
    made: list[Any] = []
    at = turn = 0
    while at < len(messages):
        size = sizes[turn % len(sizes)]
        end = at
        while end < min(at + size, len(messages)) and messages[end]["type"] == "RECORD":
            end += 1
        if turn % 2 and end > at:
            path = folder / f"{len(made)}.json"
            content = lines_of(messages[at:end])
            # With the SDK, none can be compressed, and gzip is.
            is_gzip = turn % 4 == 1
            path.write_bytes(gzip.compress(content) if is_gzip else content)
            more: dict[str, Any] = {} if version is None else {"version": version}
            made.append((batch if is_gzip else plain)(path, **more))
        else:
            end = max(end, at + 1)
            made += messages[at:end]
        at, turn = end, turn + 1
    return made


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    config=st.sampled_from(sorted(CONFIGS)),
    rows=st.lists(ROWS, max_size=25),
    states=st.sets(st.integers(0, 24)),
    sizes=SIZES,
    version=st.sampled_from([None, 1]),
)
def test_batches_are_loaded_as_records_are(
    config: str, rows: list[Any], states: set[int], sizes: list[int], version: int | None
) -> None:
    head = {**schema(properties=PROPERTIES), "key_properties": ["email"]}
    messages: list[Any] = [head]
    for number, row in enumerate(rows):
        messages.append(row if version is None else {**row, "version": version})
        if number in states:
            messages.append(state({"row": number}))
    if version is not None:
        messages.append(activate(version))
    messages.append(state({"row": "last"}))
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "files").mkdir()
        batches = as_batches(folder / "files", messages, sizes, version)
        files = sorted((each.name, each.read_bytes()) for each in (folder / "files").iterdir())
        expected = loaded(folder / "records", CONFIGS[config], messages)
        assert loaded(folder / "batches", CONFIGS[config], batches) == expected
        left = sorted((each.name, each.read_bytes()) for each in (folder / "files").iterdir())
        assert left == files  # as the SDK leaves them


@pytest.mark.parametrize("config", CONFIGS)
def test_parquet_is_loaded_as_records_are(tmp_path: Path, config: str) -> None:
    rows = [
        record(
            email=email,
            first_name=name,
            loyalty_points=number,
            address={"city": "Rome"},
            _sdc_deleted_at=mark,
        )
        for email, name, number, mark in (
            ("a@example.com", "Ada", 1.5, None),
            ("no", None, 2.0, None),
            ("b@example.com", "", float("nan"), ""),
            ("a@example.com", "É\r\n", None, None),
            ("c@example.com", "x" * 1001, 3.0, None),
            ("b@example.com", "Ben", 4.0, "2026-01-01T00:00:00Z"),
        )
    ]
    head, last = schema(properties=PROPERTIES), state({"row": 6})
    expected = loaded(tmp_path / "records", CONFIGS[config], [head, *rows, last])
    message = parquet_of(tmp_path / "people.parquet", rows)
    assert loaded(tmp_path / "batches", CONFIGS[config], [head, message, last]) == expected
    assert expected.status == 0
    assert expected.contents

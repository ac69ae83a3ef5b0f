"""Wild lines through a target in this process. `benchmarks/fuzz.py` takes a million of them."""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import WILD_VALUES, marked
from tests.support.target.fuzz_lines import (
    CANARY,
    ODD_DEFINITIONS,
    ODD_NAMES,
    SOUND_PROPERTIES,
    FuzzLines,
)
from tests.support.target.fuzzed_target import FuzzedTarget

NAMES = st.sampled_from([*SOUND_PROPERTIES, *ODD_NAMES])
SCHEMAS = st.dictionaries(NAMES, st.sampled_from(ODD_DEFINITIONS), max_size=3).map(
    lambda odd: {
        "type": "SCHEMA",
        "stream": "people",
        "schema": {"type": "object", "properties": {**SOUND_PROPERTIES, **odd}},
    }
)
VALUES = WILD_VALUES.map(lambda value: marked(value, CANARY))
RECORDS = st.dictionaries(NAMES, VALUES, max_size=6).map(
    lambda record: {
        "type": "RECORD",
        "stream": "people",
        "record": {"email": f"{CANARY}@example.com", **record},
    }
)
STATES = VALUES.map(lambda value: {"type": "STATE", "value": value})


@pytest.mark.parametrize("seed", [1, secrets.randbelow(2**32)], ids=["fixed", "fresh"])
def test_wild_lines_end_in_typed_errors_and_leak_nothing(tmp_path: Path, seed: int) -> None:
    wild = FuzzLines(seed)
    with FuzzedTarget(tmp_path, seed) as target:
        for _ in range(10_000):
            target.take(wild.line())
    assert target.findings == [], f"seed {seed}"
    assert target.outcomes["imported"] > 1000
    assert target.outcomes["collapsed"]
    assert target.outcomes["ended by DataError"]
    assert target.outcomes["ended by InvalidJSONSchema"]


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(SCHEMAS | RECORDS | RECORDS | RECORDS | STATES, min_size=1, max_size=8))
def test_wild_messages_end_in_typed_errors_and_leak_nothing(lines: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = FuzzedTarget(Path(folder), 0)
        with target:
            for line in lines:
                text = json.dumps(line, default=str)
                target.take(text.encode())
    assert target.findings == []


def test_what_is_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge itself: a value in a log record, a fault of ours, and a line that never ends."""
    target = FuzzedTarget(tmp_path, 0)

    def say(value: dict[str, Any]) -> None:
        assert target._target is not None
        kind = value["value"]
        if kind == CANARY:
            target._target.logger.debug("%s", kind)
        elif kind == "fault":
            raise KeyError(kind)
        while kind == "hang":
            pass

    monkeypatch.setattr(
        "target_dotdigital.target.TargetDotdigital._process_state_message",
        lambda _, message: say(message),
    )
    monkeypatch.setattr("tests.support.target.fuzzed_target.HANG_SECONDS", 0.1)
    with target:
        for kind in (CANARY, "fault", "hang"):
            target.take(json.dumps({"type": "STATE", "value": kind}).encode())
    told = "\n".join(target.findings)
    assert len(target.findings) == 3
    assert "a log record repeats a value" in told
    assert "KeyError leaves the target" in told
    assert "HangError leaves the target" in told
    assert CANARY not in told

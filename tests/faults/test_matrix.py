"""The table of faults in `docs/reliability.md` and the suite are in step."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from tests.faults.fault_case import FAULTS
from tests.support.target.command import REPOSITORY

TABLE_ROW = re.compile(r"^\| (F\d\d) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def test_every_fault_of_the_table_has_its_tests_and_the_other_way_round() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.faults.{path.stem}")
    text = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = {number: tests for number, _, _, tests in TABLE_ROW.findall(text)}
    assert list(table) == sorted(table)
    assert {f"F{number:02}" for number in range(1, 94)} == table.keys()
    told = {number: re.findall(r"`([^`]+)`", tests) for number, tests in table.items()}
    assert told == {number: sorted(set(tests)) for number, tests in sorted(FAULTS.items())}

"""The start: what a run imports before it reads, beside what the SDK imports itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {"username": "any", "password": "one", "api_url": "http://127.0.0.1:9"}
"""Nothing is called: no row comes."""

STARTED = """\
import gc, json, sys
sys.argv[0] = "target-dotdigital"
from target_dotdigital.__main__ import main

def note(phase, info):
    target = sys.modules.get("target_dotdigital.target")
    if phase == "start" and target is not None and not hasattr(target, "TargetDotdigital"):
        collected.append(info["generation"])

collected = []
gc.callbacks.append(note)
try:
    main()
finally:
    found = {
        "modules": sorted(sys.modules),
        "collected": collected,
        "frozen": gc.get_freeze_count(),
        "is_collecting": gc.isenabled(),
    }
    sys.stderr.write("\\n" + json.dumps(found))
"""

OPTIONAL = (
    "target_dotdigital.dry_run",
    "target_dotdigital.preflight",
    "target_dotdigital.report.arrivals",
    "target_dotdigital.report.charts",
    "target_dotdigital.report.page",
    "target_dotdigital.reruns",
    "target_dotdigital.sandbox",
    "target_dotdigital.verification",
)
"""What only some runs need, or `--test` alone."""


def started(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what the process holds in the end, which no message came to."""
    (folder / "config.json").write_text(json.dumps(SETTINGS))
    ended = subprocess.run(
        [sys.executable, "-c", STARTED, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ended.stderr.splitlines()[-1])
    return found


def packages_of(modules: list[str]) -> set[str]:
    """Return the packages that modules are of, without Python's own."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


def imported_by(statement: str) -> list[str]:
    """Return the modules that a statement leaves behind."""
    program = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules: list[str] = json.loads(told.stdout)
    return modules


START = pytest.mark.parametrize("arguments", [["--version"], ["--config", "config.json"]])


@START
def test_a_start_imports_two_libraries_beside_the_sdks(
    tmp_path: Path, arguments: list[str]
) -> None:
    modules = started(tmp_path, *arguments)["modules"]
    assert "target_dotdigital.run.run" in modules  # so these are those of a start
    more = packages_of(modules) - packages_of(imported_by("import singer_sdk.target_base"))
    assert more == {"jsonschema_rs", "msgspec", "target_dotdigital"}


@START
def test_a_start_imports_nothing_that_only_some_runs_need(
    tmp_path: Path, arguments: list[str]
) -> None:
    modules = started(tmp_path, *arguments)["modules"]
    assert [name for name in modules if name.startswith(OPTIONAL)] == []


def test_nothing_is_collected_while_modules_are_imported_and_they_are_never_walked(
    tmp_path: Path,
) -> None:
    found = started(tmp_path, "--config", "config.json")
    assert found["collected"] == []
    assert found["frozen"] > 10_000
    assert found["is_collecting"]

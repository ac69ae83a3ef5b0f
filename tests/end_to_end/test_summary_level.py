"""The summary is printed at the level of warnings, too; Rich is imported for a terminal alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.messages import rows, schema
from tests.support.target.command import TargetProcess, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, "INFO"),
        ({"LOGLEVEL": "info"}, "INFO"),
        ({"LOGLEVEL": "WARNING"}, "WARNING"),
        ({"TARGET_DOTDIGITAL_LOGLEVEL": "warning", "LOGLEVEL": "ERROR"}, "WARNING"),
        ({"MELTANO_CLI_LOG_LEVEL": "warning"}, "WARNING"),
        ({"TARGET_DOTDIGITAL_LOGLEVEL": "ERROR"}, None),
    ],
    ids=str,
)
def test_the_summary_is_printed_unless_only_errors_are(
    server: DotdigitalServer, tmp_path: Path, variables: dict[str, str], level: str | None
) -> None:
    with TargetProcess(settings_for(server), tmp_path, environment=variables) as target:
        target.send(schema(), *rows(["ann"]))
        ended = target.end()
    assert ended.status == 0
    lines = [line for line in ended.stderr.splitlines() if "Stream 'people': read 1" in line]
    assert [line.split("|")[1].strip() for line in lines] == ([] if level is None else [level])


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_what_shows_nothing_imports_no_rich(argument: str) -> None:
    program = (
        "import sys\n"
        "from target_dotdigital.__main__ import main\n"
        "try: main()\n"
        "finally: assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, argument], check=True, stdout=subprocess.DEVNULL)


def test_a_load_without_a_terminal_imports_no_rich(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    (tmp_path / "rich.py").write_text("raise AssertionError")
    variables = {"PYTHONPATH": str(tmp_path)}
    config = settings_for(server)
    with TargetProcess(config, tmp_path, environment=variables, fresh=True) as target:
        target.send(schema(), *rows(["ann"]))
        assert target.end().status == 0

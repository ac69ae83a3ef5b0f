"""The example of a fan-out in a copy of the repository: Dagster, on its local executor."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXAMPLE = REPOSITORY / "examples" / "dagster"

PATIENCE_SECONDS = 300
"""For a first run over a slow connection, on a machine that does other things too."""

NOT_OURS = ("TARGET_DOTDIGITAL_", "TAP_", "MELTANO_", "DAGSTER_", "VIRTUAL_ENV")
"""What variables begin with that a developer may have set, and that must not reach the runs."""

SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "DAGSTER_DISABLE_TELEMETRY": "1"}

LAUNCH = ("launch", "-f", "definitions.py", "--job", "load_customers")

_PROGRAMS = Path(sys.executable).parent
_PARTITION = re.compile(r"load\[(\d+)\]")


def run_config(partitions: Sequence[int]) -> str:
    """Return the run config that loads some of the partitions."""
    return json.dumps({"ops": {"fan_out": {"config": {"partitions": list(partitions)}}}})


def install_dagster(folder: Path) -> Path:
    """Install what the example asks for into an environment of its own.

    Args:
        folder: Where the environment is made.

    Returns:
        The folder of its programs.

    Raises:
        subprocess.CalledProcessError: The package index has not given it.
    """
    uv = [sys.executable, "-m", "uv"]
    requirements = EXAMPLE / "requirements.txt"
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [*uv, "pip", "install", "--quiet", "--python", str(folder), "-r", str(requirements)],
    ):
        subprocess.run(
            command,
            env={**os.environ, **SETTINGS},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    return folder / "bin"


@dataclass(frozen=True)
class Launch:
    """A run of Dagster's that has ended."""

    succeeded: bool
    failed_partitions: list[int]
    logs: str
    """What the runs of Meltano have printed, one after the other."""

    def state_ids(self) -> list[str]:
        """Return the IDs under which Meltano has kept bookmarks."""
        return sorted(re.findall(r"Running job with name '([^']+)'", self.logs))

    def summaries(self) -> dict[int, str]:
        """Return what the target of each partition said of its stream at its end."""
        found = re.findall(r"target-dotdigital-(\d+) (Stream '.*)", self.logs)
        return {int(partition): summary for partition, summary in found}

    def imports(self) -> dict[int, set[str]]:
        """Return the IDs of each partition's imports."""
        ids: dict[int, set[str]] = {}
        for partition, import_id in re.findall(
            r"target-dotdigital-(\d+) Import (\S+): \d+ contacts", self.logs
        ):
            ids.setdefault(int(partition), set()).add(import_id)
        return ids


class FanOut:
    """The example as a clone of the repository has it."""

    def __init__(self, clone: Path, dagster: Path, sandbox_url: str) -> None:
        for name in ("target_dotdigital", "examples"):
            ignored = shutil.ignore_patterns("__pycache__", ".meltano", "output")
            shutil.copytree(REPOSITORY / name, clone / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(REPOSITORY / name, clone / name)
        self.folder = clone / "examples" / "dagster"
        self._dagster = dagster
        self._sandbox_url = sandbox_url

    def make_customers(self, customers: int) -> None:
        """Write the source, with the example's own script."""
        self._run([sys.executable, "make_customers.py", f"--customers={customers}"], check=True)

    def launch(self, partitions: Sequence[int] | None = None, **variables: str) -> Launch:
        """Run the job, all its partitions or some."""
        command = [str(self._dagster / "dg"), *LAUNCH]
        if partitions is not None:
            command += ["--config-json", run_config(partitions)]
        earlier = self._events()
        ended = self._run(command, variables)
        # Dagster's own records: side by side, processes break each other's lines in what it prints.
        started = self._events() - earlier
        assert len(started) == 1, ended.stdout + ended.stderr
        (events,) = started
        with closing(sqlite3.connect(events)) as connection:
            failed = [
                _PARTITION.fullmatch(step)
                for (step,) in connection.execute(
                    "SELECT step_key FROM event_logs WHERE dagster_event_type = 'STEP_FAILURE'"
                )
            ]
        captured = (self.folder / "storage" / events.stem / "compute_logs").glob("*.err")
        return Launch(
            ended.returncode == 0,
            [int(step[1]) for step in failed if step],
            "".join(file.read_text(encoding="utf-8") for file in captured),
        )

    def _events(self) -> set[Path]:
        return {
            file for file in (self.folder / "history" / "runs").glob("*.db") if file.stem != "index"
        }

    def _run(
        self,
        command: list[str],
        variables: Mapping[str, str] = MappingProxyType({}),
        *,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(NOT_OURS)}
        return subprocess.run(
            command,
            cwd=self.folder,
            env={
                **kept,
                **SETTINGS,
                "PATH": os.pathsep.join([str(_PROGRAMS), os.environ["PATH"]]),
                "DAGSTER_HOME": str(self.folder),
                "TARGET_DOTDIGITAL_API_URL": self._sandbox_url,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=check,
        )

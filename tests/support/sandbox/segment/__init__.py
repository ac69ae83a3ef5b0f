"""Segment's destinations for Dotdigital, which Dotdigital keeps, run by Node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
SCRIPT = HERE / "destinations.js"
DEADLINE_SECONDS = 90


class Segment:
    """Calls to the destinations that were installed in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, settings: Mapping[str, str], *steps: Mapping[str, Any]) -> list[Any]:
        """Carry out steps one after the other and return the result of each.

        Args:
            settings: The account: `api_host`, `username`, `password`.
            steps: The `destination`, the `call` that is made of it, and its arguments.
        """
        done = subprocess.run(
            ["node", str(SCRIPT), str(self._folder)],  # noqa: S607 - where PATH has it
            input=json.dumps({"settings": settings, "steps": steps}),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results: list[Any] = json.loads(done.stdout)
        return results

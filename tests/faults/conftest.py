"""The bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.bench import Bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import DotdigitalServer


@pytest.fixture
def bench(server: DotdigitalServer, tmp_path: Path) -> Bench:
    return Bench(server, tmp_path)

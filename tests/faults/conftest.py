"""The bench."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.faults.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


@pytest.fixture
def bench(server: DotdigitalServer, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(server, tmp_path, stack)

"""The account and the folder of a fault."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.faults.fault_case import FaultCase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


@pytest.fixture
def case(server: DotdigitalServer, tmp_path: Path) -> Iterator[FaultCase]:
    with ExitStack() as stack:
        yield FaultCase(server, tmp_path, stack)

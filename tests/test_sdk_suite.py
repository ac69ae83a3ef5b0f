"""The SDK's standard tests, against a plain server and against the embedded sandbox.

Most of their streams hold no e-mail address and are left out with a warning, so they show that
the target takes whatever a tap may send. What arrives at Dotdigital is for the other tests.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import SuiteConfig, get_target_test_class
from singer_sdk.testing.runners import TargetTestRunner

from target_dotdigital.target import TargetDotdigital
from tests.command import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import DotdigitalServer


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Take back the signals that every target in this process takes."""
    taken = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in taken.items():
        signal.signal(number, handler)


def runner_with(**config: object) -> TargetTestRunner:
    return TargetTestRunner(
        target_class=TargetDotdigital,
        config=config,
        suite_config=SuiteConfig(),
        parse_env_config=False,
    )


class TestAgainstAServer(get_target_test_class(TargetDotdigital)):  # type: ignore[misc]
    @pytest.fixture
    def runner(self, server: DotdigitalServer) -> TargetTestRunner:
        return runner_with(**settings_for(server))


class TestAgainstTheSandbox(get_target_test_class(TargetDotdigital)):  # type: ignore[misc]
    @pytest.fixture
    def runner(self, tmp_path: Path) -> TargetTestRunner:
        return runner_with(sandbox_path=str(tmp_path / "sandbox.db"), address_book="Customers")

"""The SDK's standard tests, against a plain server and against the embedded sandbox.

Their streams hold no e-mail address, and a run that loads nothing fails. So a stream map gives one
to each row: the tests show that the target takes whatever a tap may send. What arrives at
Dotdigital is for the other tests.

One test is left out: it wants a record without the tap's key to end the run. Here such a record is
one row's fault: it is rejected, or counted as skipped if its stream is not loaded.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_target_test_class
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import TargetRecordMissingKeyProperty

from target_dotdigital.target import TargetDotdigital
from tests.support.target.command import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from singer_sdk.testing.templates import TargetTestTemplate

    from tests.support.dotdigital.server import DotdigitalServer


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Take back the signals that every target in this process takes."""
    taken = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in taken.items():
        signal.signal(number, handler)


LEFT_OUT = (TargetRecordMissingKeyProperty,)

WITH_ADDRESS: dict[str, Any] = {"stream_maps": {"*": {"email": "'ann@example.com'"}}}


def suite_without(*tests: type[TargetTestTemplate]) -> type[Any]:
    """Return the standard tests without some of them."""
    kept = [test for test in target_tests.tests if test not in tests]
    assert len(kept) == len(target_tests.tests) - len(tests)
    suite = SingerTestSuite(kind="target", tests=kept)
    return get_target_test_class(
        TargetDotdigital, custom_suites=[suite], include_target_tests=False
    )


def runner_with(**config: object) -> TargetTestRunner:
    return TargetTestRunner(
        target_class=TargetDotdigital,
        config=config,
        suite_config=SuiteConfig(),
        parse_env_config=False,
    )


class TestAgainstAServer(suite_without(*LEFT_OUT)):  # type: ignore[misc]
    @pytest.fixture
    def runner(self, server: DotdigitalServer) -> TargetTestRunner:
        return runner_with(**settings_for(server), **WITH_ADDRESS)


class TestAgainstTheSandbox(suite_without(*LEFT_OUT)):  # type: ignore[misc]
    @pytest.fixture
    def runner(self, tmp_path: Path) -> TargetTestRunner:
        return runner_with(
            sandbox_path=str(tmp_path / "sandbox.db"), address_book="Customers", **WITH_ADDRESS
        )

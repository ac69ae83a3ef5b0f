"""docs/performance.md says what its tables' script computes, and that is what the limits allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs import scaling_tables as scaling
from target_dotdigital.sandbox.imports import MAXIMUM_ACTIVE_IMPORTS
from target_dotdigital.settings.schema import CONFIG_SCHEMA


def test_the_page_has_the_tables_of_the_script() -> None:
    page = scaling.PAGE.read_text(encoding="utf-8")
    assert scaling.with_tables(page) == page


def test_a_page_without_a_tables_marks_is_refused() -> None:
    page = scaling.PAGE.read_text(encoding="utf-8").replace("<!-- /taps -->\n", "")
    with pytest.raises(ValueError, match="'taps'"):
        scaling.with_tables(page)


def test_the_tables_are_of_the_defaults() -> None:
    properties = CONFIG_SCHEMA["properties"]
    assert properties["batch_size_rows"]["default"] == scaling.DEFAULT_BATCH
    assert properties["max_active_imports"]["default"] == scaling.DEFAULT_ACTIVE
    assert scaling.ACCOUNT_SLOTS == MAXIMUM_ACTIVE_IMPORTS


def test_a_basic_account_takes_so_many_calls() -> None:
    assert scaling.rows_a_day_by_tier(10_000) == 35 * 60 * 24 * 10_000
    assert scaling.rows_a_day_by_tier(10_000, 36) - scaling.rows_a_day_by_tier(10_000) == 14_400_000


@given(batch=st.integers(1, 50_000), calls=st.integers(2, 200))
def test_the_older_limit_is_never_passed(batch: int, calls: int) -> None:
    imports = scaling.rows_a_day_by_flat_limit(batch, calls) / batch
    assert imports * calls <= 2_000 * 24 < (imports + 1) * calls


@given(tap=st.integers(1, 100_000), account=st.floats(1, 100_000))
def test_no_run_is_added_that_the_account_cannot_keep_up_with(tap: int, account: float) -> None:
    runs = scaling.runs_that_help(tap, account)
    assert 1 <= runs <= 20
    assert (runs - 1) * tap < account
    assert runs == 20 or runs * tap >= account


@given(batch=st.integers(1, 50_000), size=st.integers(1, 5_000), runs=st.integers(1, 20))
def test_runs_that_share_the_imports_share_their_memory(batch: int, size: int, runs: int) -> None:
    together = runs * (20 // runs) * batch * size
    assert together <= scaling.active_import_bytes(batch, size)

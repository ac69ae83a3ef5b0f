"""Pages of a large account are read from an index, in its order, and not sorted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox.api.v2.contacts import changes, member_replies
from target_dotdigital.sandbox.insight_data import records
from target_dotdigital.sandbox.storage import Store

if TYPE_CHECKING:
    from pathlib import Path

STATEMENTS = {
    "modified in a list": changes._MODIFIED_IN_LIST,
    "opt-outs": changes._REMOVED,
    "members": member_replies._PAGE_OF_LIST,
    "members of a segment": member_replies._PAGE_OF_SEGMENT,
    "records": records._PAGE,
    "records of a contact": records._PAGE_OF_CONTACT,
    "first records": records._DELETE_FIRST,
    "first records of a contact": records._DELETE_FIRST_OF_CONTACT,
}


def plan_of(database: Path, statement: str) -> list[str]:
    store = Store(database)
    try:
        with store.reading() as connection:
            parameters = dict.fromkeys(re.findall(r":(\w+)", statement), 1)
            values = parameters or (1,) * statement.count("?")
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            return [row["detail"] for row in rows]
    finally:
        store.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_page_is_searched_for_and_not_sorted(database: Path, name: str) -> None:
    plan = plan_of(database, STATEMENTS[name])
    assert plan[0].startswith("SEARCH"), plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_records_of_a_contact_are_not_looked_for_in_the_whole_collection(
    database: Path,
) -> None:
    for name in ("records of a contact", "first records of a contact"):
        plan = plan_of(database, STATEMENTS[name])
        assert any("contact_id=?" in step for step in plan), plan

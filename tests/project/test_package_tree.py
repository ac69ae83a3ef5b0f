"""docs/design.md and CONTRIBUTING.md show the packages and files that are there."""

from __future__ import annotations

import pytest

from tests.support.package_tree import ORDER, PACKAGE, PAGES, tree, with_tree
from tests.support.target.command import REPOSITORY


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_the_tree_as_it_is(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert tree(with_files=PAGES[name]) in text
    assert text == with_tree(name), "run `uv run python -m tests.support.generated_docs`"


def test_every_package_and_every_file_is_in_the_tree() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == set(ORDER)
    shown = tree(with_files=True)
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py" and "sandbox" not in path.relative_to(PACKAGE).parts:
            assert path.name in shown, path

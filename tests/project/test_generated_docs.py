"""What the pages show of the code is as the code has it, and can be read where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.generated_docs.__main__ import written
from tests.support.generated_docs.blocks import BLOCKS, MARK, blocks, pages, with_blocks
from tests.support.generated_docs.messages import messages
from tests.support.generated_docs.settings import example
from tests.support.settings_files import stream_settings, top_level_settings
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

DIRECTIVE = re.compile(r"^ *(?:```|:::)+\{(.+?)\}", re.MULTILINE)
NAVIGATION = {"toctree"}
"""What the site's own menu is made of."""

IN_WORDS = {
    *("AbandonedError", "ConfigValidationError", "LackingError", "NotFoundError"),
    *("RequestTooLargeError", "TargetDotdigitalError", "UsageError"),
}
"""What has no message that ends a run as it is; the page tells of it in a sentence."""


def shown() -> list[tuple[str, str]]:
    return [block for page in pages() for block in blocks(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("path", "text"),
    written().items(),
    ids=[str(each.relative_to(REPOSITORY)) for each in written()],
)
def test_a_file_is_as_it_is_written_from_the_code(path: Path, text: str) -> None:
    now = path.read_text(encoding="utf-8")
    assert now == text, "run `uv run python -m tests.support.generated_docs`"


def test_the_tests_read_the_pages_that_have_blocks() -> None:
    assert {name for name, _ in shown()} == BLOCKS.keys()


def test_what_is_out_of_step_is_put_right() -> None:
    page = REPOSITORY / "docs" / "reference" / "settings.md"
    text = page.read_text(encoding="utf-8")
    old = text.replace("Contacts in one import at most.", "Contacts: at most.")
    assert old != text
    assert with_blocks(old) == text


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_mark_is_one_of_a_block(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(MARK.findall(text)) == 2 * len(blocks(text))


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_nothing_is_empty_where_no_site_is_built(page: Path) -> None:
    assert set(DIRECTIVE.findall(page.read_text(encoding="utf-8"))) <= NAVIGATION


def test_every_message_is_on_a_page() -> None:
    told = {about for name, about in shown() if name == "messages"}
    assert {kind for kind in messages() if not kind.startswith("_")} - told - IN_WORDS == set()


@pytest.mark.parametrize("of", ["", "stream"])
def test_every_setting_has_an_example_that_sets_it(of: str) -> None:
    for setting in stream_settings() if of else top_level_settings():
        if not setting.is_secret:
            shown = example(setting.name, of)
            parts = shown["streams"].values() if of else [shown]
            assert any(setting.name in part for part in parts)

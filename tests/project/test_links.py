"""Links of the repository's Markdown lead to files and headings that are there."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"``.+?``|`[^`\n]+`")
OUTSIDE = re.compile(r"[a-z]+:")


def pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split() if (REPOSITORY / name).is_file())


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    found = LINK.findall(CODE.sub("", prose(path)))
    return [link for pair in found for link in pair if link and not OUTSIDE.match(link)]


@cache
def anchors(path: Path) -> set[str]:
    """Return what a code host lets a link to a page end with."""
    text = prose(path)
    found: set[str] = set(NAMED.findall(text))
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


@pytest.mark.parametrize("name", pages())
def test_links_lead_somewhere(name: str) -> None:
    page = REPOSITORY / name
    for link in links(page):
        place, _, anchor = unquote(link).partition("#")
        path = (page.parent / place).resolve() if place else page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path), link


def test_links_are_found() -> None:
    # The test above is worth nothing otherwise.
    assert {"docs/quick-start.md", "docs/images/report-dark.png"} <= set(
        links(REPOSITORY / "README.md")
    )
    assert "the-sandbox" in anchors(REPOSITORY / "README.md")
    assert "merge_option-of-a-stream" in anchors(REPOSITORY / "docs/reference/settings.md")

"""CONTRIBUTING.md and its neighbours lead to what is there."""

from __future__ import annotations

import re
from typing import Final

import pytest

from target_dotdigital.settings import schema, settings
from tests.support.settings_files import FILES
from tests.support.target.command import REPOSITORY

PAGES: Final = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    ".github/pull_request_template.md",
)
DISTRIBUTIONS: Final = {"lint-imports": "import-linter", "sphinx-build": "sphinx"}
"""Where a command comes from, if its distribution has another name."""
MADE_HERE: Final = {"output/", "dist/"}
"""What a command makes, and is not in the repository."""

_PATH = re.compile(
    r"`(\.?[\w-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|yml|toml|json)|/run)|\.[\w/.]+|Dockerfile)`"
)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
_COMMAND = re.compile(r"`uv run ([a-z-]+)")


def page(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def paths_in(text: str) -> list[str]:
    return [*_PATH.findall(text), *_LINK.findall(text)]


@pytest.mark.parametrize("name", PAGES)
def test_every_path_is_there(name: str) -> None:
    for path in paths_in(page(name)):
        if path not in MADE_HERE:
            assert (REPOSITORY / path).exists(), path


def test_the_paths_are_found() -> None:
    # The test above is worth nothing otherwise.
    found = set(paths_in(page("CONTRIBUTING.md")))
    assert {
        *(".ci/run", ".env.example", ".github/workflows/", "CHANGELOG.md", "Dockerfile"),
        *(
            "docs/reliability.md",
            "hub/target-dotdigital.yml",
            "target_dotdigital/run/run.py",
            "tox.toml",
        ),
    } <= found


def test_every_command_can_be_run() -> None:
    dev = page("pyproject.toml")
    for program in set(_COMMAND.findall(page("CONTRIBUTING.md"))) - {"python"}:
        assert re.search(rf'"{DISTRIBUTIONS.get(program, program)}[~>]=', dev), program


def test_it_leads_from_a_setting_to_where_it_is_defined_checked_documented_and_tested() -> None:
    (section,) = re.findall(
        r"^## Add a setting\n(.*?)^## ", page("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL
    )
    named = set(paths_in(section))
    for module in ("schema", "settings", "problems", "streams"):
        assert f"target_dotdigital/settings/{module}.py" in named
    assert set(FILES) <= named
    assert {
        "tests/settings/test_settings.py",
        "tests/settings/test_settings_environment.py",
    } <= named
    assert "`uv run python -m tests.support.generated_docs`" in section
    for name in re.findall(r"`([A-Z]\w+(?:_\w+)?)`", section):
        assert hasattr(schema, name) or hasattr(settings, name), name

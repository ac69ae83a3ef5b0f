"""Recipes in Markdown: their settings, and their commands run as they would be pasted.

A fenced block after `<!-- run -->` is a command, and must succeed; after `<!-- run, fails -->` it
must not. The block after the `<!-- prints -->` that follows is what it must print, line by line and
in this order, `…` standing for anything. After `<!-- step: NAME -->` stands one of the commands
with which a newcomer begins; `tests/project/test_meltano.py` runs them. After
`<!-- project: NAME -->` stand commands of a project of one's own, which
`tests/project/test_own_project.py` runs.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.projects.shell_commands import Shell
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECTION = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^<!-- run(, fails)? -->\n```shell\n(.*?)^```\n\n<!-- prints -->\n```\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_STEP = re.compile(r"^<!-- step: ([a-z]+) -->\n```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP_MARK = re.compile(r"^<!-- step.*-->$", re.MULTILINE)
_PROJECT = re.compile(
    r"^( *)<!-- project: ([a-z]+) -->\n\1```shell\n(.*?)^\1```$", re.MULTILINE | re.DOTALL
)
_PROJECT_MARK = re.compile(r"^ *<!-- project.*-->$", re.MULTILINE)
_MARK = re.compile(r"^<!-- (?:run.*|prints) -->$", re.MULTILINE)
_CONFIG_FILE = re.compile(r"examples/recipes/[a-z-]+\.json")
_LOG_LINE = re.compile(r"\S+ \S+ \| [A-Z]+ +\| \S+ +\| (.*)")
_SUMMARY = re.compile(r"Stream '[^']+': read ")


@dataclass(frozen=True)
class Command:
    """What is pasted, and what comes of it."""

    text: str
    fails: bool
    prints: list[str]


@dataclass(frozen=True)
class Recipe:
    """A section of a page with commands in it."""

    page: str
    title: str
    configs: list[dict[str, Any]]
    """The loader's configuration, of each `yaml` block."""
    config_files: list[str]
    """The files that the commands name, each once."""
    commands: list[Command] = field(repr=False)

    @override
    def __str__(self) -> str:
        return f"{self.page}: {self.title}"


def sections(page: str) -> Iterator[tuple[str, str]]:
    """Yield the headings of a page, each with the text below it."""
    _, *parts = _SECTION.split((REPOSITORY / page).read_text(encoding="utf-8"))
    yield from zip(parts[::2], parts[1::2], strict=True)


def steps(page: str) -> dict[str, str]:
    """Return the commands of a page with which a newcomer begins, by their names."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    found = _STEP.findall(text)
    assert len(found) == len(_STEP_MARK.findall(text)), f"{page}: a step without its block"
    return dict(found)


def project_commands(page: str) -> dict[str, str]:
    """Return the commands of a page for a project of one's own, by their names."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    found = _PROJECT.findall(text)
    assert len(found) == len(_PROJECT_MARK.findall(text)), f"{page}: a mark without its block"
    return {name: dedent(commands) for _, name, commands in found}


def fragments(text: str) -> list[dict[str, Any]]:
    """Return what is in the `yaml` blocks of a text."""
    return [yaml.safe_load(block) for block in _YAML.findall(text)]


def recipes(page: str) -> list[Recipe]:
    """Return the recipes of a page."""
    found = []
    for title, text in sections(page):
        commands = [
            Command(command, bool(fails), prints.splitlines())
            for fails, command, prints in _COMMAND.findall(text)
        ]
        assert len(_MARK.findall(text)) == 2 * len(commands), f"{title}: a mark without its block"
        if not commands:
            continue
        configs = [loader["config"] for each in fragments(text) for loader in each["loaders"]]
        files = dict.fromkeys(
            file for command in commands for file in _CONFIG_FILE.findall(command.text)
        )
        found.append(Recipe(page, title, configs, list(files), commands))
    return found


def config_in(file: str) -> dict[str, Any]:
    """Return the configuration that is in a file of the repository."""
    config: dict[str, Any] = json.loads((REPOSITORY / file).read_text(encoding="utf-8"))
    return config


class Clone:
    """What a recipe needs of a clone of the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(REPOSITORY / "examples" / "recipes", folder / "examples" / "recipes")
        (folder / "output").mkdir()  # as the recipes before it have left it
        self._shell = Shell(folder)

    def paste(self, command: Command) -> None:
        """Run a command, and compare its end and what it prints with what is promised."""
        ended = self._shell.paste(command.text)
        assert ended.returncode == int(command.fails), ended.stderr
        logged = [
            found[1] for line in ended.stderr.splitlines() if (found := _LOG_LINE.match(line))
        ]
        self._compare([*logged, *ended.stdout.splitlines()], command.prints)

    @staticmethod
    def _compare(told: list[str], promised: list[str]) -> None:
        assert promised
        left = iter(told)
        for line in promised:
            pattern = re.compile(".+".join(map(re.escape, line.split("…"))))
            assert any(pattern.fullmatch(each) for each in left), (line, told)
        # Every stream's summary is among them, so that none is left out unseen.
        assert [line for line in told if _SUMMARY.match(line)] == [
            line for line in promised if _SUMMARY.match(line)
        ]

    def account(self, database: str) -> AccountContents:
        """Return what is in a sandbox's file."""
        with (
            EmbeddedSandbox(self.folder / database) as sandbox,
            SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
        ):
            names = {book["id"]: book["name"] for book in client.get("/v2/address-books").json()}
            parameters: dict[str, str | int] = {
                "data-fields": "[[ALL]]",
                "include": "channelProperties|lists|preferences|consentRecords",
                "limit": 5_000,
            }
            people = client.get("/contacts/v3", **parameters).json()["_items"]
            fields = {each["name"]: each["type"] for each in client.get("/v2/data-fields").json()}
        return AccountContents(
            {
                person["identifiers"]["email"].partition("@example.org")[0]: person
                for person in people
            },
            sorted(names.values()),
            fields,
        )


@dataclass(frozen=True)
class AccountContents:
    """All that is known of contacts, by what is before `@example.org` in their address."""

    people: dict[str, dict[str, Any]]
    address_books: list[str]
    field_types: dict[str, str]

    def members(self, address_book: str) -> set[str]:
        """Return who is in an address book."""
        assert address_book in self.address_books
        return {
            name
            for name, person in self.people.items()
            if address_book in {each["name"] for each in person.get("lists", ())}
        }

    def statuses(self) -> dict[str, str]:
        """Return the status of everybody's e-mail channel."""
        return {
            name: person["channelProperties"]["email"]["status"]
            for name, person in self.people.items()
        }

    def fields(self, name: str) -> dict[str, Any]:
        """Return somebody's data fields that are not empty."""
        return {
            field: value
            for field, value in self.people[name]["dataFields"].items()
            if value is not None
        }

"""The workflows on GitHub: sound, pinned, and with no more rights than they need."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.target.command import REPOSITORY

GITHUB: Final = REPOSITORY / ".github"
WORKFLOWS: Final = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS: Final = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))

PINNED = re.compile(r"- uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

WRITES: Final = {("release.yml", "publish"): {"id-token": "write"}}
"""The one job that may do more than read, and what."""

per_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def workflow(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def check(program: str, *arguments: str | Path) -> None:
    """Run a checker, which must find nothing."""
    checked = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def check_schema(name: str, *paths: Path) -> None:
    check("check-jsonschema", "--builtin-schema", name, *paths)


def test_zizmor_finds_nothing() -> None:
    check("zizmor", "--offline", "--pedantic", "--quiet", GITHUB)


@pytest.mark.parametrize(
    "rule", ["vendor.github-workflows", "custom.github-workflows-require-timeout"]
)
def test_workflows_are_workflows(rule: str) -> None:
    check_schema(rule, *WORKFLOWS)


def test_dependabot_reads_its_settings() -> None:
    check_schema("vendor.dependabot", GITHUB / "dependabot.yml")


@per_workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert PINNED.fullmatch(line), line


def test_an_action_is_of_one_release_everywhere() -> None:
    used = {
        line.strip()
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if "uses:" in line
    }
    names = [line.partition("@")[0] for line in used]
    assert len(set(names)) == len(names), used
    versions = {workflow(path)["env"]["UV_VERSION"] for path in WORKFLOWS}
    assert len(versions) == 1


@per_workflow
def test_a_job_has_the_rights_that_it_needs(path: Path) -> None:
    loaded = workflow(path)
    assert loaded["permissions"] == {}
    for name, job in loaded["jobs"].items():
        assert job["permissions"] == WRITES.get((path.name, name), {"contents": "read"}), name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


@per_workflow
def test_runs_do_not_pile_up(path: Path) -> None:
    loaded = workflow(path)
    assert "github.ref" in loaded["concurrency"]["group"]
    assert loaded["defaults"]["run"]["shell"] == "bash"


def test_every_supported_python_is_tested() -> None:
    prefix = "Programming Language :: Python :: 3."
    classifiers = metadata("target-dotdigital").get_all("Classifier") or []
    supported = [each.rpartition(" ")[2] for each in classifiers if each.startswith(prefix)]
    tests = workflow(GITHUB / "workflows" / "ci.yml")["jobs"]["test"]
    assert tests["strategy"]["matrix"]["python"] == supported
    tox = (REPOSITORY / "tox.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^env_list = \[(.*)\]$", tox, re.MULTILINE)
    assert re.findall(r'"(3\.\d+)"', listed) == supported


def test_nothing_but_a_tag_publishes() -> None:
    release = workflow(GITHUB / "workflows" / "release.yml")
    (triggers,) = (release[key] for key in release if key in {"on", True})  # YAML 1.1 reads `on` so
    assert triggers == {"push": {"tags": ["v[0-9]*"]}}
    publish = release["jobs"]["publish"]
    assert publish["needs"] == "build"
    assert publish["environment"]["name"] == "pypi"
    # What is published is what was tested: nothing is checked out or built there.
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in (GITHUB / "workflows" / "release.yml").read_text()


def test_issue_forms_are_forms() -> None:
    forms = [path for path in FORMS if path.name != "config.yml"]
    assert forms
    check_schema("vendor.github-issue-forms", *forms)
    check_schema("vendor.github-issue-config", GITHUB / "ISSUE_TEMPLATE" / "config.yml")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_no_form_asks_for_people_or_secrets(path: Path) -> None:
    if path.name == "config.yml":
        assert workflow(path)["blank_issues_enabled"] is False
        return
    (warning, *fields) = workflow(path)["body"]
    assert warning["type"] == "markdown"
    assert "made-up" in warning["attributes"]["value"]
    consents = [field for field in fields if field["type"] == "checkboxes"]
    assert any(
        option["required"] for field in consents for option in field["attributes"]["options"]
    )

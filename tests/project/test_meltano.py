"""The example as the README has it, for real: its three commands, as a newcomer pastes them.

Meltano installs the tap and the target from the package index into environments of their own, once
for this file.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import needs_browser, started
from tests.support.projects.meltano import Project
from tests.support.projects.recipes import steps
from tests.support.projects.shell_commands import free_port
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.projects.meltano import Contents

FIELDS = ("FIRSTNAME", "LASTNAME", "POSTCODE")
STEPS = steps("README.md")
REPORT = "output/report.html"

LOADED = (
    "Stream 'customers': read 200 = imported 189 + rejected 6 + collapsed 5 + skipped 0; "
    "rejected by code: identifier.invalid 5, identifier.missing 1"
)
NOTHING_NEW = "Stream 'customers': read 0 = imported 0 + rejected 0 + collapsed 0 + skipped 0"


@dataclass(frozen=True)
class Load:
    output: str
    contents: Contents

    @property
    def summaries(self) -> list[str]:
        return re.findall(r"Stream '.*", self.output)


@dataclass(frozen=True)
class Loads:
    project: Project
    first: Load
    second: Load


def load(project: Project) -> Load:
    """Load the example by the first of the README's commands, and look at what it leaves."""
    ended = project.shell.paste(STEPS["load"])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Load(ended.stdout + ended.stderr, project.address_book("Customers", FIELDS))


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Loads:
    project = Project.copy_to(tmp_path_factory.mktemp("project"))
    return Loads(project, first=load(project), second=load(project))


def customers() -> list[dict[str, Any]]:
    lines = (REPOSITORY / "examples" / "customers.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def address_of(customer: dict[str, Any]) -> str | None:
    """Return a customer's e-mail address as Dotdigital keeps it, None if there is no valid one."""
    address = (customer["email"] or "").strip().lower()
    return address if re.fullmatch(r"[^@\s.]+(\.[^@\s.]+)*@(\w+\.)+\w+", address) else None


def mapped_fields(customer: dict[str, Any]) -> dict[str, Any]:
    address = customer["address"] or {}
    values = (customer["first_name"], customer["last_name"], address.get("postcode"))
    # A null clears the field, and Dotdigital leaves out what is empty.
    return {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}


def test_the_valid_customers_are_in_the_address_book(loads: Loads) -> None:
    # Of those who come twice, the last row counts.
    expected = {
        address: mapped_fields(customer)
        for customer in customers()
        if (address := address_of(customer))
    }
    assert len(expected) == 189
    assert loads.first.contents == expected


def test_the_summary_tells_what_became_of_the_rows(loads: Loads) -> None:
    assert loads.first.summaries == [LOADED]


def test_a_second_run_sends_nothing_again(loads: Loads) -> None:
    assert loads.second.summaries == [NOTHING_NEW]
    assert "Import " in loads.first.output
    assert "Import " not in loads.second.output


def test_tap_jsonl_alone_would_send_everything_again(loads: Loads) -> None:
    # When this fails, tap-jsonl minds its bookmark, and examples/tap-jsonl-resuming can go.
    project = loads.project
    told = project.meltano("state", "get", "sandbox:tap-jsonl-to-target-dotdigital").stdout
    state, config = project.folder / "state.json", project.folder / "tap.json"
    state.write_text(json.dumps(json.loads(told)["singer_state"]))
    config.write_text(json.dumps({"path": "examples/customers.jsonl", "stream_name": "customers"}))
    arguments = ("--config", str(config), "--state", str(state))
    records = []
    for name in ("tap-jsonl", "tap-jsonl-resuming"):
        sent = project.run(project.program("extractors", "tap-jsonl", name), *arguments).stdout
        records.append(sum(json.loads(line)["type"] == "RECORD" for line in sent.splitlines()))
    assert records == [200, 0]


def test_a_second_run_leaves_the_contents_as_they_are(loads: Loads) -> None:
    assert loads.second.contents == loads.first.contents


def test_the_rejected_rows_can_be_looked_at(loads: Loads) -> None:
    lines = (loads.project.folder / "output" / "rejects.singer").read_text(encoding="utf-8")
    messages = [json.loads(line) for line in lines.splitlines()]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    codes = {record["id"]: record["_sdc_reject_code"] for record in records}
    assert codes == {
        customer["id"]: "identifier.invalid" if customer["email"] else "identifier.missing"
        for customer in customers()
        if address_of(customer) is None
    }


def test_what_happened_can_be_looked_at(loads: Loads) -> None:
    page = (loads.project.folder / "output" / "report.html").read_text(encoding="utf-8")
    # Of the first run: the later one had nothing to do, and left the page as it was.
    assert "189" in page
    assert "No row was read." not in page


def test_a_good_run_sounds_like_one(loads: Loads) -> None:
    # `meltano config test` takes a run with these words in it for a failed one.
    for load in (loads.first, loads.second):
        words = [
            line for line in load.output.splitlines() if re.search("(?i)error|exception", line)
        ]
        assert words == []


def test_the_plugins_run_on_the_same_python(loads: Loads) -> None:
    for kind, plugin in (("extractors", "tap-jsonl"), ("loaders", "target-dotdigital")):
        python = loads.project.program(kind, plugin, "python")
        assert python.resolve() == Path(sys.executable).resolve()


def test_production_takes_everything_of_an_account_from_the_environment(
    loads: Loads, server: DotdigitalServer
) -> None:
    ended = loads.project.meltano(
        *("--environment=production", "run", "tap-jsonl", "target-dotdigital"),
        TAP_JSONL_PATH="examples/customers.jsonl",
        TARGET_DOTDIGITAL_USERNAME=server.username,
        TARGET_DOTDIGITAL_PASSWORD=server.password,
        TARGET_DOTDIGITAL_API_URL=server.url,
        TARGET_DOTDIGITAL_ADDRESS_BOOK="102",
    )
    assert LOADED in ended.stderr
    assert server.password not in ended.stdout + ended.stderr
    arrived = server.contents()
    assert all(contact["lists"] == [102] for contact in arrived.values())
    assert loads.first.contents == {
        address: contact["data_fields"] for address, contact in arrived.items()
    }


def test_the_readme_shows_this_summary() -> None:
    assert LOADED in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_meltano_prints_the_configuration(loads: Loads) -> None:
    printed = loads.project.meltano(
        "--environment=sandbox", "config", "print", "target-dotdigital"
    ).stdout
    config = json.loads(printed)
    assert config["address_book"] == "Customers"
    assert config["batch_size_rows"] == 10_000
    assert config["streams"]["customers"]["fields"] == {
        "FIRSTNAME": "first_name",
        "LASTNAME": "last_name",
        "POSTCODE": "address.postcode",
    }


def test_meltano_shows_what_the_target_is(loads: Loads) -> None:
    about = loads.project.meltano("invoke", "target-dotdigital", "--about", "--format=markdown")
    assert "# `target-dotdigital`" in about.stdout
    assert "| password |" in about.stdout


# A newcomer's three commands: the first one is what `loads` begins with.


def test_a_newcomer_needs_three_commands() -> None:
    assert [*STEPS] == ["load", "report", "page"]
    for text in STEPS.values():
        assert len(text.splitlines()) == 1


def test_the_quick_start_has_the_commands_of_the_readme() -> None:
    assert steps("docs/quick-start.md") == STEPS
    assert LOADED in (REPOSITORY / "docs" / "quick-start.md").read_text(encoding="utf-8")


def test_the_second_command_shows_the_report(loads: Loads) -> None:
    folder = loads.project.folder
    program, seen = folder / "browser", folder / "seen"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >"{seen}"\n')
    program.chmod(0o755)
    ended = loads.project.shell.paste(STEPS["report"], BROWSER=f"{program} %s")
    assert ended.returncode == 0, ended.stderr
    assert seen.read_text() == f"file://{folder}/{REPORT}"
    assert "target-dotdigital" in (folder / REPORT).read_text(encoding="utf-8")


@needs_browser
def test_the_third_command_shows_the_people(loads: Loads) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with loads.project.shell.started(f"{STEPS['page'].rstrip()} --port {port}") as serving:
        assert serving.stdout is not None
        # It says where it is as soon as it can be opened.
        assert url in serving.stdout.readline()
        with started() as browser:
            browser.open(f"{url}/#/address-books")
            browser.until(lambda: browser.all("tbody tr"), "address books")
            (row,) = (row for row in browser.texts("tbody tr") if row.startswith("Customers"))
            assert "189" in row
            assert browser.console() == []

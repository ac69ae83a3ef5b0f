"""A project of one's own, as the quick start has it: its commands, pasted one after the other.

The project is empty, and lies beside a clone. Meltano installs the target from the clone, as the
definition in hub/ says, and the taps from the package index.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.projects.meltano import SETTINGS, Project
from tests.support.projects.recipes import project_commands
from tests.support.projects.shell_commands import Shell, free_port
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from tests.support.projects.meltano import Contents

PAGE = "docs/quick-start.md"
COMMANDS = {**project_commands(PAGE), **project_commands("docs/verify.md")}
BESIDE = "target-dotdigital"
ADDRESS_BOOK = "Spring segment"
NAMED = ("FIRSTNAME", "POSTCODE")
CHOSEN = (*NAMED, "LOYALTY_POINTS")


@dataclass
class OwnProject:
    """The project, and what each of the page's commands has printed in it."""

    project: Project
    printed: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Contents] = field(default_factory=dict)

    def paste(self, name: str, fields: tuple[str, ...] = ()) -> None:
        """Run commands, which must succeed, and look at what has arrived."""
        ended = self.project.shell.paste(COMMANDS[name])
        assert ended.returncode == 0, ended.stdout + ended.stderr
        self.printed[name] = ended.stdout + ended.stderr
        if fields:
            self.contents[name] = self.project.address_book(ADDRESS_BOOK, fields)

    def summaries(self, name: str) -> list[str]:
        return re.findall(r"Stream '.*", self.printed[name])

    def loader(self) -> dict[str, Any]:
        meltano = yaml.safe_load((self.project.folder / "meltano.yml").read_text(encoding="utf-8"))
        (only,) = meltano["plugins"]["loaders"]
        assert isinstance(only, dict)
        return only


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnProject:
    folder = tmp_path_factory.mktemp("work")
    (folder / BESIDE).mkdir()
    Project.copy_to(folder / BESIDE)
    added = Shell(folder, **SETTINGS).paste(COMMANDS["add"])
    assert added.returncode == 0, added.stdout + added.stderr
    own = OwnProject(Project(folder / "my-project"))
    own.paste("file")
    own.paste("settings")
    own.paste("load", NAMED)
    own.paste("replay", NAMED)
    own.paste("fields", CHOSEN)
    own.paste("verify", CHOSEN)
    own.paste("mirror", NAMED)
    undo = sorted((own.project.folder / "output").glob("leavers.*.singer"))
    ended = own.project.meltano("invoke", "target-dotdigital", "--undo", str(undo[-1]))
    own.printed["undo"] = ended.stdout + ended.stderr
    own.contents["undo"] = own.project.address_book(ADDRESS_BOOK, NAMED)
    return own


def test_the_page_has_commands_for_all_of_it() -> None:
    assert [*COMMANDS] == [
        *("add", "file", "settings", "load", "replay", "fields", "mirror", "page"),
        *("database", "account", "schedule", "verify"),
    ]


def test_the_check_the_rehearsal_and_the_load_say_what_they_do(own: OwnProject) -> None:
    check, _, rest = own.printed["load"].partition("Nothing was written to Dotdigital.")
    assert "Rejects file: output/rejects.singer can be written" in check
    assert "Plan of a dry run." in rest
    page = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    for name in ("load", "replay"):
        (summary,) = own.summaries(name)
        assert f"```\n{summary}\n```" in page


def test_the_people_of_the_file_have_arrived(own: OwnProject) -> None:
    assert own.contents["load"] == {
        "ada@example.org": {"FIRSTNAME": "Ada", "POSTCODE": "N1 9GU"},
        "ben@example.org": {"FIRSTNAME": "Ben", "POSTCODE": "M1 2AB"},
    }
    assert (own.project.folder / "output" / "report.html").is_file()


def test_the_repaired_row_has_arrived(own: OwnProject) -> None:
    repaired = {"cleo@example.org": {"FIRSTNAME": "Cleo", "POSTCODE": "SW1A 1AA"}}
    assert own.contents["replay"] == {**own.contents["load"], **repaired}
    assert (
        "Replay of output/repaired.singer: loads 1 row of stream 'people'" in own.printed["replay"]
    )
    output = own.project.folder / "output"
    assert not (output / "repaired.singer").exists()
    assert len([*output.glob("repaired.singer.*.replayed")]) == 1


def test_everyone_is_proved_to_be_there_and_the_load_s_report_stays(own: OwnProject) -> None:
    assert "All 3 contacts are in Dotdigital as the stream has them." in own.printed["verify"]
    assert own.contents["verify"] == own.contents["fields"]
    told = json.loads((own.project.folder / "output" / "report.verify.json").read_text())
    assert (told["status"], told["totals"]["as_it_should_be"]) == ("succeeded", 3)


def test_whom_the_mirror_took_out_is_put_back(own: OwnProject) -> None:
    assert set(own.contents["undo"]) - set(own.contents["mirror"]) == {"ben@example.org"}
    assert "read 1 = imported 1 + rejected 0" in own.printed["undo"]


def test_the_chosen_data_field_is_filled(own: OwnProject) -> None:
    (summary,) = own.summaries("fields")
    assert summary.startswith("Stream 'people': read 3 = imported 3 ")
    filled = {address: row["LOYALTY_POINTS"] for address, row in own.contents["fields"].items()}
    assert filled == {"ada@example.org": "40", "ben@example.org": "0", "cleo@example.org": "7"}


def test_the_mirror_lets_people_leave(own: OwnProject) -> None:
    assert set(own.contents["mirror"]) == {"ada@example.org", "cleo@example.org"}


def test_the_sandbox_can_be_looked_at(own: OwnProject) -> None:
    port = free_port()
    with own.project.shell.started(f"{COMMANDS['page'].rstrip()} --port {port}") as serving:
        assert serving.stdout is not None
        url = f"http://127.0.0.1:{port}"
        assert any(url in line for line in serving.stdout)
        with SandboxClient(url) as client:
            names = {book["name"] for book in client.get("/v2/address-books").json()}
    assert ADDRESS_BOOK in names


def test_a_database_an_account_and_a_schedule_can_be_set(own: OwnProject) -> None:
    copy = own.project.folder.with_name("of-an-account")
    shutil.copytree(own.project.folder, copy, symlinks=True, ignore=without_environments)
    account = OwnProject(Project(copy))
    for name in ("database", "account", "schedule"):
        account.paste(name)
    config = account.loader()["config"]
    assert "sandbox_path" not in config
    assert config["username"].startswith("apiuser-")
    assert config["address_book"] == ADDRESS_BOOK
    listed = account.project.meltano("schedule", "list").stdout
    assert "[40 3 * * *] job every-night: spring-segment" in listed


def without_environments(folder: str, names: list[str]) -> set[str]:
    """Return what is left out of a copy: the plugins' environments, which cannot be moved."""
    del folder
    return {"venv"} & set(names)


def test_meltano_has_the_definition_as_the_hub_will_have_it(own: OwnProject) -> None:
    text = (REPOSITORY / "hub" / "target-dotdigital.yml").read_text(encoding="utf-8")
    definition = yaml.safe_load(text)
    loader = own.loader()
    for key in ("pip_url", "executable", "capabilities", "commands", "settings"):
        assert loader[key] == definition[key], key


def test_the_readme_has_the_same_command() -> None:
    command = f"meltano add {BESIDE} --from-ref ../{BESIDE}/hub/target-dotdigital.yml"
    for page in ("README.md", PAGE, "docs/install.md"):
        assert command in (REPOSITORY / page).read_text(encoding="utf-8"), page


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").split()) <= 1_200

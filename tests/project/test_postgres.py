"""examples/postgres for real: PostgreSQL, the tap, Meltano, the target and the sandbox.

Meltano installs the plugins once for this file. It takes about a minute of one core.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.projects.meltano import MELTANO, Project
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.projects.meltano import Contents

EXAMPLE = REPOSITORY / "examples" / "postgres"

REQUIRED_VARIABLES = ("CI", "POSTGRES_REQUIRED")
"""With one of these set, a machine without PostgreSQL fails the tests; else they are skipped."""

NEWSLETTER = "Newsletter"
NEWSLETTER_FIELDS = {
    "FIRSTNAME": "first_name",
    "LASTNAME": "last_name",
    "POSTCODE": "postcode",
    "BORN": "born",
    "SUBSCRIBED_SINCE": "newsletter_since",
}
VIP = "VIP customers"
VIP_FIELDS = {
    "FIRSTNAME": "first_name",
    "LASTNAME": "last_name",
    "POINTS": "points",
    "SPENT": "spent",
}

LEFT_NEWSLETTER = {152, 201}
DELETED = {146, 147, 148, 149, 151}

BREAKS_OFF = {
    "marketing-segments": {"custom_where_clauses": ["segment = 'vip'", "1 / (id - 357) <> 7"]}
}
"""Rows that PostgreSQL can read until it comes to the last of them."""

Customers = dict[int, dict[str, Any]]
"""The table `customers`, by ID."""


@dataclass(frozen=True)
class Step:
    """What is in the table, and what a load of it has left."""

    customers: Customers
    output: str
    newsletter: Contents
    vip: Contents

    @property
    def summaries(self) -> list[str]:
        return re.findall(r"Stream '.*", self.output)

    def customers_of(self, wanted: Callable[[dict[str, Any]], bool]) -> set[str]:
        return {row["email"] for row in self.customers.values() if wanted(row)}


@dataclass(frozen=True)
class Shop:
    """The example in a copy of the repository, its database started."""

    project: Project
    port: int

    def meltano(self, *arguments: str, **variables: str) -> str:
        """Run Meltano, which must succeed, and return all that it prints."""
        ended = self.project.meltano(*arguments, TAP_POSTGRES_PORT=str(self.port), **variables)
        return ended.stdout + ended.stderr

    def database(self, *arguments: str) -> str:
        return self.project.run(
            "./database.sh", *arguments, TAP_POSTGRES_PORT=str(self.port)
        ).stdout

    def step(self) -> Step:
        """Load both segments, and look at everything."""
        output = self.meltano("run", "load-newsletter", "load-vip")
        rows = json.loads(self.database("psql", "-At", "-c", "SELECT json_agg(c) FROM customers c"))
        return Step(
            {row["id"]: row for row in rows},
            output,
            self.project.address_book(NEWSLETTER, [*NEWSLETTER_FIELDS]),
            self.project.address_book(VIP, [*VIP_FIELDS]),
        )

    def bookmark(self) -> dict[str, Any]:
        """Return that of the incremental load, as Meltano keeps it."""
        name = "sandbox:tap-newsletter-to-target-newsletter"
        told = json.loads(self.project.meltano("state", "get", name).stdout)
        bookmark: dict[str, Any] = told["singer_state"]["bookmarks"]["marketing-segments"]
        return bookmark


@dataclass(frozen=True)
class Steps:
    shop: Shop
    first: Step
    updated: Step
    deleted: Step
    first_bookmark: dict[str, Any]
    last_bookmark: dict[str, Any]


def require_postgres() -> None:
    if shutil.which("initdb") or [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]:
        return
    reason = "PostgreSQL is not installed (apt-get install postgresql)"
    if any(os.environ.get(name) for name in REQUIRED_VARIABLES):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    require_postgres()
    clone = Project.copy_to(tmp_path)
    shop = Shop(Project(clone.folder / "examples" / "postgres"), free_port())
    shop.database("start")
    try:
        yield shop
    finally:
        shop.database("stop")


def take_steps(shop: Shop) -> Steps:
    first = shop.step()
    first_bookmark = shop.bookmark()
    shop.database("run", "update.sql")
    updated = shop.step()
    shop.database("run", "delete.sql")
    deleted = shop.step()
    return Steps(shop, first, updated, deleted, first_bookmark, shop.bookmark())


def has_newsletter(row: dict[str, Any]) -> bool:
    return row["newsletter_since"] is not None and row["newsletter_until"] is None


def is_vip(row: dict[str, Any]) -> bool:
    return has_newsletter(row) and row["points"] >= 1000


def arrived(row: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """Return a customer's data fields as Dotdigital gives them back: those that are not empty."""
    values = {field: row[column] for field, column in fields.items()}
    for field in {"BORN", "SUBSCRIBED_SINCE"} & values.keys():
        moment = datetime.fromisoformat(values[field])
        zone = moment.tzinfo or timezone.utc
        utc = moment.replace(tzinfo=zone).astimezone(timezone.utc)
        values[field] = f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    return {field: value for field, value in values.items() if value is not None}


def contents(customers: Customers, fields: dict[str, str]) -> Contents:
    return {row["email"]: arrived(row, fields) for row in customers.values()}


def the_first_load_brings_both_segments(steps: Steps) -> None:
    first = steps.first
    assert len(first.customers) == 500
    assert first.newsletter == contents(
        {key: row for key, row in first.customers.items() if has_newsletter(row)},
        NEWSLETTER_FIELDS,
    )
    assert first.vip == contents(
        {key: row for key, row in first.customers.items() if is_vip(row)}, VIP_FIELDS
    )
    assert len(first.newsletter) == 400
    assert all({"POINTS", "SPENT", "FIRSTNAME"} <= fields.keys() for fields in first.vip.values())


def the_update_is_of_ten_customers(steps: Steps) -> None:
    before, after = steps.first.customers, steps.updated.customers
    assert len([key for key in before if before[key] != after[key]]) == 10


def a_second_load_reads_what_has_changed(steps: Steps) -> None:
    # Beside the ten, the row with the time of the bookmark comes once more.
    assert [line.partition(" = ")[0] for line in steps.updated.summaries] == [
        "Stream 'newsletter': read 11",
        f"Stream 'vip': read {len(steps.updated.vip)}",
    ]
    assert steps.deleted.summaries[0].startswith("Stream 'newsletter': read 1 = ")


def the_bookmark_is_the_time_of_the_last_row(steps: Steps) -> None:
    for step, bookmark in (
        (steps.first, steps.first_bookmark),
        (steps.deleted, steps.last_bookmark),
    ):
        last = max(row["updated_at"] for row in step.customers.values() if row["newsletter_since"])
        assert bookmark["replication_key"] == "updated_at"
        kept = datetime.fromisoformat(bookmark["replication_key_value"])
        assert kept == datetime.fromisoformat(last)
    assert steps.first_bookmark != steps.last_bookmark


def an_update_arrives_in_both_address_books(steps: Steps) -> None:
    customers = steps.updated.customers
    assert steps.updated.newsletter == contents(
        {key: row for key, row in customers.items() if has_newsletter(row)}, NEWSLETTER_FIELDS
    )
    assert steps.updated.vip == contents(
        {key: row for key, row in customers.items() if is_vip(row)}, VIP_FIELDS
    )
    left = {customers[key]["email"] for key in LEFT_NEWSLETTER}
    assert steps.first.newsletter.keys() - steps.updated.newsletter.keys() == left
    assert len(steps.updated.vip.keys() - steps.first.vip.keys()) == 3
    assert len(steps.first.vip.keys() - steps.updated.vip.keys()) == 2


def who_is_deleted_leaves_the_mirrored_address_book(steps: Steps) -> None:
    deleted = steps.updated.customers.keys() - steps.deleted.customers.keys()
    assert deleted == DELETED
    emails = {steps.updated.customers[key]["email"] for key in deleted}
    assert steps.updated.vip.keys() - steps.deleted.vip.keys() == emails
    assert steps.deleted.vip == contents(
        {key: row for key, row in steps.deleted.customers.items() if is_vip(row)}, VIP_FIELDS
    )
    # A row that is gone tells an incremental load nothing.
    assert steps.deleted.newsletter == steps.updated.newsletter
    assert emails <= steps.deleted.newsletter.keys()


def nothing_is_rejected_or_goes_wrong(steps: Steps) -> None:
    output = steps.shop.project.folder / "output"
    assert not [*output.glob("*.rejects.singer")]
    for step in (steps.first, steps.updated, steps.deleted):
        assert all("rejected 0" in line for line in step.summaries)
        assert not re.search(r"\[(error|critical) *\]|\[warning *\] target", step.output)


def the_readme_shows_what_is_printed(steps: Steps) -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^(?:Stream|Mirror) .*", readme, re.MULTILINE)
    printed = re.findall(
        r"(?:Stream '|Mirror .*(?: stay|: removed)).*",
        "".join(step.output for step in (steps.first, steps.updated, steps.deleted)),
    )
    assert len(shown) == len(printed) == 9
    for line, told in zip(shown, printed, strict=True):
        assert re.fullmatch(".+".join(map(re.escape, line.split("…"))), told), (line, told)
    schedules = steps.shop.project.meltano("schedule", "list").stdout
    assert schedules.strip() in readme


def a_tap_that_breaks_off_takes_nobody_out_of_the_mirror(steps: Steps) -> None:
    project = steps.shop.project
    ended = project.attempt(
        *(MELTANO, "run", "load-vip"),
        TAP_POSTGRES_PORT=str(steps.shop.port),
        TAP_VIP_STREAM_OPTIONS=json.dumps(BREAKS_OFF),
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert re.search(r"Stream 'vip': read [1-9]", output), output
    assert "the tap did not mark the end of its load" in output
    assert project.address_book(VIP, [*VIP_FIELDS]) == steps.deleted.vip


def meltano_knows_the_schedules(steps: Steps) -> None:
    told = steps.shop.project.meltano("schedule", "list", "--format=json").stdout
    schedules = json.loads(told)["schedules"]["job"]
    assert {each["name"]: each["job"]["tasks"] for each in schedules} == {
        "newsletter-every-quarter-hour": ["tap-newsletter target-newsletter"],
        "vip-every-night": ["tap-vip target-vip"],
    }


def meltano_finds_the_configuration_valid(steps: Steps) -> None:
    told = steps.shop.meltano("--environment=sandbox", "config", "test", "tap-newsletter")
    assert "Plugin configuration is valid" in told


def production_takes_database_and_account_from_the_environment(
    steps: Steps, server: DotdigitalServer
) -> None:
    told = steps.shop.meltano(
        "--environment=production",
        *("schedule", "run", "newsletter-every-quarter-hour"),
        TAP_POSTGRES_HOST="127.0.0.1",
        TAP_POSTGRES_DATABASE="shop",
        TAP_POSTGRES_USER="meltano",
        TAP_POSTGRES_PASSWORD="made-up",
        TARGET_DOTDIGITAL_USERNAME=server.username,
        TARGET_DOTDIGITAL_PASSWORD=server.password,
        TARGET_DOTDIGITAL_API_URL=server.url,
        TARGET_DOTDIGITAL_CREATE_ADDRESS_BOOK="true",
        TARGET_DOTDIGITAL_CREATE_DATA_FIELDS="true",
    )
    # A state of its own: what the sandbox has is not taken for what the account has.
    assert "Stream 'newsletter': read 395 = imported 393" in told
    assert server.password not in told
    assert server.contents().keys() == {
        row["email"] for row in steps.deleted.customers.values() if has_newsletter(row)
    }


def test_two_segments_follow_the_database(shop: Shop, server: DotdigitalServer) -> None:
    # One test, so that one worker installs and loads everything once.
    steps = take_steps(shop)
    the_first_load_brings_both_segments(steps)
    the_update_is_of_ten_customers(steps)
    a_second_load_reads_what_has_changed(steps)
    the_bookmark_is_the_time_of_the_last_row(steps)
    an_update_arrives_in_both_address_books(steps)
    who_is_deleted_leaves_the_mirrored_address_book(steps)
    nothing_is_rejected_or_goes_wrong(steps)
    the_readme_shows_what_is_printed(steps)
    a_tap_that_breaks_off_takes_nobody_out_of_the_mirror(steps)
    meltano_knows_the_schedules(steps)
    meltano_finds_the_configuration_valid(steps)
    production_takes_database_and_account_from_the_environment(steps, server)


# Without a database.


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((EXAMPLE / "meltano.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_loader_is_defined_as_in_the_repository(example: dict[str, Any]) -> None:
    text = (REPOSITORY / "meltano.yml").read_text(encoding="utf-8")
    (original,) = yaml.safe_load(text)["plugins"]["loaders"]
    loader = example["plugins"]["loaders"][0]
    assert loader["pip_url"] == "-e ../..[sandbox]"
    assert "config" not in loader  # it would be that of both that inherit from it
    ours = {"pip_url", "config"}
    assert {name: each for name, each in loader.items() if name not in ours} == {
        name: each for name, each in original.items() if name not in ours
    }


def test_nothing_in_production_is_made_up(example: dict[str, Any]) -> None:
    (production,) = (each for each in example["environments"] if each["name"] == "production")
    assert production == {"name": "production"}
    configs = [each.get("config", {}) for each in example["plugins"]["loaders"]]
    names = {name for config in configs for name in config}
    assert names == {"streams", "rejects_path"}


@pytest.mark.parametrize("schema", ["vendor.meltano", "meltano's own"])
def test_meltanos_schemas_accept_the_project(schema: str) -> None:
    with as_file(files("meltano") / "schemas" / "meltano.schema.json") as own:
        chosen = ["--schemafile", str(own)] if "own" in schema else ["--builtin-schema", schema]
        checked = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *chosen, "meltano.yml"],
            cwd=EXAMPLE,
            capture_output=True,
            text=True,
            check=False,
        )
    assert checked.returncode == 0, checked.stdout + checked.stderr

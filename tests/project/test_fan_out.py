"""A load that is fanned out over Meltano runs, as `examples/dagster` does it with Dagster."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.projects.fan_out import EXAMPLE, LAUNCH, FanOut, install_dagster, run_config
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 4
ACTIVE_IMPORTS = 20
CUSTOMERS = 2_000
BATCH = "50"
"""Ten imports a partition."""

ROUTE = "PUT /contacts/v3/import"
FULL_QUEUE = {"errorCode": "contacts:tooManyActiveImports", "description": "Wait"}
RATE_LIMIT = {
    "X-RateLimit-Limit": "35",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": "1",
    "X-RateLimit-Scope": "lowCallRate",
}


@pytest.fixture(scope="session")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's programs; it is no dependency of the project's."""
    try:
        return install_dagster(tmp_path_factory.mktemp("dagster") / "venv")
    except subprocess.CalledProcessError as error:
        reason = f"Dagster cannot be installed: {error.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def members(client: SandboxClient) -> dict[str, dict[str, Any]]:
    """Return the contacts of the address book, by their e-mail address."""
    books = client.get("/v2/address-books").json()
    # Four runs have created it when they started together, and it is there once.
    (list_id,) = (book["id"] for book in books if book["name"] == "Everybody")
    found = client.members(list_id)
    by_address = {member["identifiers"]["email"]: member for member in found}
    assert len(by_address) == len(found)
    return by_address


def customers_of(fan_out: FanOut, partition: int) -> set[str]:
    """Return the addresses that are in a partition of the source."""
    file = fan_out.folder / "output" / "customers" / f"partition={partition}" / "customers.jsonl"
    return set(re.findall(r"customer\.\d+@example\.org", file.read_text(encoding="utf-8")))


def most_active(client: SandboxClient, import_ids: set[str]) -> int:
    """Return how many of these imports were active at a time."""
    shown = client.get("/sandbox/page/imports").json()
    imports = [each for each in shown if each["id"] in import_ids]
    assert len(imports) == len(import_ids)
    steps = [(each["accepted"], 1) for each in imports]
    steps += [(each["finished"], -1) for each in imports if each["finished"]]
    return max(itertools.accumulate(step for _, step in sorted(steps)))


def test_a_fan_out_shares_the_account_and_a_failed_partition_runs_again_alone(
    dagster: Path, tmp_path: Path
) -> None:
    with (
        # An import of 50 takes two seconds, so that those of all runs meet.
        SandboxCommand(tmp_path / "sandbox.db", "--slots=25", "--pace=25") as sandbox,
        SandboxClient(sandbox.url) as client,
    ):
        fan_out = FanOut(tmp_path / "clone", dagster, sandbox.url)
        fan_out.make_customers(CUSTOMERS)
        partitions = {number: customers_of(fan_out, number) for number in range(PARTITIONS)}
        everybody = set().union(*partitions.values())
        assert len(everybody) == CUSTOMERS == sum(map(len, partitions.values()))
        # The account is busy, then its call limit is reached; later, one run is turned away.
        for fault in (
            {"status": 429, "body": FULL_QUEUE, "times": 4},
            {"status": 429, "headers": RATE_LIMIT, "times": 4, "skip": 4},
            {"status": 401, "skip": 16},
        ):
            armed = client.call(
                "POST", "/sandbox/faults", json={"route": ROUTE, "kind": "answer", **fault}
            )
            assert armed.status_code in {200, 201}, armed.text

        first = fan_out.launch(TARGET_DOTDIGITAL_BATCH_SIZE_ROWS=BATCH)

        assert client.get("/sandbox/faults").json() == []
        assert not first.succeeded
        assert len(first.failed_partitions) == 1, first.logs
        (failed,) = first.failed_partitions
        state_ids = [
            f"sandbox:tap-customers-{number}-to-target-dotdigital-{number}:{number}-of-{PARTITIONS}"
            for number in range(PARTITIONS)
        ]
        assert first.state_ids() == state_ids
        before = members(client)
        assert everybody - before.keys()
        assert everybody - before.keys() <= partitions[failed]
        for number, part in partitions.items():
            if number != failed:
                assert first.summaries()[number] == (
                    f"Stream 'customers': read {len(part)} = imported {len(part)} + rejected 0"
                    " + collapsed 0 + skipped 0"
                )
        # A run alone takes 20, so that all ten of its imports would be active together.
        for import_ids in first.imports().values():
            assert most_active(client, import_ids) <= ACTIVE_IMPORTS // PARTITIONS

        again = fan_out.launch([failed], TARGET_DOTDIGITAL_BATCH_SIZE_ROWS=BATCH)

        assert again.succeeded, again.logs
        assert again.state_ids() == [state_ids[failed]]
        count = len(partitions[failed])
        assert again.summaries() == {
            failed: f"Stream 'customers': read {count} = imported {count} + rejected 0"
            " + collapsed 0 + skipped 0"
        }
        after = members(client)
        assert after.keys() == everybody
        others = everybody - partitions[failed]
        # Also the time of their last update.
        assert {each: after[each] for each in others} == {each: before[each] for each in others}


def test_each_partition_has_a_tap_and_a_target_of_its_own() -> None:
    # Runs that share a plugin's name share the file in which Meltano hands over the bookmark.
    project = yaml.safe_load((EXAMPLE / "meltano.yml").read_text(encoding="utf-8"))
    for kind, name in (("extractors", "tap-customers"), ("loaders", "target-dotdigital")):
        parent, *runs = project["plugins"][kind]
        assert parent["name"] == name
        assert runs == [
            {"name": f"{name}-{number}", "inherit_from": name} for number in range(PARTITIONS)
        ]
    source = (EXAMPLE / "definitions.py").read_text(encoding="utf-8")
    assert f"\nPARTITIONS = {PARTITIONS}\n" in source
    assert f"\nACTIVE_IMPORTS = {ACTIVE_IMPORTS}\n" in source


def test_the_examples_page_has_the_commands_that_are_tested() -> None:
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert page.count(f"dg {' '.join(LAUNCH)}") == 2
    assert f"--config-json '{run_config([2])}'" in page

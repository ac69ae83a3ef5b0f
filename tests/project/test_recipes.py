"""What the README and the documentation mark as runnable works when it is pasted."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.settings.problems import problems
from target_dotdigital.target import TargetDotdigital
from tests.support.projects.recipes import Clone, Recipe, config_in, fragments, recipes, sections
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.projects.recipes import AccountContents

PAGES = (
    "README.md",
    *sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "docs").rglob("*.md")),
)
RECIPES = [recipe for page in PAGES for recipe in recipes(page)]
ONLY_TO_TRY = {"sandbox_path"}
"""What an example's file has beside the settings in the page."""

Promise = Callable[[Clone], None]
PROMISES: dict[str, tuple[Promise, ...]] = {}
"""What has to be true after each command, by the page and the heading of the recipe."""


def promise(title: str, page: str = "docs/audiences.md") -> Callable[[Promise], Promise]:
    """Note what has to be true after the next command of a recipe."""
    recipe = f"{page}: {title}"

    def note(check: Promise) -> Promise:
        PROMISES[recipe] = (*PROMISES.get(recipe, ()), check)
        return check

    return note


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_recipe_does_what_it_promises(recipe: Recipe, tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    checks = PROMISES[str(recipe)]
    assert len(checks) == len(recipe.commands)
    for command, check in zip(recipe.commands, checks, strict=True):
        clone.paste(command)
        check(clone)


def test_every_promise_is_one_of_a_recipe() -> None:
    assert set(PROMISES) == {str(recipe) for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_the_example_files_have_the_settings_of_the_page(recipe: Recipe) -> None:
    assert len(recipe.config_files) == len(recipe.configs)
    for file, shown in zip(recipe.config_files, recipe.configs, strict=True):
        config = config_in(file)
        assert config.keys() >= ONLY_TO_TRY
        assert config["sandbox_path"].startswith("output/")
        left_out = ONLY_TO_TRY - shown.keys()
        assert shown == {name: each for name, each in config.items() if name not in left_out}


def test_every_example_file_belongs_to_a_recipe() -> None:
    files = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "examples" / "recipes").iterdir()
    }
    assert files == {file for recipe in RECIPES for file in recipe.config_files}


def fragments_of_pages() -> list[Any]:
    found = []
    for page in PAGES:
        for title, text in sections(page):
            for number, fragment in enumerate(fragments(text)):
                found.append(pytest.param(fragment, id=f"{page}: {title} {number}"))
    return found


@pytest.mark.parametrize("fragment", fragments_of_pages())
def test_the_settings_in_the_pages_are_accepted(fragment: dict[str, Any]) -> None:
    loaders = fragment.get("loaders", [{"name": "target-dotdigital", "config": fragment}])
    for loader in loaders:
        assert loader.keys() == {"name", "config"}
        assert loader["name"] == "target-dotdigital"
        config = {"username": "any", "password": "one", **loader["config"]}
        schema = TargetDotdigital.config_jsonschema
        TargetDotdigital.append_builtin_config(schema)
        assert config.keys() <= schema["properties"].keys()
        defaults = {
            name: each["default"]
            for name, each in schema["properties"].items()
            if "default" in each
        }
        assert problems({**defaults, **config}, schema) == []


# What the recipes promise, command by command.


@promise("Proof of arrival", page="docs/verify.md")
def two_of_three_are_loaded(clone: Clone) -> None:
    assert clone.account("output/proof.db").members("Customers") == {"ada", "ben"}


@promise("Proof of arrival", page="docs/verify.md")
def nothing_is_written(clone: Clone) -> None:
    two_of_three_are_loaded(clone)
    assert (clone.folder / "output" / "proof" / "rejects.singer").exists()


@promise("Proof of arrival", page="docs/verify.md")
def the_third_is_loaded(clone: Clone) -> None:
    assert clone.account("output/proof.db").members("Customers") == {"ada", "ben", "cleo"}
    assert not (clone.folder / "output" / "proof" / "rejects.singer").exists()


@promise("Proof of arrival", page="docs/verify.md")
def all_are_there(clone: Clone) -> None:
    assert clone.account("output/proof.db").members("Customers") == {"ada", "ben", "cleo"}
    found = json.loads((clone.folder / "output" / "proof" / "report.verify.json").read_text())
    assert found["status"] == "succeeded"
    assert found["totals"]["as_it_should_be"] == 3


@promise("Segment sync")
def segment_is_loaded(clone: Clone) -> None:
    account = clone.account("output/segment-sync.db")
    assert account.members("Spring segment") == set(account.people) == {"ada", "ben"}
    assert account.fields("ada") == {"FIRSTNAME": "Ada", "POSTCODE": "N1 9GU", "LOYALTY_POINTS": 55}
    assert account.fields("ben") == {"FIRSTNAME": "Ben", "LOYALTY_POINTS": 0}
    assert account.field_types["LOYALTY_POINTS"] == "Numeric"
    assert set(account.statuses().values()) == {"subscribed"}
    rejects = clone.folder / "output" / "segment-sync.rejects.singer"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    rows = [json.loads(line)["record"] for line in rejects.read_text().splitlines()[1:]]
    assert [row["id"] for row in rows] == [3]


def check_mirror(clone: Clone, members: set[str], undo_files: int) -> None:
    account = clone.account("output/full-mirror.db")
    assert account.members("Club members") == members
    # Whoever has left is still there, as before.
    everybody = {"ada": "Ada", "ben": "Ben", "cleo": "Cleo", "dee": "Dee"}
    assert account.statuses() == dict.fromkeys(everybody, "subscribed")
    assert {name: account.fields(name) for name in account.people} == {
        name: {"FIRSTNAME": first_name} for name, first_name in everybody.items()
    }
    assert len([*(clone.folder / "output" / "full-mirror").glob("leavers.*.singer")]) == undo_files


@promise("Full mirror")
def everybody_has_come(clone: Clone) -> None:
    check_mirror(clone, {"ada", "ben", "cleo", "dee"}, undo_files=0)


@promise("Full mirror")
def one_has_left(clone: Clone) -> None:
    check_mirror(clone, {"ada", "ben", "cleo"}, undo_files=1)


@promise("Full mirror")
def nobody_has_left_a_mirror_that_lost_too_much(clone: Clone) -> None:
    check_mirror(clone, {"ada", "ben", "cleo"}, undo_files=1)


@promise("Full mirror")
def who_left_is_back(clone: Clone) -> None:
    check_mirror(clone, {"ada", "ben", "cleo", "dee"}, undo_files=1)


@promise("Deletes from change data capture")
def deleted_rows_have_left_the_address_book(clone: Clone) -> None:
    account = clone.account("output/deletes-remove.db")
    assert account.members("Customers") == {"ada", "cleo"}
    assert account.statuses() == dict.fromkeys(("ada", "ben", "cleo"), "subscribed")
    assert account.fields("ben") == {"FIRSTNAME": "Ben"}


@promise("Deletes from change data capture")
def deleted_rows_have_left_the_account(clone: Clone) -> None:
    account = clone.account("output/deletes-delete.db")
    assert account.members("Customers") == set(account.people) == {"ada"}


def opt_in_types(account: AccountContents) -> dict[str, str]:
    return {
        name: person["channelProperties"]["email"]["optInType"].lower()
        for name, person in account.people.items()
    }


@promise("Double opt-in")
def who_has_confirmed_is_subscribed(clone: Clone) -> None:
    account = clone.account("output/opt-in.db")
    assert account.members("Newsletter") == {"ada"}
    assert account.statuses() == {"ada": "subscribed"}
    assert opt_in_types(account) == {"ada": "double"}


@promise("Double opt-in")
def who_is_asked_is_pending(clone: Clone) -> None:
    account = clone.account("output/opt-in.db")
    assert account.statuses() == {"ada": "subscribed", "ben": "pendingOptIn"}
    assert opt_in_types(account) == {"ada": "double", "ben": "verifieddouble"}


@promise("Turn it on", "docs/only-changes.md")
def everybody_is_sent_at_first(clone: Clone) -> None:
    account = clone.account("output/only-changes.db")
    assert account.members("Customers") == {"ada", "ben"}
    file = clone.folder / "output" / "only-changes.fingerprints"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"ada" not in file.read_bytes()


@promise("Turn it on", "docs/only-changes.md")
def who_has_changed_is_sent(clone: Clone) -> None:
    account = clone.account("output/only-changes.db")
    assert account.fields("ada") == {"FIRSTNAME": "Ada"}
    assert account.fields("ben") == {"FIRSTNAME": "Benedict"}


@promise("Opt-outs")
def who_has_opted_out_is_unsubscribed(clone: Clone) -> None:
    account = clone.account("output/opt-outs.db")
    assert account.members("Newsletter") == {"ada", "ben"}
    assert account.statuses() == {"ada": "subscribed", "ben": "unsubscribed"}


@promise("A list of opt-outs alone")
def who_is_unknown_and_has_opted_out_is_not_created(clone: Clone) -> None:
    assert set(clone.account("output/opt-outs-alone.db").people) == set()


@promise("Consent and preferences")
def choices_and_proofs_are_kept(clone: Clone) -> None:
    account = clone.account("output/consent.db")
    assert account.members("Newsletter") == set(account.people) == {"ada", "ben"}
    preferences = {
        name: {each["id"]: each["isOptedIn"] for each in person.get("preferences", ())}
        for name, person in account.people.items()
    }
    assert preferences == {"ada": {4711: True, 4712: False}, "ben": {4711: True}}
    (consent,) = account.people["ada"]["consentRecords"]
    consent.pop("dateTimeCreated")
    assert consent.pop("dateTimeConsented").startswith("2026-03-01T09:00:00")
    assert consent == {
        "text": "Yes, send me news.",
        "url": "https://shop.example.org/sign-up",
        "ipAddress": "192.0.2.7",
        "userAgent": "Mozilla/5.0",
    }
    assert not account.people["ben"].get("consentRecords")
    rejects = (clone.folder / "output" / "consent.rejects.singer").read_text()
    (row,) = [json.loads(line)["record"] for line in rejects.splitlines()[1:]]
    assert row["email"] == "cleo@example.org"
    for name in ("consent_url", "consented_at", "consent_ip", "consent_user_agent"):
        assert f"'{name}' is empty" in row["_sdc_reject_reason"]
    assert "'consent_text'" not in row["_sdc_reject_reason"]


@promise("A stable ID")
def the_address_has_moved_with_the_contact(clone: Clone) -> None:
    account = clone.account("output/stable-id.db")
    numbers = {
        person["identifiers"]["customerNumber"]: person["identifiers"]["email"]
        for person in account.people.values()
    }
    assert numbers == {"C-1001": "ada@new.example.org", "C-1002": "ben@example.org"}
    assert account.members("Customers") == set(account.people)
    assert len(account.people) == 2


@promise("Several address books from one stream")
def each_row_has_joined_its_own(clone: Clone) -> None:
    account = clone.account("output/several-address-books.db")
    assert account.members("News") == {"ada"}
    assert account.members("Offers") == set(account.people) == {"ada", "ben"}
    assert "Closed" not in account.address_books


@promise("Load files", page="docs/batch-messages.md")
def the_rows_of_the_file_are_loaded(clone: Clone) -> None:
    account = clone.account("output/batch.db")
    assert account.members("Customers") == set(account.people) == {"ada", "cleo"}
    assert account.fields("ada") == {"FIRSTNAME": "Ada"}
    rejects = (clone.folder / "output" / "batch.rejects.singer").read_text()
    (row,) = [json.loads(line) for line in rejects.splitlines()[1:]]
    assert (row["type"], row["record"]["id"]) == ("RECORD", 2)
    assert (clone.folder / "output" / "people-1.json.gz").exists()


MOVING = "docs/moving-from-customer-insights.md"


@promise("A segment, moved", page=MOVING)
def two_segments_are_in_two_address_books(clone: Clone) -> None:
    account = clone.account("output/moved.db")
    assert account.members("Spring segment") == {"ada"}
    assert account.members("Lapsed customers") == {"ada", "cleo"}
    assert account.fields("ada") == {
        "FIRSTNAME": "Ada",
        "LASTNAME": "Archer",
        "FULLNAME": "Ada Archer",
        "GENDER": "Female",
        "POSTCODE": "N1 9GU",
    }
    rejects = (clone.folder / "output" / "moved.rejects.singer").read_text()
    rows = [json.loads(line)["record"] for line in rejects.splitlines()[1:]]
    assert [row["CustomerId"] for row in rows] == ["c2"]


@promise("Try it", page="docs/mapping.md")
def values_are_what_the_page_says(clone: Clone) -> None:
    account = clone.account("output/mapping.db")
    assert set(account.people) == {"ada", "cleo"}
    ada = account.fields("ada")
    assert ada.pop("MEMBER_SINCE").startswith("2024-02-29T09:00:00")
    assert ada == {
        "FIRSTNAME": "Ada",
        "LOYALTY_POINTS": 12.5,
        "WANTS_CALLS": False,
        "INTERESTS": "tea,maps",
    }
    assert account.fields("cleo") == {"LOYALTY_POINTS": 3}
    types = {"LOYALTY_POINTS": "Numeric", "MEMBER_SINCE": "Date", "WANTS_CALLS": "Boolean"}
    assert account.field_types.items() >= types.items()


@promise("Inside the target", page="docs/sandbox.md")
def the_sandbox_has_somebody(clone: Clone) -> None:
    assert clone.account("output/try.db").members("Customers") == {"ada"}


@promise("Rehearse what can go wrong", page="docs/sandbox.md")
def a_lost_reply_makes_nobody_twice(clone: Clone) -> None:
    assert set(clone.account("output/rehearsal.db").people) == {"ada"}


@promise("The sandbox", page="docs/reference/python.md")
def an_address_book_was_made(clone: Clone) -> None:
    assert "Newsletter" in clone.account("output/python.db").address_books

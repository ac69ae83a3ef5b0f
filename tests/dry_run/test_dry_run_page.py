"""The page about reports shows what a dry run prints."""

from __future__ import annotations

from pathlib import Path

from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.messages import gone, record, rows, schema
from tests.support.target.command import load

PEOPLE = [f"person.{number}" for number in range(1200)]


def printed(folder: Path) -> str:
    """Return the plan of a run that has a bit of everything."""
    books = ["Newsletter", "Members"]
    with EmbeddedSandbox(folder / "sandbox.db", address_books=books) as sandbox:
        account = {
            "username": sandbox.username,
            "password": sandbox.password,
            "api_url": sandbox.url,
        }
        people = schema("customers")
        earlier = {**account, "address_book": "Newsletter"}
        assert load(earlier, folder, people, *rows(PEOPLE[:300], "customers")).status == 0
        earlier["address_book"] = "Members"
        assert load(earlier, folder, people, *rows(PEOPLE[300:400], "customers")).status == 0
        config = {
            **account,
            "dry_run": True,
            "create_address_book": True,
            "create_data_fields": True,
            "streams": {
                "customers": {
                    "address_book": "Newsletter",
                    "on_delete": "remove",
                    "fields": {"FIRSTNAME": "first_name", "LOYALTY_POINTS": "id"},
                },
                "prospects": {"address_book": "Spring segment"},
                "members": {"address_book": "Members", "sync_mode": "mirror"},
            },
        }
        messages = [
            people,
            *rows([*PEOPLE[20:500], *PEOPLE[20:40]], "customers", id=1),
            *[record("customers", email="no address")] * 7,
            record("customers", email=None),
            *gone(PEOPLE[:12], "customers"),
            schema("prospects"),
            *rows(PEOPLE[500:], "prospects"),
            schema("members"),
            *rows(PEOPLE[310:405], "members"),
        ]
        ended = load(config, folder, *messages)
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    _, start, plan = ended.stderr.partition("Plan of a dry run")
    return start + plan


def test_the_page_shows_what_it_prints(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    _, start, rest = page.partition("<!-- dry run -->\n```\n")
    shown, end, _ = rest.partition("```\n<!-- /dry run -->")
    assert start
    assert end
    assert printed(tmp_path) == shown

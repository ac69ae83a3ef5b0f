"""What `--verify` writes for programs, beside the report of the load."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.departure_routes import MEMBERS
from tests.support.messages import record, rows, schema
from tests.support.reports import report_of, verification_of
from tests.support.target.command import REPOSITORY, TargetProcess, load, settings_for
from tests.support.target.commands import verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

MESSAGES = (schema(), *rows(["ann", "bob", "cid"], first_name="X"))


def counts(total: int, right: int, **more: int) -> dict[str, int]:
    names = ("differing", "missing", "not_in_the_account", "opted_out", "extra", "still_there")
    return {
        "in_the_stream": total,
        "as_it_should_be": right,
        **{name: more.get(name, 0) for name in names},
    }


def loaded(server: DotdigitalServer, folder: Path, **settings: Any) -> dict[str, Any]:
    config = settings_for(server, **{"report_path": str(folder / "report.json"), **settings})
    ended = load(config, folder, *MESSAGES)
    assert ended.status == 0, ended.stderr
    return config


@pytest.mark.parametrize(
    ("report_path", "name"),
    [
        ("report.json", "report.verify.json"),
        ("report.html", "report.verify.json"),
        ("last", "last.verify.json"),
        ("reports/", "reports/verify.json"),
    ],
)
def test_it_lies_beside_the_report_which_stays_as_it_is(
    server: DotdigitalServer, tmp_path: Path, report_path: str, name: str
) -> None:
    config = loaded(server, tmp_path, report_path=report_path)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert verify(config, tmp_path, *MESSAGES).status == 0
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*kept, tmp_path / name}
    assert all(path.read_bytes() == text for path, text in kept.items())
    told = verification_of(tmp_path, name)
    assert told["status"] == "succeeded"
    assert told["is_complete"]
    # And the next load's index and report know nothing of it.
    assert load(config, tmp_path, *MESSAGES).status == 0
    assert verification_of(tmp_path, name) == told


def test_it_says_what_differs_by_address_book(server: DotdigitalServer, tmp_path: Path) -> None:
    config = loaded(server, tmp_path, max_reject_percent=100)
    with server.edited("ann@example.com") as ann:
        ann.data_fields["FIRSTNAME"] = "Y"
    with server.edited("bob@example.com") as bob:
        bob.lists.clear()
        bob.email_status = "unsubscribed"
    ended = verify(config, tmp_path, *MESSAGES, *rows(["dan"]), record(email="none"))
    assert ended.status == 1
    told = verification_of(tmp_path)
    found = counts(4, 1, differing=1, missing=2, not_in_the_account=1, opted_out=1)
    assert (told["status"], told["is_complete"]) == ("failed", True)
    assert told["reason"] in ended.stderr
    assert told["totals"] == found
    assert told["address_books"] == [{"id": 102, "name": "Customers", **found}]
    assert told["differing_in"] == {"FIRSTNAME": 1}
    assert told["rejected_rows"] == 1
    text = (tmp_path / "report.verify.json").read_text()
    assert not any(secret in text for secret in ("example.com", server.username, server.password))


def test_a_verification_that_comes_to_no_end_says_so(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = loaded(server, tmp_path)
    server.answer_next(MEMBERS, reply(500, {}), times=None)
    ended = verify(config, tmp_path, *MESSAGES)
    assert ended.status == 1
    told = verification_of(tmp_path)
    assert (told["status"], told["is_complete"]) == ("failed", False)
    assert told["reason"] in ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_that_is_stopped_says_so(server: DotdigitalServer, tmp_path: Path) -> None:
    config = loaded(server, tmp_path)
    server.departures.max_page = 1
    gate = server.hold_answer(MEMBERS)
    with TargetProcess(config, tmp_path, arguments=("--verify",)) as target:
        target.send(*MESSAGES)
        target.close_input()
        server.wait_for_calls(MEMBERS, 1)
        target.process.terminate()
        gate.open()
        ended = target.end()
    assert ended.status == 143
    told = verification_of(tmp_path)
    assert (told["status"], told["is_complete"]) == ("stopped", False)


def test_without_a_row_an_older_one_stays(server: DotdigitalServer, tmp_path: Path) -> None:
    config = loaded(server, tmp_path)
    assert verify(config, tmp_path, *MESSAGES).status == 0
    told = verification_of(tmp_path)
    assert verify(config, tmp_path, schema()).status == 1
    assert verification_of(tmp_path) == told


def test_rows_that_are_no_contacts_prove_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    maps = {"people": {"__filter__": "email == 'nobody'"}}
    config = settings_for(server, report_path=str(tmp_path / "report.json"), stream_maps=maps)
    ended = verify(config, tmp_path, *MESSAGES)
    assert ended.status == 1
    assert "There is nothing to compare" in ended.stderr.splitlines()[-1]
    assert verification_of(tmp_path)["status"] == "failed"


def test_a_place_where_it_cannot_be_written_is_found_before_any_call(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    (tmp_path / "report.verify.json").mkdir()
    config = settings_for(server, report_path=str(tmp_path / "report.json"))
    ended = verify(config, tmp_path, *MESSAGES)
    assert ended.status == 1
    assert "report_path" in ended.stderr
    assert not server.calls


def test_names_of_address_books_that_rows_alone_name_are_not_told(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.address_books[7_001] = "kanarienvogel"
    config = settings_for(
        server,
        address_book=None,
        report_path=str(tmp_path / "report.json"),
        streams={"people": {"address_book_property": "book"}},
    )
    messages = (
        schema(properties={"email": {}, "book": {}}),
        record(email="ann@example.com", book="kanarienvogel"),
    )
    assert load(config, tmp_path, *messages).status == 0
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    (book,) = verification_of(tmp_path)["address_books"]
    assert book["name"] is None
    assert "kanarienvogel" not in ended.stderr + (tmp_path / "report.verify.json").read_text()


def test_contacts_without_an_address_book_have_an_entry_of_their_own(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"account_only": True}
    config = loaded(server, tmp_path, address_book=None, streams={"people": stream})
    assert verify(config, tmp_path, *MESSAGES).status == 0
    told = verification_of(tmp_path)
    assert told["address_books"] == [{"id": None, "name": None, **counts(3, 3)}]
    assert report_of(tmp_path)["kind"] == "run"


@pytest.mark.parametrize("is_right", [True, False])
def test_the_alert_of_the_page_is_given_if_anything_differs(
    server: DotdigitalServer, tmp_path: Path, *, is_right: bool
) -> None:
    config = loaded(server, tmp_path)
    if not is_right:
        with server.edited("ann@example.com") as ann:
            ann.data_fields.clear()
    verify(config, tmp_path, *MESSAGES)
    page = (REPOSITORY / "docs" / "verify.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    said: list[str] = []
    code = text.replace("output/proof/report.verify.json", str(tmp_path / "report.verify.json"))
    names = {"print": lambda *each: said.append(str(each))}
    with nullcontext() if is_right else pytest.raises(SystemExit, match="1"):
        exec(compile(code, "alert", "exec"), names)  # noqa: S102 - the page's own code
    assert bool(said) is not is_right
    table = page.partition("### For a pipeline")[2].partition("\n## ")[0]
    for name in re.findall(r"^\| `([a-z_]+)`", table, re.MULTILINE):
        assert name in json.loads((tmp_path / "report.verify.json").read_text())

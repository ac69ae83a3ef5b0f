"""F34 to F43: what can become of an import that Dotdigital has accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tests.faults.fault_case import fault
from tests.faults.input_rows import email, people, row, with_states
from tests.support.dotdigital.account.import_report import ReportStyle
from tests.support.dotdigital.answers import reply, reset, v3_error
from tests.support.dotdigital.routes import IMPORT, IMPORT_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.fault_case import FaultCase

SUPPORT = "[to act: ask Dotdigital support]"


@fault("F34", "500", "503", "reset")
def test_a_poll_that_fails_once_is_made_again(case: FaultCase, variant: str) -> None:
    answer = reset() if variant == "reset" else reply(int(variant), b"")
    case.server.answer_next(IMPORT_STATUS, answer)
    ended = case.run(people(6), pace=20, batch_size_rows=3)
    assert ended.status == 0
    assert ended.states[-1] == {"row": 6}
    assert len(case.server.imports) == 2


@fault("F35", "twice", "for ever")
def test_an_import_that_is_not_known_yet_is_asked_for_again_and_then_sent_again(
    case: FaultCase, variant: str
) -> None:
    not_found = v3_error(404, "contacts:importNotFound", "could not be found!")
    case.server.answer_next(IMPORT_STATUS, not_found, times=2 if variant == "twice" else None)
    ended = case.run(people(4), pace=20)
    if variant == "twice":
        assert (ended.status, ended.states[-1]) == (0, {"row": 4})
        assert len(case.server.imports) == 1
    else:
        assert (ended.status, ended.states) == (1, [])
        assert len(case.server.calls_of(IMPORT)) == 3
        assert "failed at Dotdigital, 3 times in all" in ended.stderr
        assert f"0 of 4 rows are settled. {SUPPORT}" in ended.stderr


@fault("F36")
def test_an_import_that_does_not_end_fails_the_run_in_time(case: FaultCase) -> None:
    case.server.polls_to_finish = lambda each: 10**9 if each.index == 1 else 0
    case.mend = lambda: setattr(case.server, "polls_to_finish", lambda _each: 0)
    ended = case.run(
        people(6), pace=600, batch_size_rows=3, import_timeout_minutes=30, shutdown_grace_seconds=60
    )
    stuck = case.server.imports[1]
    assert ended.status == 1
    assert f"Import {stuck.import_id} did not end within 30 minutes" in ended.stderr
    assert f"3 of 6 rows are settled. {SUPPORT}" in ended.stderr
    # Polls are a minute apart by then: half an hour is not thousands of them.
    assert 20 < stuck.polls < 60


@fault("F37", "camelCase", "PascalCase")
def test_rows_that_dotdigital_refuses_are_rejected_with_its_code(
    case: FaultCase, variant: Literal["camelCase", "PascalCase"]
) -> None:
    case.server.report_style = ReportStyle(codes=variant)
    case.server.reject(email(2), "SuppressedByDomain")
    case.left_out = [2]
    ended = case.run(people(5))
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert ended.counts() == (
        "read 5 = imported 4 + rejected 1 + collapsed 0 + skipped 0; rejected by code: "
        "dotdigital.suppressedByDomain 1"
    )


REPORT_STYLES = {
    "another case and spaces": ReportStyle(emails="untidy"),
    "lower case": ReportStyle(emails="lower"),
    "without contact ID": ReportStyle(contact_ids=False),
    "twice": ReportStyle(repeat_failures=True),
    "an unknown contact": ReportStyle(stranger=email(99)),
}


@fault("F38", *REPORT_STYLES)
def test_a_failure_is_matched_however_it_is_written(case: FaultCase, variant: str) -> None:
    case.server.report_style = REPORT_STYLES[variant]
    case.server.reject(email(2), "Blocker")
    case.left_out = [2]
    sent = [*people(2, state_each=9), row(3, email=email(3).upper()), *with_states([4])]
    ended = case.run(sent)
    assert (ended.status, ended.states[-1]) == (0, {"row": 4})
    assert ended.counts().endswith("rejected by code: dotdigital.blocker 1")
    stranger = "1 failures (dotdigital.blocker) of contacts that were not sent"
    assert (stranger in ended.stderr) == (variant == "an unknown contact")


@fault("F39", "in lists", "in the summary alone")
def test_a_contact_that_is_written_without_a_part_is_imported_with_a_warning(
    case: FaultCase, variant: str
) -> None:
    case.server.report_style = ReportStyle(lists=variant == "in lists")
    case.server.warn(email(2))
    ended = case.run(people(3))
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
    counts = "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"
    if variant == "in lists":
        counts += "; imported without a refused part: dotdigital.consentRecordsNotApplied 1"
    assert ended.counts() == counts


@fault("F40")
def test_what_the_watchdog_refuses_is_not_sent_again(case: FaultCase) -> None:
    case.server.polls_to_finish = lambda each: each.index * 2
    case.server.end_next_imports("Finished")
    case.server.end_next_imports("RejectedByWatchdog")
    ended = case.run(people(6), pace=20, batch_size_rows=3)
    refused = next(each for each in case.server.imports if each.ends_with == "RejectedByWatchdog")
    assert ended.status == 1
    assert (
        f"Import {refused.import_id}: Dotdigital's Data Watchdog refused it (RejectedByWatchdog). "
        f"Do not send it again. 3 of 6 rows are settled. {SUPPORT}"
    ) in ended.stderr
    assert len(case.server.calls_of(IMPORT)) == 2


@fault("F41", "once", "twice", "three times")
def test_an_import_that_failed_is_sent_again_twice(case: FaultCase, variant: str) -> None:
    times = ("once", "twice", "three times").index(variant) + 1
    case.server.end_next_imports("Failed", times)
    ended = case.run(people(4), pace=20)
    if times < 3:
        assert (ended.status, ended.states[-1]) == (0, {"row": 4})
        assert len(case.server.imports) == times + 1
    else:
        assert (ended.status, ended.states) == (1, [])
        assert len(case.server.imports) == 3
        assert f"0 of 4 rows are settled. {SUPPORT}" in ended.stderr


@fault("F42", "Complete", "Processing", "Finished with errors", "NotAvailableInThisVersion")
def test_a_status_that_nobody_has_documented_is_never_a_success(
    case: FaultCase, variant: str
) -> None:
    case.server.end_next_imports(variant)
    ended = case.run(people(4), pace=20)
    assert (ended.status, ended.states) == (1, [])
    assert len(case.server.calls_of(IMPORT)) == 1
    assert f"0 of 4 rows are settled. {SUPPORT}" in ended.stderr


def _refuse_one(case: FaultCase) -> None:
    case.server.reject(email(2), "GloballySuppressed")
    case.left_out = case.unnamed = [2]


def _tell_nothing(case: FaultCase) -> None:
    case.server.report_style.summary = False


ARRANGEMENTS: dict[str, Callable[[FaultCase], None]] = {
    "all imported": lambda _bench: None,
    "one refused": _refuse_one,
    "and no summary": _tell_nothing,
}


@fault("F43", *ARRANGEMENTS)
def test_a_report_without_rows_is_read_from_its_sums(case: FaultCase, variant: str) -> None:
    case.server.report_style = ReportStyle(lists=False)
    ARRANGEMENTS[variant](case)
    case.mend = lambda: setattr(case.server.report_style, "summary", True)
    ended = case.run(people(5))
    if variant == "and no summary":
        assert (ended.status, ended.states) == (1, [])
        assert "covers 0 of 5 contacts" in ended.stderr
        assert f"0 of 5 rows are settled. {SUPPORT}" in ended.stderr
        return
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    refused = int(variant == "one refused")
    assert ended.counts().startswith(
        f"read 5 = imported {5 - refused} + rejected {refused} + collapsed 0 + skipped 0"
    )

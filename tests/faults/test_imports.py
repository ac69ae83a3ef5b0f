"""F34 to F43: what can become of an import that Dotdigital has accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.answers import reply, reset, v3_error
from tests.faults.bench import fault
from tests.faults.people import email, people
from tests.report import ReportStyle
from tests.routes import IMPORT, IMPORT_STATUS

if TYPE_CHECKING:
    from tests.faults.bench import Bench


@fault("F34", "500", "503", "reset")
def test_a_poll_that_fails_once_is_made_again(bench: Bench, variant: str) -> None:
    answer = reset() if variant == "reset" else reply(int(variant), b"")
    bench.server.answer_next(IMPORT_STATUS, answer)
    ended = bench.run(people(6), pace=20, batch_size_rows=3)
    assert ended.status == 0
    assert ended.states[-1] == {"row": 6}
    assert len(bench.server.imports) == 2


@fault("F35", "twice", "for ever")
def test_an_import_that_is_not_known_yet_is_asked_for_again_and_then_sent_again(
    bench: Bench, variant: str
) -> None:
    not_found = v3_error(404, "contacts:importNotFound", "could not be found!")
    bench.server.answer_next(IMPORT_STATUS, not_found, times=2 if variant == "twice" else None)
    ended = bench.run(people(4), pace=20)
    if variant == "twice":
        assert (ended.status, ended.states[-1]) == (0, {"row": 4})
        assert len(bench.server.imports) == 1
    else:
        assert (ended.status, ended.states) == (1, [])
        assert len(bench.server.calls_of(IMPORT)) == 3
        assert "came to nothing" in ended.stderr
        assert "0 of 4 rows read are settled [to act: Dotdigital's support]" in ended.stderr


@fault("F36")
def test_an_import_that_does_not_end_fails_the_run_in_time(bench: Bench) -> None:
    bench.server.polls_to_finish = lambda each: 10**9 if each.index == 1 else 0
    bench.mend = lambda: setattr(bench.server, "polls_to_finish", lambda _each: 0)
    ended = bench.run(
        people(6), pace=600, batch_size_rows=3, import_timeout_minutes=30, shutdown_grace_seconds=60
    )
    stuck = bench.server.imports[1]
    assert ended.status == 1
    assert f"Import {stuck.import_id} has not ended within 30 minutes" in ended.stderr
    assert "3 of 6 rows read are settled [to act: Dotdigital's support]" in ended.stderr
    # Polls are a minute apart by then: half an hour is not thousands of them.
    assert 20 < stuck.polls < 60


@fault("F37", "camelCase", "PascalCase")
def test_rows_that_dotdigital_refuses_are_rejected_with_its_code(
    bench: Bench, variant: str
) -> None:
    bench.server.report_style = ReportStyle(codes=variant)  # type: ignore[arg-type]
    bench.server.reject(email(2), "SuppressedByDomain")
    bench.left_out = [2]
    ended = bench.run(people(5))
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert ended.counts() == (
        "read 5 = imported 4 + rejected 1 + collapsed 0 + skipped 0; rejected by code: "
        "dotdigital.suppressedByDomain 1"
    )
    assert oct(bench.rejects.stat().st_mode & 0o777) == "0o600"

"""The target's command line, but that rows are let go once they are read, checked and mapped.

    python -m benchmarks.reading --config config.json

`benchmarks.changes` compares with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.run import Intake
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption


def _let_go(
    self: Intake, contacts: Sequence[Contact], _merge: MergeOption, _lines: Iterable[int] = ()
) -> None:
    self.pass_unchanged(contacts[0].rows[0].counts, len(contacts))


if __name__ == "__main__":
    Intake.add_all = _let_go  # type: ignore[assignment,method-assign]
    TargetDotdigital.cli()

"""Switches as they are written on a command line, and explained there.

A client that is right in every position is right whatever Dotdigital does.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from target_dotdigital.sandbox.faults.open_questions import Switches, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable


def read_switches(assignments: Iterable[str]) -> Switches:
    """Read switches as they are written on a command line.

    Args:
        assignments: Such as `unknown-field=dropped`; of a name, the last one counts.

    Raises:
        ValueError: One of them is no assignment, or there is no such switch or position.
    """
    known = {spelled(one.name): one.name for one in fields(Switches)}
    chosen: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, position = assignment.partition("=")
        if not separator or name not in known:
            message = f"a switch is NAME=POSITION, and NAME one of {', '.join(known)}"
            raise ValueError(message)
        chosen[known[name]] = position
    return Switches(**chosen)


def explain() -> str:
    """Return a paragraph for each switch: positions, the default first, question and source."""
    return "\n".join(
        f"  {spelled(one.name)}={'|'.join(one.metadata['positions'])}\n"
        f"      {one.metadata['question']}\n"
        f"      open because: {one.metadata['source']}"
        for one in fields(Switches)
    )

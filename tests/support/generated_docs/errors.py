"""The table of what can end a run: each class of error, and who must act."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import target_dotdigital
from target_dotdigital.errors import TargetDotdigitalError

PACKAGE = Path(target_dotdigital.__file__).parent


def ends() -> list[type[TargetDotdigitalError]]:
    """Return the classes of what can end a run, each below the one that it is a kind of."""
    for path in PACKAGE.rglob("[!_]*.py"):
        if PACKAGE / "sandbox" not in path.parents:
            import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    return _with_kinds(TargetDotdigitalError)


def _with_kinds(one: type[TargetDotdigitalError]) -> list[type[TargetDotdigitalError]]:
    kinds = [
        each for each in one.__subclasses__() if each.__module__.startswith(f"{PACKAGE.name}.")
    ]
    return [one, *(each for kind in kinds for each in _with_kinds(kind))]


def error_table(_: str = "") -> str:
    """Return the table of the classes."""
    rows = ["| class | what happened | to act |", "| --- | --- | --- |"]
    for each in ends():
        text = (inspect.getdoc(each) or "").partition("\n\n")[0].replace("\n", " ")
        rows.append(f"| `{each.__name__}` | {text} | {each.act} |")
    return "\n".join(rows)

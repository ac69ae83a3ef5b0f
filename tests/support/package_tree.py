"""The tree of the package, as docs/design.md and CONTRIBUTING.md show it.

It is made of the first line of each file.

`uv run python -m tests.support.generated_docs` writes it into both.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE: Final = REPOSITORY / "target_dotdigital"

ORDER: Final = (
    *("run", "singer", "report", "reruns", "dry_run", "verification", "mirror", "loading"),
    *("fingerprints", "account", "mapping", "api", "batch_files", "settings", "terminal"),
    "sandbox",
)
"""The packages from top to bottom: each imports only what stands below it."""

PAGES: Final = {"CONTRIBUTING.md": False, "docs/design.md": True}
"""The pages that show the tree, and whether they show every file."""

_MARKED: Final = re.compile(r"(<!-- package tree -->\n).*?(<!-- /package tree -->)", re.DOTALL)
_WIDTH: Final = 38


def first_line(path: Path) -> str:
    """Return the first line of a file's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def _lines(folder: Path, depth: int, *, with_files: bool) -> Iterator[str]:
    """Yield a line for a package, then one for each file and sub-package of it."""
    indent = "  " * depth
    yield f"{indent}{folder.name}/".ljust(_WIDTH) + first_line(folder / "__init__.py")
    if with_files:
        for path in _files(folder):
            yield f"{indent}  {path.name}".ljust(_WIDTH) + first_line(path)
    for inside in sorted(path.parent for path in folder.glob("*/__init__.py")):
        yield from _lines(inside, depth + 1, with_files=with_files)


def tree(*, with_files: bool) -> str:
    """Return the tree as text: the files of the root, and the packages in their order.

    Args:
        with_files: Whether the files of the packages are shown as well.
    """
    lines = ["target_dotdigital/"]
    lines += [f"  {path.name}".ljust(_WIDTH) + first_line(path) for path in _files(PACKAGE)]
    for name in ORDER:
        # The sandbox has a page of its own: here its packages are enough.
        files_too = with_files and name != "sandbox"
        lines += _lines(PACKAGE / name, 1, with_files=files_too)
    return "\n".join(lines)


def with_tree(name: str) -> str:
    """Return a page with the tree as it is now.

    Args:
        name: One of `PAGES`.
    """
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    block = f"```\n{tree(with_files=PAGES[name])}\n```\n"
    return _MARKED.sub(lambda marks: f"{marks[1]}{block}{marks[2]}", text)

"""The packages: small, without circles, and with faces that others import from.

`pyproject.toml` has the layers, for import-linter. Here is what it cannot say: how deep the imports
are, how large files and packages are, and by which way a name is imported.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ROOT: Final = "target_dotdigital"
SANDBOX: Final = f"{ROOT}.sandbox"
MAX_LINES: Final = 350
MAX_FILES: Final = 9
"""Of a package, its face and its sub-packages not counted."""
MAX_ROOT_FILES: Final = 15
"""What the SDK and the command line call, and what every package may know."""
MAX_DEPTH: Final = 12
"""Files in the longest chain of imports inside the target. Faces only hand names on."""

ENTRY: Final = f"{ROOT}.sandbox_script"
"""It starts the sandbox's command, which needs an extra that the face does without."""


class Import(NamedTuple):
    """A name that a module imports from the package."""

    importer: str
    module: str
    name: str
    """`*` if it is the module as a whole."""


def paths() -> dict[str, Path]:
    """Return the files of the package by module name."""
    found = {}
    for path in sorted((REPOSITORY / ROOT).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES: Final = paths()
FACES: Final = frozenset(name for name, path in FILES.items() if path.name == "__init__.py")


@cache
def imports() -> tuple[Import, ...]:
    """Return all imports inside the package, those for types included."""
    return tuple(each for name in FILES for each in _imports_of(name))


@cache
def exports(module: str, name: str) -> bool:
    """Return whether a module hands on a name, which may be that of a module beside it."""
    return any(
        each.name == name
        for node in ast.parse(FILES[module].read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    )


def _imports_of(importer: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(FILES[importer].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == ROOT:
            for each in node.names:
                is_module = f"{node.module}.{each.name}" in FILES and not exports(
                    str(node.module), each.name
                )
                module = f"{node.module}.{each.name}" if is_module else str(node.module)
                yield Import(importer, module, "*" if is_module else each.name)
        elif isinstance(node, ast.Import):
            for each in node.names:
                assert each.name.split(".")[0] != ROOT, f"{importer}: import names, not modules"


def origin(module: str, name: str) -> str:
    """Return the module that a name comes from: a face only hands it on."""
    if module in FACES:
        for each in imports():
            if each.importer == module and each.name == name:
                return origin(each.module, name)
    return module


@cache
def graph() -> Mapping[str, frozenset[str]]:
    """Return by module what it imports, faces left out."""
    found: dict[str, set[str]] = {name: set() for name in FILES if name not in FACES}
    for each in imports():
        if each.importer in found:
            found[each.importer].add(origin(each.module, each.name))
    return {name: frozenset(targets - {name} - FACES) for name, targets in found.items()}


def in_sandbox(module: str) -> bool:
    return f"{module}.".startswith(f"{SANDBOX}.")


def package_of(module: str) -> str:
    return module if module in FACES else module.rpartition(".")[0]


def test_the_imports_are_found() -> None:
    # The tests below are worth nothing otherwise.
    assert f"{ROOT}.run.run" in graph()[f"{ROOT}.target"]  # through a face
    assert f"{ROOT}.errors" in graph()[f"{ROOT}.clock"]
    assert len(imports()) > 500


def test_nothing_is_imported_in_a_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" > ".join(error.args[1]))


def test_no_chain_of_imports_is_long() -> None:
    chains: dict[str, list[str]] = {}
    for module in TopologicalSorter(graph()).static_order():
        below = [chains[each] for each in graph()[module] if not in_sandbox(each)]
        chains[module] = [module, *max(below, key=len, default=[])]
    longest = max((chain for name, chain in chains.items() if not in_sandbox(name)), key=len)
    assert len(longest) <= MAX_DEPTH, " > ".join(longest)


def test_packages_are_imported_by_their_faces() -> None:
    """Of a package, those outside import the face, and those inside the modules."""
    wrong = []
    for importer, module, name in imports():
        inside = package_of(importer)
        if importer == ENTRY:
            continue
        if f"{inside}.".startswith(f"{module}.") and module in FACES and module != ROOT:
            wrong.append(f"{importer} imports {name} from the face of its own package {module}")
            continue
        common = inside
        while not module.startswith(f"{common}."):
            common = common.rpartition(".")[0]
        if "." in module.removeprefix(f"{common}."):
            wrong.append(f"{importer} imports {name} from the inside, {module}")
    assert not wrong, "\n".join(wrong)


def test_what_a_face_exports_is_imported_by_others() -> None:
    used = {(each.module, each.name) for each in imports()}
    unused = [
        f"{face} exports {each.name}"
        for face in FACES
        for each in imports()
        if each.importer == face and (face, each.name) not in used and not in_sandbox(face)
    ]
    assert not unused, "\n".join(unused)


def test_every_package_says_what_it_is() -> None:
    for face in FACES:
        tree = ast.parse(FILES[face].read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), face


@pytest.mark.parametrize("package", sorted(FACES))
def test_a_package_is_small(package: str) -> None:
    files = [name for name in FILES if name not in FACES and package_of(name) == package]
    assert len(files) <= (MAX_ROOT_FILES if package == ROOT else MAX_FILES), files


def test_a_file_is_short() -> None:
    lines = {name: len(path.read_bytes().splitlines()) for name, path in FILES.items()}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}

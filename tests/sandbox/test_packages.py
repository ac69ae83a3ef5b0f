"""What is in a package of the sandbox, others import from the package itself.

The order of the packages is a contract in pyproject.toml, which `lint-imports` checks.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import target_dotdigital.sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "target_dotdigital.sandbox"
FOLDER = Path(str(target_dotdigital.sandbox.__file__)).parent
PACKAGES = {folder.parent for folder in FOLDER.rglob("*/__init__.py")}


def module_path(name: str) -> Path:
    return FOLDER.joinpath(*name.split(".")[2:])


def imported_modules(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            module = module_path(str(node.module))
            for alias in node.names:
                name = module / alias.name
                is_module = name.is_dir() or name.with_suffix(".py").exists()
                yield name if is_module else module


def test_what_is_inside_a_package_is_imported_by_that_package_alone() -> None:
    for file in FOLDER.rglob("*.py"):
        for module in imported_modules(file):
            for package in PACKAGES & set(module.parents):
                assert package in file.parents, f"{file.relative_to(FOLDER)} imports {module}"


def test_every_package_names_what_others_may_import() -> None:
    for package in PACKAGES:
        face = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(face)
        assert any(
            isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            for node in face.body
        ), package

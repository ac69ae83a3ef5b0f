"""Every message that the target can end with or reject a row with, read from its source.

Where a message has a name or a number of the run in it, the page has `…`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import target_dotdigital

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(target_dotdigital.__file__).parent
SANDBOX = PACKAGE / "sandbox"

PROBLEMS = "settings"
"""What stands for the problems that are told together as one `ConfigValidationError`."""

REJECT = "RowRejectedError"
UNFIT = "UnfitError"
TOLD_AS = {
    "InvalidJSONSchema": "DataError",
    "NoReplyError": "NetworkError",
    "UnusableSchemaError": "DataError",
}
"""Errors that are told as another one: once all tries have failed, or with the place added."""

GAP = "…"


@cache
def messages() -> dict[str, list[str]]:
    """Return all messages, by what is raised: an error's class, or a reject's code."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(PACKAGE.rglob("*.py")):
        if SANDBOX in path.parents:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for text in _ends(tree):
            found["DotdigitalError"][text] = None
        for scope in ast.walk(tree):
            if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for kind, text in _in_function(path.parent.name, scope):
                    found[TOLD_AS.get(kind, kind)][text] = None
    return {kind: list(texts) for kind, texts in found.items()}


def _ends(tree: ast.Module) -> Iterator[str]:
    """Yield what final statuses of Dotdigital's jobs are told as: the constant `_ENDS`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and _name(node.targets[0]) == "_ENDS":
            for told in ast.literal_eval(node.value).values():
                yield f"{GAP}: {told}"


def _in_function(
    package: str, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[str, str]]:
    texts = _assigned_texts(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Yield) and node.value and "problems" in function.name:
            kind = PROBLEMS if package == "settings" else "SettingsError"
            yield from ((kind, text) for text in _texts(node.value, texts))
        elif isinstance(node, ast.Call):
            name = _name(node.func)
            if name == "append" and isinstance(node.func, ast.Attribute):
                if "problems" in _name(node.func.value):
                    yield from (("SettingsError", text) for text in _texts(node.args[0], texts))
            elif name == REJECT and len(node.args) > 1:
                codes = _texts(node.args[0], texts)
                yield from ((code, text) for code in codes for text in _texts(node.args[1], texts))
            elif (name.endswith("Error") or name in TOLD_AS) and node.args:
                yield from ((name, text) for text in _texts(node.args[0], texts))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _assigned_texts(function: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id].append(node.value)
    return found


def _texts(node: ast.expr, assigned: dict[str, list[ast.expr]]) -> list[str]:
    """Return what an expression can say; nothing if it is another's text that is passed on."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values]
        text = "".join(parts)
        return [text] if text.replace(GAP, "").strip(" ;:,()") else []
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, assigned), *_texts(node.orelse, assigned)]
    if isinstance(node, ast.Name):
        before = [each for each in assigned.get(node.id, ()) if each.lineno < node.lineno]
        return _texts(before[-1], {}) if before else []
    return []


def message_list(kind: str) -> str:
    """Return the list of the messages of one kind.

    Args:
        kind: An error's class, a reject's code, or `settings`.
    """
    return "\n".join(f"- {_as_code(text)}" for text in messages()[kind])


def _as_code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"

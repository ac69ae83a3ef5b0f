"""Classes as their docstrings describe them: what they are made with, and some methods."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any, Final

_SECTION: Final = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):\n", re.MULTILINE)
_ITEM: Final = re.compile(r"^(\S[^:]*): ")
_INDENT: Final = "    "


def class_description(about: str) -> str:
    """Return what a class is, how it is made, and what its methods do.

    Args:
        about: The class's dotted name, and the methods that are described.
    """
    path, *methods = about.split()
    module, _, name = path.rpartition(".")
    described: type[Any] = getattr(import_module(module), name)
    parts = [
        f"Import it from `{module}`.",
        *_described(inspect.getdoc(described) or ""),
        f"**`{name}{_signature(described.__init__)}`**",
        *_described(inspect.getdoc(described.__init__) or ""),
    ]
    for method in methods:
        function = getattr(described, method)
        parts += [f"**`{method}{_signature(function)}`**"]
        parts += _described(inspect.getdoc(function) or "")
    return "\n\n".join(parts)


def _signature(function: Any) -> str:  # noqa: ANN401 - any callable of a class
    """Return a method's signature without `self`, its annotations as they are written."""
    signature = inspect.signature(function)
    kept = [each for name, each in signature.parameters.items() if name != "self"]
    text = str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))
    return text.replace("'", "")


def _described(docstring: str) -> list[str]:
    """Return a docstring's paragraphs, its sections as lists."""
    text, *sections = _SECTION.split(docstring)
    parts = [text.strip()] if text.strip() else []
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        parts.append(f"{title}:\n\n" + "\n".join(_items(body)))
    return parts


def _items(body: str) -> list[str]:
    items: list[str] = []
    for line in filter(str.strip, body.splitlines()):
        if line.startswith(_INDENT * 2):
            items[-1] += f" {line.strip()}"
        else:
            items.append(_ITEM.sub(r"- `\1`: ", line.removeprefix(_INDENT)))
    return items

"""What is used of the SDK beyond what it promises is listed, and is there as it is listed."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import mapper
from singer_sdk.helpers import _flattening

import target_dotdigital
from target_dotdigital.reader import MessageReader
from target_dotdigital.singer.sdk import PRIVATE_PARTS, PrivatePart, evaluated_property
from target_dotdigital.sink import ContactSink
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(target_dotdigital.__file__).parent
THE_ONE_MODULE = "singer/sdk.py"
OUR_CLASSES = (TargetDotdigital, ContactSink, MessageReader)


def problem_of(part: PrivatePart) -> str | None:
    """Return what the installed SDK has changed of a private part; None if it is the same."""
    owner = getattr(part.owner, "__name__", str(part.owner))
    changed = f"singer-sdk has changed {owner}.{part.name}, used by {part.used_by}"
    found = inspect.getattr_static(part.owner, part.name, None)
    if found is None:
        is_declared = part.name in vars(part.owner).get("__annotations__", {})
        is_there = is_declared and not part.signature
        return None if is_there else f"{changed}: it is gone. {part.purpose}"
    function: Any = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    signature = inspect.signature(function)
    parameters = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    plain = signature.replace(parameters=parameters, return_annotation=signature.empty)
    if str(plain) == part.signature:
        return None
    return f"{changed}: it takes {plain}, and took {part.signature}. {part.purpose}"


@pytest.mark.parametrize("part", PRIVATE_PARTS, ids=lambda part: part.name)
def test_the_sdk_has_what_is_used_of_it(part: PrivatePart) -> None:
    assert problem_of(part) is None, problem_of(part)
    assert (PACKAGE / part.used_by).is_file()


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        (SimpleNamespace(), "has changed namespace().hook, used by target.py: it is gone"),
        (
            SimpleNamespace(hook=lambda self, message, context: (self, message, context)),
            "it takes (self, message, context), and took (self, message)",
        ),
    ],
    ids=["gone", "changed"],
)
def test_a_change_is_told_with_what_it_breaks(owner: object, told: str) -> None:
    part = PrivatePart(owner, "hook", "(self, message)", "target.py", "For messages.")
    problem = problem_of(part)
    assert problem is not None
    assert told in problem
    assert problem.startswith("singer-sdk has changed")
    assert problem.endswith("For messages.")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the target's modules, by their paths in the package."""
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("sandbox/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def is_private(name: str) -> bool:
    return any(each.startswith("_") for each in name.split("."))


def test_one_module_imports_private_names() -> None:
    importing = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("singer_sdk")
        if is_private(node.module or "") or any(is_private(each.name) for each in node.names)
    }
    assert importing == {THE_ONE_MODULE}


def sdk_names() -> set[str]:
    """Return the private names that the SDK's own base classes define or assign."""
    names: set[str] = set()
    for base in {each for ours in OUR_CLASSES for each in ours.__mro__}:
        if base.__module__.partition(".")[0] == "singer_sdk":
            names |= set(vars(base))
            for function in filter(inspect.isfunction, vars(base).values()):
                names |= set(function.__code__.co_names)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_every_private_name_of_the_base_classes_is_listed() -> None:
    listed = {part.name for part in PRIVATE_PARTS}
    theirs = sdk_names()
    assert {"_process_record_message", "_config"} <= theirs
    for name, tree in modules():
        of_the_target = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name | ast.Call)
            and ast.unparse(node.value) in {"self", "cls", "super()"}
        }
        of_the_target |= {
            each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and name in {"target.py", "sink.py", "reader.py"}
            for each in node.body
            if isinstance(each, ast.FunctionDef)
        }
        if name in {part.used_by for part in PRIVATE_PARTS} | {"reader.py"}:
            own = {"_mapper"} if name == "singer/stream_selection.py" else set()
            assert (of_the_target & theirs) - own <= listed, name


def test_flattening_writes_with_the_name_that_is_replaced() -> None:
    used = {
        name
        for function in filter(inspect.isfunction, vars(_flattening).values())
        for name in function.__code__.co_names
    }
    assert "serialize_json" in used


def test_the_property_whose_expression_fails_is_found() -> None:
    stream_map: Any = mapper.CustomStreamMap(
        stream_alias="people",
        map_config={},
        faker_config={},
        raw_schema={"properties": {"name": {"type": "string"}}},
        key_properties=None,
        map_transform={"initial": "name[0]"},
        flattening_options=None,
    )
    with pytest.raises(TypeError, match="subscriptable") as caught:
        stream_map.transform({"name": 7})
    assert evaluated_property(caught.value.__traceback__) == (True, "initial")
    with pytest.raises(ValueError, match="no number") as caught_elsewhere:
        raise ValueError("no number")
    assert evaluated_property(caught_elsewhere.value.__traceback__) == (False, None)

"""Types of columns: what a typed JSON decoder can check of a property's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Union

from msgspec import Meta, UnsetType

from target_dotdigital.mapping.contacts import MAX_TEXT_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORT_TEXT_LENGTH: Final = MAX_TEXT_UNITS // 2
"""A text of so many characters fits into a text field, whatever characters they are."""

_PYTHON_TYPES: Final[Mapping[str, Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": None,
}
"""JSON schema's names of plain types, and what a decoder makes of them."""

_ANNOTATIONS: Final = frozenset(
    {
        "$comment", "$id", "title", "description", "default", "example", "examples", "format",
        "readOnly", "writeOnly", "deprecated",
    }
)  # fmt: skip
"""Keywords that demand nothing of a value, as do all that begin with `x-`. Formats are not checked
anywhere, as in the SDK."""

_BOUNDS: Final = {
    "minLength": ("string", "min_length"),
    "maxLength": ("string", "max_length"),
    "minimum": ("integer", "ge"),
    "maximum": ("integer", "le"),
}
"""Keywords that bound values of one type, with `Meta`'s names of the bounds."""


class PlainTypes(NamedTuple):
    """All that a property's schema demands: plain types, and bounds of one of them."""

    names: frozenset[str]
    """JSON schema's names of the types."""
    bounds: Mapping[str, Any]
    """`Meta`'s arguments for texts or whole numbers."""

    @property
    def without_null(self) -> frozenset[str]:
        """The names of the types but null."""
        return self.names - {"null"}

    def within(self, least: int, most: int) -> PlainTypes:
        """Return the same types, whole numbers bounded further.

        Args:
            least: The least whole number.
            most: The greatest one.
        """
        bounds = {
            **self.bounds,
            "ge": max(self.bounds.get("ge", least), least),
            "le": min(self.bounds.get("le", most), most),
        }
        return PlainTypes(self.names, bounds)


def plain_types(schema: object) -> PlainTypes | None:
    """Return what a property's schema demands; None if a typed decoder cannot check all of it.

    Args:
        schema: The property's JSON schema.
    """
    if not isinstance(schema, dict):
        return None
    if isinstance(branches := schema.get("anyOf"), list):
        return _union(schema, branches)
    names = _type_names(schema.get("type"))
    if names is None:
        return None
    bounds: dict[str, Any] = {}
    for word, value in schema.items():
        if word == "type" or _is_annotation(word):
            continue
        bound = _bound(word, value, names)
        if bound is None:
            return None
        bounds[bound] = value
    return PlainTypes(names, bounds)


def decoded_type(types: PlainTypes | None, *, is_used: bool = True) -> Any:  # noqa: ANN401 - a type
    """Return the type as which msgspec decodes values. It refuses texts of unusual length.

    Args:
        types: What the values may be; None if that is not known.
        is_used: Whether every digit of a number counts.

    Returns:
        The type; None if a decoder cannot see to it.
    """
    if types is None or ("number" in types.names and is_used):
        return None
    decoded: list[Any] = []
    for name in sorted(types.names):
        each: Any = _PYTHON_TYPES[name]
        if name == "string":
            longest = min(types.bounds.get("max_length", MAX_TEXT_UNITS), SHORT_TEXT_LENGTH)
            each = Annotated[str, Meta(**{**types.bounds, "max_length": longest})]
        elif name == "integer" and types.bounds:
            each = Annotated[int, Meta(**types.bounds)]
        decoded.append(each)
    return Union[(*decoded, UnsetType)]


def _type_names(named: object) -> frozenset[str] | None:
    """Return the names in a keyword `type`; None if they are not plain types, each named once."""
    listed = named if isinstance(named, list) else [named]
    names = frozenset(each for each in listed if isinstance(each, str))
    are_plain = bool(names) and names <= _PYTHON_TYPES.keys() and len(names) == len(listed)
    return names if are_plain else None


def _bound(word: str, value: object, names: frozenset[str]) -> str | None:
    """Return `Meta`'s name of a bound; None if msgspec cannot see to the keyword."""
    kind, bound = _BOUNDS.get(word, (None, None))
    # A bound is of one type; a union's other types do not know it.
    if kind is None or names - {"null"} != {kind} or not _can_bound(kind, value):
        return None
    return bound


def _can_bound(kind: str, value: object) -> bool:
    """Return whether msgspec takes a bound: a length, or what fits into 64 bits."""
    least = 0 if kind == "string" else -(2**63)
    return type(value) is int and least <= value < 2**63


def _is_annotation(word: str) -> bool:
    return word in _ANNOTATIONS or word.startswith("x-")


def _union(schema: Mapping[str, Any], branches: Iterable[Any]) -> PlainTypes | None:
    """Return the types of alternatives that are nothing but types."""
    found = [plain_types(branch) for branch in branches]
    if schema.keys() - _ANNOTATIONS - {"type"} != {"anyOf"} or not found:
        return None
    if any(each is None or each.bounds for each in found):
        return None
    names = frozenset().union(*(each.names for each in found if each is not None))
    # A flattened schema names the types once more.
    if "type" in schema and _type_names(schema["type"]) != names:
        return None
    return PlainTypes(names, {})

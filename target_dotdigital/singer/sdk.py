"""Everything that is used of the SDK beyond what it promises to keep.

Names that begin with an underscore may change with any release of singer-sdk. Each of them that
this target imports, calls or overrides is in `PRIVATE_PARTS`, with what it is for and why nothing
public does it. `tests/singer/test_sdk.py` compares the list with the SDK that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from singer_sdk import mapper
from singer_sdk.helpers import _flattening
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.mapper import CustomStreamMap, PluginMapper
from singer_sdk.plugin_base import PluginBase, _ConfigInput
from singer_sdk.sinks import Sink
from singer_sdk.target_base import Target

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from types import TracebackType

__all__ = [
    "PRIVATE_PARTS",
    "ConfigInput",
    "classproperty",
    "evaluated_property",
    "evaluation",
    "set_flattened_json",
    "stream_alias",
]

ConfigInput = _ConfigInput


def stream_alias(expression: str, stream: str) -> str:
    """Return what a stream map calls a stream.

    Args:
        expression: The map's `__alias__`, which may be an expression.
        stream: What the tap calls the stream.

    Raises:
        MapExpressionError: It cannot be evaluated.
    """
    return PluginMapper._eval_stream(expression, stream)  # noqa: SLF001 - see PRIVATE_PARTS


def evaluated_property(traceback: TracebackType | None) -> tuple[bool, str | None]:
    """Return whether an expression was being evaluated, and the property that it makes.

    Args:
        traceback: Of an error that a stream map has raised.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename == mapper.__file__ and frame.f_code.co_name == "_eval":
            name = frame.f_locals.get("property_name")
            return True, name if isinstance(name, str) else None
        traceback = traceback.tb_next
    return False, None


def evaluation(stream_map: CustomStreamMap) -> Callable[[str, ast.expr, dict[str, Any], str], Any]:
    """Return what evaluates a stream map's expressions.

    Args:
        stream_map: The stream map.

    Returns:
        Takes an expression, also parsed, a record, and the property that is made; it may raise
        anything.
    """
    return stream_map._eval  # type: ignore[return-value]  # noqa: SLF001 - see PRIVATE_PARTS


def set_flattened_json(serialize: Callable[..., str]) -> None:
    """Let flattening write arrays and objects that it leaves whole with another function.

    Args:
        serialize: Takes the array or object, and options of the SDK's own function.
    """
    _flattening.serialize_json = serialize  # type: ignore[attr-defined]


class PrivatePart(NamedTuple):
    """Something of the SDK's own."""

    owner: Any
    """The class or module that has it."""
    name: str
    signature: str
    """Without types, as `inspect` writes it."""
    used_by: str
    purpose: str
    """What it is for, and why nothing public does it."""


_MESSAGES: Final = "Messages: the SDK has no public hook for a message of this type."
_METADATA: Final = "`add_record_metadata`: the SDK changes record and schema in private methods."

PRIVATE_PARTS: Final = (
    PrivatePart(
        classproperty,
        "__get__",
        "(self, obj, objtype=None)",
        "singer/command_line.py",
        "Overrides `_env_var_config`. A plain property does not work on the class.",
    ),
    PrivatePart(
        PluginBase,
        "_env_var_config",
        "(cls)",
        "singer/command_line.py",
        "Settings from the environment: the SDK reads lists and objects in another way.",
    ),
    PrivatePart(
        PluginBase,
        "_env_var_prefix",
        "(cls)",
        "singer/command_line.py",
        "Names of environment variables: the SDK's own prefix, which it tells only here.",
    ),
    PrivatePart(
        PluginBase,
        "_validate_config",
        "(self, *, raise_errors=True)",
        "singer/command_line.py",
        "The SDK's messages repeat values, so passwords too. It checks settings here only.",
    ),
    PrivatePart(
        PluginBase,
        "_config",
        "",
        "singer/command_line.py",
        "Defaults are filled into it. `config` is the same and read-only.",
    ),
    PrivatePart(
        PluginBase,
        "_handle_termination",
        "(self, signum, frame)",
        "target.py",
        "Signals: the SDK's own handler prints STATE for rows that are under way.",
    ),
    PrivatePart(
        Target,
        "_write_state_message",
        "(self, state)",
        "target.py",
        "Does nothing: STATE leaves when rows are settled, not when sinks are drained.",
    ),
    PrivatePart(Target, "_process_schema_message", "(self, message_dict)", "target.py", _MESSAGES),
    PrivatePart(Target, "_process_record_message", "(self, message_dict)", "target.py", _MESSAGES),
    PrivatePart(Target, "_process_state_message", "(self, message_dict)", "target.py", _MESSAGES),
    PrivatePart(
        Target,
        "_process_activate_version_message",
        "(self, message_dict)",
        "target.py",
        _MESSAGES,
    ),
    PrivatePart(Target, "_process_batch_message", "(self, message_dict)", "target.py", _MESSAGES),
    PrivatePart(
        Sink,
        "_add_sdc_metadata_to_record",
        "(self, record, message, context)",
        "sink.py",
        _METADATA,
    ),
    PrivatePart(Sink, "_remove_sdc_metadata_from_record", "(self, record)", "sink.py", _METADATA),
    PrivatePart(Sink, "_remove_sdc_metadata_from_schema", "(self)", "sink.py", _METADATA),
    PrivatePart(
        ConfigInput,
        "__init__",
        "(self, config=<factory>, parse_env=False)",
        "singer/configuration.py",
        "What `cb_config` has to return, which is public.",
    ),
    PrivatePart(
        _flattening,
        "serialize_json",
        "(obj, **kwargs)",
        "singer/flattening.py",
        "Replaced: the SDK writes flattened arrays as JSON in ASCII, and knows no option for it.",
    ),
    PrivatePart(
        PluginMapper,
        "_eval_stream",
        "(expr, stream_name)",
        "singer/stream_selection.py",
        "Aliases of streams: the SDK evaluates them only when it takes the SCHEMA in.",
    ),
    PrivatePart(
        CustomStreamMap,
        "_eval",
        "(self, expr, expr_parsed, record, property_name)",
        "singer/record_maps.py",
        "One property of a record that need not be whole: `transform` makes all of it. And which "
        "property's expression fails: the SDK's error does not tell.",
    ),
)

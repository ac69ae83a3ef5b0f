"""Opt-outs: the channels that a contact has opted out of, as a row says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.values.field_values import to_boolean, to_date
from target_dotdigital.mapping.values.property_path import is_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.mapping.values.property_path import PropertyPath

OPT_OUT_RULE: Final = "opt-out"
"""What a row breaks whose property says neither yes nor no."""


def has_opted_out(value: object) -> bool:
    """Return whether a value says that somebody has opted out.

    A boolean, a word that clearly means one, and a date say it; so do null and a blank text, which
    mean no. Everything else could mean either, and what is taken for a no would leave somebody
    subscribed who has opted out.

    Args:
        value: What a record holds.

    Raises:
        UnfitError: It cannot be told.
    """
    if value is False or is_empty(value):
        return False
    if value is True:
        return True
    try:
        return to_boolean(value)
    except UnfitError:
        pass
    try:
        to_date(value)
    except UnfitError:
        raise UnfitError("true, false or an ISO 8601 date is needed") from None
    return True


def opt_out_reader(channel: str, path: str) -> Callable[[object], bool]:
    """Return the function that reads a property's value as an opt-out.

    Args:
        channel: The channel.
        path: The property that is mapped to it.

    Returns:
        A function of any value, `ABSENT` too. It raises `RowRejectedError` with the code
        `field.type`.
    """

    def read(value: object) -> bool:
        try:
            return has_opted_out(value)
        except UnfitError as error:
            reason = f"property '{path}' for the opt-out of {channel}: {error}"
            raise RowRejectedError("field.type", reason, property=path, rule=OPT_OUT_RULE) from None

    return read


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The properties that say which channels a contact has opted out of."""

    paths: Mapping[str, PropertyPath]
    """By channel, the property that says it."""

    def read(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the channels that a record's contact has opted out of.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: It cannot be told of one; code `field.type`.
        """
        return tuple(
            channel
            for channel, path in self.paths.items()
            if opt_out_reader(channel, path.name)(path.read(record))
        )

"""Names of properties, identifiers and data fields: which of them mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import SettingsError
from target_dotdigital.near_misses import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_dotdigital.settings import StreamSettings


def match_property(match_identifier: str, properties: Mapping[str, Any]) -> str | None:
    """Return the property that holds the match identifier when the settings name none.

    Args:
        match_identifier: The identifier's name.
        properties: The schema's properties.

    Raises:
        SettingsError: Several properties could be it.
    """
    path, clash = find_by_name(match_identifier, properties)
    if clash:
        raise SettingsError(
            f"Several properties mean {match_identifier}: {', '.join(clash)}. Name one under "
            "'identifiers'"
        )
    return path


def find_by_name(wanted: str, names: Iterable[str]) -> tuple[str | None, list[str]]:
    """Find a name by its letters and digits; of several, the one that is spelled alike.

    Args:
        wanted: A property, a data field or an identifier.
        names: The names that could mean the same.

    Returns:
        The name, or None; and the names that it could be if it is not clear which.
    """
    key = _letters_and_digits(wanted)
    alike = [name for name in names if _letters_and_digits(name) == key]
    if len(alike) > 1:
        alike = [name for name in alike if name.lower() == wanted.lower()] or alike
    if len(alike) > 1:
        alike = [name for name in alike if name == wanted] or alike
    return (alike[0], []) if len(alike) == 1 else (None, alike)


def _letters_and_digits(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def unknown_fields(settings: StreamSettings, data_fields: Mapping[str, str]) -> list[str]:
    """Return the mapped data fields that the account lacks.

    Args:
        settings: A stream's settings.
        data_fields: The account's data fields: name to type.
    """
    known = {name.lower() for name in data_fields}
    return [field for field in settings.fields or {} if field.lower() not in known]


def no_data_field(field: str, data_fields: Iterable[str]) -> str:
    """Return the message that the account lacks a data field, with the name probably meant.

    Args:
        field: The data field, as the settings name it.
        data_fields: The account's data fields.
    """
    return f"The account has no data field '{field}'.{did_you_mean(field, data_fields)}"

"""What the settings name and the account lacks: address books and data fields, created once.

Nothing here is sent before everything else has been checked. Another target may create the same at
the same time: that it exists already is success.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from target_dotdigital.api import DataField
from target_dotdigital.errors import DotdigitalError, RequestRefusedError, SettingsError, joined
from target_dotdigital.mapping import field_type, no_data_field, unknown_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from typing import Any, TypeVar

    from target_dotdigital.api import AddressBook, Client
    from target_dotdigital.clock import Clock
    from target_dotdigital.settings import StreamSettings

    T = TypeVar("T")

MAX_FIELD_NAME: Final = 20

RESERVED_FIELDS: Final = frozenset(
    {
        "account",
        "campaign",
        "campaignid",
        "contact",
        "contact_api_id",
        "contactid",
        "email",
        "hcontactid",
        "hemail",
        "hemail256",
        "id",
        "messagecontent",
        "mobilenumberid",
        "notes",
        "uniquecontactid",
        "unsubscribed",
    }
)
"""Names that Dotdigital keeps for its own merge tags. Source: its help on contact data fields."""

LOOK_AGAIN_WAITS_SECONDS: Final = (1.0, 4.0)
"""What another target has just created may not be listed at once: nothing says that it is."""

_FIELD_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_FIELD_NAME}}}")

_REASONS: Final = {
    "ERROR_ADDRESSBOOK_INVALID": "Dotdigital refuses the name. Choose another one",
    "ERROR_ADDRESSBOOK_LIMITEXCEEDED": (
        "the account has no room for another address book. Delete one, or name an existing one"
    ),
    "ERROR_DATAFIELD_INVALID": "Dotdigital refuses the name. Choose another one",
    "ERROR_DATAFIELD_LIMITEXCEEDED": (
        "the account has no room for another data field. Delete one, or map to an existing one"
    ),
}

_logger = logging.getLogger("target-dotdigital.creation")


def field_name_problem(name: str) -> str | None:
    """Return why no data field can be created under a name, or None if one can.

    Args:
        name: The name, as the settings spell it.
    """
    if not _FIELD_NAME.fullmatch(name):
        return f"a name has 1 to {MAX_FIELD_NAME} letters, digits, - and _"
    if name.lower() in RESERVED_FIELDS:
        return "Dotdigital reserves this name"
    return None


def field_problem(
    settings: StreamSettings, data_fields: Mapping[str, str], *, creates: bool
) -> str | None:
    """Return what is wrong with the data fields that a stream maps and the account lacks.

    Args:
        settings: The stream's settings.
        data_fields: The account's data fields: name to type.
        creates: Whether they are created.

    Returns:
        A text that names each of them, and what to do; None if nothing is wrong.
    """
    missing = unknown_fields(settings, data_fields)
    if creates:
        problems = [
            f"The data field '{field}' cannot be created: {problem}."
            for field in missing
            if (problem := field_name_problem(field)) is not None
        ]
        remedy = "Map another data field"
    else:
        problems = [no_data_field(field, data_fields) for field in missing]
        remedy = "Map an existing one, or to create it, set create_data_fields: true"
    return " ".join([*problems, remedy]) if problems else None


def new_beside(what: str, other: str) -> str:
    """Return the warning of something to be created whose name is nearly another one's.

    Args:
        what: What it is, with its name.
        other: The name of what exists.
    """
    return f"New {what}: '{other}' exists. Did you mean '{other}'?"


class Creation:
    """Creates what one account lacks, and knows what this run has created. For the main thread."""

    def __init__(self, client: Client, clock: Clock, *, is_planned: bool = False) -> None:
        """Create nothing yet.

        Args:
            client: Calls the account.
            clock: Waits until what others have created is listed.
            is_planned: Whether it is only noted what would be created, as in a dry run.
        """
        self.is_planned = is_planned
        self.planned_address_books: dict[int, str] = {}
        """How messages speak of those that would be created, by the number that stands for each."""
        self._client = client
        self._clock = clock
        self._created: dict[str, tuple[str, str]] = {}  # name to type and stream
        self.doubts: list[str] = []
        """Warnings of what is, or would be, created under a name that is nearly another one's."""

    def doubt(self, text: str) -> None:
        """Warn that something new has a name that is nearly another one's.

        Args:
            text: The warning. It names what the settings name, and nothing of a record.
        """
        self.doubts.append(text)
        _logger.warning("%s", text)

    def address_book(self, name: str, shown: str) -> int:
        """Create an address book that was not found, and return its ID.

        Args:
            name: Its name, which `address_book_name_problem` finds nothing wrong with.
            shown: How messages speak of it: its name, unless that is a record's value.

        Raises:
            SettingsError: It cannot be created.
            TargetDotdigitalError: Dotdigital cannot be reached, or fails.
        """
        if self.is_planned:
            number = -1 - len(self.planned_address_books)  # never an ID of Dotdigital's
            self.planned_address_books[number] = shown
            return number

        def find() -> AddressBook | None:
            return next((book for book in self._client.address_books() if book.name == name), None)

        try:
            created = self._client.create_address_book(name, find)
        except RequestRefusedError as error:
            if error.code != "ERROR_ADDRESSBOOK_DUPLICATE":
                raise _refusal(f"The address book {shown} cannot be created", error) from None
            found = self._look_again(find)
            if found is None:
                raise self._name_clash(name, shown) from None
            _logger.info(
                "Another program created the address book %s meanwhile: %d", shown, found.id
            )
            return found.id
        _logger.info("Created the address book %s: %d", shown, created.id)
        return created.id

    def _name_clash(self, name: str, shown: str) -> SettingsError:
        """Say whose name it is: the code stands for segments too, and may ignore case."""
        key = name.strip().casefold()
        alike = [
            book.id for book in self._client.address_books() if book.name.strip().casefold() == key
        ]
        if alike:
            hint = f"address book {alike[0]} differs only in case or blanks. Use its ID"
        else:
            hint = "a segment has it, or Dotdigital reserves it. Choose another name"
        return SettingsError(
            f"The address book {shown} cannot be created, because its name is taken: {hint}"
        )

    @property
    def created_fields(self) -> dict[str, tuple[str, str]]:
        """The data fields that were created, or would be: name to type and stream."""
        return dict(self._created)

    def missing_fields(
        self,
        stream: str,
        settings: StreamSettings,
        schema: Mapping[str, Any],
        data_fields: Mapping[str, str],
    ) -> dict[str, str]:
        """Return the mapped data fields that are to be created: name to type.

        Args:
            stream: The stream's name.
            settings: Its settings.
            schema: Its JSON schema, after stream maps.
            data_fields: The account's data fields: name to type.

        Raises:
            SettingsError: Another stream has wanted one of them with another type.
        """
        fields = settings.fields or {}
        problems = []
        for field, path in fields.items():
            created, other = self._created.get(field.upper(), ("", stream))
            wanted = field_type(schema, path)
            if other != stream and created != wanted:
                problems.append(
                    f"The new data field {field.upper()} is {created} by the schema of stream "
                    f"'{other}', and {wanted} by this one. Give both properties the same type"
                )
        if problems:
            raise SettingsError(joined(problems))
        return {
            # As Dotdigital keeps names.
            field.upper(): field_type(schema, fields[field])
            for field in unknown_fields(settings, data_fields)
        }

    def data_fields(
        self, stream: str, wanted: Mapping[str, str], data_fields: MutableMapping[str, str]
    ) -> None:
        """Create data fields, and note them with those of the account.

        Args:
            stream: The stream that they are for.
            wanted: What `missing_fields` returned for it.
            data_fields: The account's data fields: name to type.

        Raises:
            SettingsError: One cannot be created, or exists meanwhile with another type.
            TargetDotdigitalError: Dotdigital cannot be reached, or fails.
        """
        for name, kind in wanted.items():
            field = self._data_field(name, kind)
            if field.type != kind:
                raise SettingsError(
                    f"The data field {name} should be {kind} by the schema of stream '{stream}', "
                    f"but another program created it as {field.type}. Map another data field"
                )
            data_fields[field.name] = field.type
            self._created[name] = (kind, stream)

    def _data_field(self, name: str, kind: str) -> DataField:
        if self.is_planned:
            return DataField(name, kind)

        def find() -> DataField | None:
            fields = self._client.data_fields()
            return next((field for field in fields if field.name.upper() == name), None)

        try:
            created = self._client.create_data_field(name, kind, find)
        except RequestRefusedError as error:
            if error.code != "ERROR_NON_UNIQUE_DATAFIELD":
                raise _refusal(f"The data field {name} cannot be created", error) from None
            found = self._look_again(find)
            if found is None:
                raise DotdigitalError(
                    f"Dotdigital says that the data field {name} exists, but does not list it. Run "
                    "it again later"
                ) from None
            _logger.info(
                "Another program created the data field %s meanwhile: %s", name, found.type
            )
            return found
        _logger.info("Created the data field %s: %s", name, created.type)
        return created

    def _look_again(self, find: Callable[[], T | None]) -> T | None:
        for seconds in (0.0, *LOOK_AGAIN_WAITS_SECONDS):
            self._clock.sleep(seconds)
            if (found := find()) is not None:
                return found
        return None


def _refusal(what: str, error: RequestRefusedError) -> Exception:
    reason = _REASONS.get(error.code)
    return error if reason is None else SettingsError(f"{what} ({error.code}): {reason}")

"""The mapping of a stream's records to contacts, compiled for each SCHEMA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.contacts import (
    Contact,
    OwnSource,
    channel_properties,
    email_properties,
    normalise,
)
from target_dotdigital.mapping.mapping_compiler import MappingCompiler
from target_dotdigital.mapping.values import ABSENT, Rounded, is_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from target_dotdigital.mapping.contacts import ChannelProperties, HeldOptOuts
    from target_dotdigital.mapping.values import Sendable
    from target_dotdigital.settings import StreamSettings

_encode = msgspec.json.Encoder().encode


class ContactMapping:
    """The compiled function record → contact of one stream and one version of its SCHEMA."""

    def __init__(
        self,
        settings: StreamSettings,
        schema: Mapping[str, Any],
        data_fields: Mapping[str, str],
        address_book_id: int | None,
        find_address_book: Callable[[str | int], int] | None = None,
    ) -> None:
        """Compile the mapping.

        Args:
            settings: The stream's settings.
            schema: The stream's JSON schema, after stream maps.
            data_fields: The account's data fields: name to type.
            address_book_id: The list that the contacts join.
            find_address_book: Returns the ID of an address book that a row names, by its ID or
                name. It raises `UnfitError` if a contact cannot join it.

        Raises:
            SettingsError: The settings do not fit the schema or the account; all of it at once.
            DotdigitalError: A mapped data field has a type that is not documented.
        """
        mapped = MappingCompiler(settings, schema, data_fields).compile(find_address_book)
        self.mapped = mapped
        """All properties that are mapped."""
        self.identifiers = mapped.identifiers
        """The properties of the identifiers, the matching one first."""
        self.fields = mapped.fields
        """The properties of the data fields."""
        self.preferences = mapped.preferences
        self.consent = mapped.consent
        self.opt_outs = mapped.opt_outs
        """The properties that say which channels a contact has opted out of."""
        self.held_opt_outs: HeldOptOuts | None = None
        """Those of the whole run; None if no later row could undo one."""
        self._skips_new = settings.opt_out_new == "skip"
        self.address_books = mapped.address_books
        self.paths = [path.segments for path in mapped.paths]
        """Where in a record the values are that a contact is made of."""
        self.keeps_empty = settings.merge_option == "overwrite"
        """Whether nulls and empty texts are sent: they change nothing, or must not, otherwise."""
        self._email = email_properties(settings)
        self.lists = None if address_book_id is None else [address_book_id]
        """The lists that every contact joins; None if they are none, or the rows name them."""
        self.rounded: list[str] = []
        """The data fields of the last contact whose numbers were rounded."""
        self.opted_out: tuple[str, ...] = ()
        """The channels that the row of the last contact opts out of."""
        self.row_books: list[int] = []
        """The address books that the row of the last contact names."""

    def channel_properties(self, opted_out: Collection[str]) -> ChannelProperties:
        """Return what is sent for the channels of a contact.

        Args:
            opted_out: Those that it has opted out of.
        """
        return channel_properties(self._email, opted_out)

    def is_left_out(self, opted_out: Collection[str]) -> bool:
        """Return whether a contact is left out if the account does not know it.

        Whoever can still be reached by one of the channels is no less welcome than others.

        Args:
            opted_out: The channels that its row opts out of.
        """
        return self._skips_new and 0 < len(opted_out) == len(self.opt_outs.paths)

    def contact(self, record: Mapping[str, Any]) -> Contact:
        """Map a record.

        Args:
            record: The record, after stream maps.

        Returns:
            The contact, without its rows.

        Raises:
            RowRejectedError: The record cannot become a contact.
        """
        identifiers = self._read_identifiers(record)
        identities = [normalise(name, value) for name, value in identifiers.items()]
        contact: dict[str, object] = {
            "matchIdentifier": self.identifiers[0].name,
            "identifiers": identifiers,
        }
        if data_fields := self._read_fields(record):
            contact["dataFields"] = data_fields
        if preferences := self.preferences.read(record):
            contact["preferences"] = preferences
        if self.consent is not None and (consent := self.consent.read(record)):
            contact["consentRecords"] = [consent]
        opted_out, only_if_known = self._read_opt_outs(record, identities)
        if channels := self.channel_properties(opted_out):
            contact["channelProperties"] = channels
        if self.lists is not None:
            contact["lists"] = self.lists
        if self.address_books is not None:
            # Last: of a row that is rejected anyway, no address book needs to be looked up.
            contact["lists"] = self.row_books = self.address_books.read(record)
        try:
            body = _encode(contact)
        except UnicodeEncodeError:
            raise RowRejectedError(
                "field.type",
                "A mapped text is not valid Unicode (it holds half a surrogate pair)",
                rule="Unicode",
            ) from None
        return Contact(
            identities[0], tuple(identities[1:]), OwnSource(body), only_if_known=only_if_known
        )

    def leaver(self, record: Mapping[str, Any]) -> Contact:
        """Map a record that is marked as deleted to the contact that is to leave.

        Args:
            record: The record, after stream maps. It may hold little more than an identifier.

        Returns:
            The contact, without its rows. Its JSON is an object with the match identifier alone.

        Raises:
            RowRejectedError: The record does not identify the contact.
        """
        name, path, check = self.identifiers[0]
        value = path.read(record)
        if is_empty(value):
            reason = f"The deleted row has no match identifier: property '{path.name}' is empty"
            raise RowRejectedError("delete.unidentified", reason, property=path.name, rule=name)
        checked = check(value)
        key = normalise(name, checked)
        others = dict.fromkeys(self.raw_identities(record))
        others.pop(key, None)
        try:
            return Contact(key, tuple(others), OwnSource(_encode({name: checked})))
        except UnicodeEncodeError:
            raise RowRejectedError(
                "identifier.invalid",
                f"Property '{path.name}' is not valid Unicode",
                property=path.name,
                rule="Unicode",
            ) from None

    def raw_identities(self, record: Mapping[str, Any]) -> list[str]:
        """Return all identifiers that a record holds, normalised, whether they are valid or not.

        Args:
            record: The record, after stream maps.
        """
        found = []
        for each in self.identifiers:
            try:
                value = each.path.read(record)
            except RowRejectedError:
                continue
            if not (is_empty(value) or isinstance(value, (dict, list))):
                found.append(each.identity(value))
        return found

    def _read_identifiers(self, record: Mapping[str, Any]) -> dict[str, str | int]:
        """Return the identifiers, the matching one first; others that are null are left out."""
        found: dict[str, str | int] = {}
        for place, (name, path, check) in enumerate(self.identifiers):
            value = path.read(record)
            if is_empty(value):
                if place == 0:
                    raise RowRejectedError(
                        "identifier.missing",
                        f"Property '{path.name}' is empty",
                        property=path.name,
                        rule=name,
                    )
                continue
            found[name] = check(value)
        return found

    def _read_opt_outs(
        self, record: Mapping[str, Any], identities: Sequence[str]
    ) -> tuple[Sequence[str], bool]:
        """Return the channels that a contact has opted out of, and whether it must be known."""
        self.opted_out = opted_out = self.opt_outs.read(record)
        is_left_out = self.is_left_out(opted_out)
        if self.held_opt_outs is None:
            return opted_out, is_left_out
        return self.held_opt_outs.hold(identities, opted_out, is_left_out=is_left_out)

    def _read_fields(self, record: Mapping[str, Any]) -> dict[str, Sendable | None]:
        self.rounded = []
        found: dict[str, Sendable | None] = {}
        for name, path, _, convert in self.fields:
            value = path.read(record)
            if value is ABSENT:
                continue
            if not self.keeps_empty and (value is None or value == ""):
                continue
            sent = None if value is None else convert(value)
            if isinstance(sent, Rounded):
                self.rounded.append(name)
                sent = sent.sent
            if self.keeps_empty or sent != "":
                found[name] = sent
        return found

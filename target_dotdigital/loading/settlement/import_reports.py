"""From an import's report to what became of each contact in it.

The report names contacts by their identifiers only, and nearly every part of it is optional. A
contact counts as imported only when the report says so, one by one or by its sums.
Source: https://developer.dotdigital.com/reference/getimportstatus.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.api import ImportSummary
from target_dotdigital.errors import DotdigitalError, SettingsError
from target_dotdigital.loading.settlement.reject_codes import reject_code
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.mapping import CONTACT_ID, normalise, normalise_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from target_dotdigital.api import FailedContact, ImportStatus, WrittenContact
    from target_dotdigital.mapping import Contact

_key_of = attrgetter("key")
_source_of = attrgetter("source")
_other_identities_of = attrgetter("other_identities")
_WRONG_ADDRESS_BOOK = "dotdigital.invalidaddressbookids"


def settle_import(
    import_id: str, report: ImportStatus, contacts: Collection[Contact]
) -> Settlement:
    """Read the report of an import that has finished.

    Args:
        import_id: The import's ID, for messages.
        report: Its report.
        contacts: What was sent.

    Raises:
        SettingsError: The address book is gone.
        DotdigitalError: The report does not account for every contact.
    """
    settlement = Settlement()
    unlisted: Collection[Contact] = contacts
    if report.created or report.updated or report.failures:
        unlisted = _settle_listed(import_id, _Listed(report, contacts), settlement, contacts)
    if unlisted:
        _settle_unlisted(import_id, report.summary, settlement, unlisted)
    return settlement


class _Failed(NamedTuple):
    """An entry of a report's failures."""

    identities: set[str]
    codes: list[str]
    """Its reject codes, at least one; the first one counts."""


class _Listed:
    """The lists of a report, by the identities of the contacts that they name.

    Attributes:
        sent: The contacts that were sent, by identity.
        created: Identities of contacts that are new to the account.
        updated: Identities of contacts that were in the account.
        failures: Contacts, or parts of them, that were refused.
        failed: The first reject code, by identity.
    """

    def __init__(self, report: ImportStatus, contacts: Collection[Contact]) -> None:
        """Read the lists.

        Args:
            report: The report.
            contacts: What was sent.
        """
        self._report = report
        self.sent = dict(zip(map(_key_of, contacts), contacts, strict=True))
        if any(map(_other_identities_of, contacts)):
            self.sent = {identity: each for each in contacts for identity in each.identities}
        # The names of identifiers that were sent, by their lower-case form.
        names = {identity.partition(":")[0] for identity in self.sent}
        self._spellings = {name.lower(): name for name in names}
        self.created = self._written(report.created)
        self.updated = self._written(report.updated)
        self.failures = [self._failure(entry) for entry in report.failures or ()]
        self.failed: dict[str, str] = {}
        for identities, codes in self.failures:
            for identity in identities:
                self.failed.setdefault(identity, codes[0])

    def code(self, contact: Contact) -> str | None:
        """Return the first reject code of a contact, or None.

        Args:
            contact: A contact that was sent.
        """
        if not self.failed:
            return None
        return next((self.failed[one] for one in contact.identities if one in self.failed), None)

    def unmatched(self) -> Counter[str]:
        """Return the codes of failures of contacts that were not sent."""
        sent = self.sent.keys()
        return Counter(codes[0] for named, codes in self.failures if sent.isdisjoint(named))

    def ids(self) -> Iterator[tuple[Contact, int]]:
        """Yield the contact IDs that the report names, each with the contacts that it may be of."""
        report = self._report
        by_identity_set = {
            identity_set: each for each in self.sent.values() for identity_set in each.identity_sets
        }
        for entry in (*(report.created or ()), *(report.updated or ()), *(report.failures or ())):
            if entry.contact_id is None:
                continue
            named = _identities(entry, self._spellings)
            # If Dotdigital spells the identifiers in a way of its own, it may be of any contact.
            owners = [
                self.sent[one] for one in named if one in self.sent
            ] or by_identity_set.values()
            for contact in owners:
                yield contact, entry.contact_id

    def _written(self, entries: Sequence[WrittenContact] | None) -> set[str]:
        """Return the identities of entries, as far as identifiers of such names were sent."""
        found: set[str] = set()
        identifiers = [each.identifiers or {} for each in entries or ()]
        for name in dict.fromkeys(chain.from_iterable(identifiers)):
            sent_as = self._spellings.get(name.lower())
            if sent_as is not None:
                values = [each.get(name) for each in identifiers]
                found.update(normalise_all(sent_as, [one for one in values if one is not None]))
        if CONTACT_ID in self._spellings.values():
            ids = [each.contact_id for each in entries or ()]
            found.update(normalise_all(CONTACT_ID, [one for one in ids if one is not None]))
        return found

    def _failure(self, entry: FailedContact) -> _Failed:
        codes = [reject_code(failure.failure_code) for failure in entry.failures or ()]
        identities = _identities(entry, self._spellings)
        if entry.match_identifier is not None:
            # Its other identifiers may be those of a contact that is all right.
            match = entry.match_identifier.lower()
            start = f"{self._spellings.get(match, entry.match_identifier)}:"
            identities = {each for each in identities if each.startswith(start)} or identities
        return _Failed(identities, codes or [reject_code(None)])


def _settle_listed(
    import_id: str, listed: _Listed, settlement: Settlement, contacts: Collection[Contact]
) -> list[Contact]:
    """Settle by the report's lists; return the contacts that are in none."""
    if any(code.lower() == _WRONG_ADDRESS_BOOK for each in listed.failures for code in each.codes):
        raise SettingsError(
            f"Import {import_id}: Dotdigital does not know the address book. Create it again, or "
            "name another one"
        )
    keys = [*map(_key_of, contacts)]
    settlement.new += compress(contacts, map(listed.created.__contains__, keys))
    updated = listed.updated - listed.created
    settlement.updated += compress(contacts, map(updated.__contains__, keys))
    written = listed.created | updated
    settlement.imported += compress(contacts, map(written.__contains__, keys))
    unlisted = [contact for contact in contacts if contact.key not in written]
    if listed.failed:
        codes = {contact.key: listed.code(contact) for contact in contacts}
        settlement.warnings += _coded(settlement.imported, codes)
        settlement.rejected += _coded(unlisted, codes)
        unlisted = [contact for contact in unlisted if codes[contact.key] is None]
    settlement.unmatched += listed.unmatched()
    sources = set(map(_source_of, contacts))
    if any(held is not None for source in sources for held in source.identity_sets):
        settlement.ids += listed.ids()
    return unlisted


def _coded(
    contacts: Iterable[Contact], codes: Mapping[str, str | None]
) -> Iterator[tuple[Contact, str]]:
    """Yield the contacts that have a reject code, with it."""
    for contact in contacts:
        code = codes[contact.key]
        if code is not None:
            yield contact, code


def _settle_unlisted(
    import_id: str,
    summary: ImportSummary | None,
    settlement: Settlement,
    unlisted: Collection[Contact],
) -> None:
    """Settle by the report's sums what its lists leave out."""
    sums = summary or ImportSummary()
    written = sums.new_contacts + sums.updated_contacts - len(settlement.imported)
    refused = Counter(
        {
            "dotdigital.globallySuppressed": sums.globally_suppressed,
            "dotdigital.invalidEntries": sums.invalid_entries,
            "dotdigital.duplicateIdentifiers": sums.duplicate_identifiers,
        }
    )
    add_up = written >= 0 and min(refused.values()) >= 0
    if add_up and written == len(unlisted):
        settlement.imported += unlisted
        if sums.updated_contacts == len(settlement.updated):
            settlement.new += unlisted
        elif sums.new_contacts == len(settlement.new):
            settlement.updated += unlisted
    elif add_up and not settlement.rejected and written + sum(refused.values()) == len(unlisted):
        settlement.unnamed += unlisted
        settlement.unnamed_codes += refused
    else:
        known = len(settlement.imported) + len(settlement.rejected)
        raise DotdigitalError(
            f"Import {import_id}: Dotdigital's report covers {known} of {known + len(unlisted)} "
            "contacts. The rows of the others are not settled"
        )


def _identities(entry: WrittenContact | FailedContact, spellings: Mapping[str, str]) -> set[str]:
    """Return an entry's identifiers, normalised, however the report spells their names."""
    found = {
        normalise(spellings.get(name.lower(), name), value)
        for name, value in (entry.identifiers or {}).items()
        if value is not None
    }
    if entry.contact_id is not None:
        found.add(normalise(CONTACT_ID, entry.contact_id))
    return found

"""The fingerprints of a run: what of each stream need not be sent, and what is kept for the next.

A contact is sent only if it is new, or differs from what was last settled. What is sent is dropped
from the file before it is on its way, and comes back once Dotdigital has confirmed it. So a run may
be killed at any moment: whoever may have got something else is sent again.
"""

from __future__ import annotations

import logging
import secrets
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from msgspec.structs import replace

from target_dotdigital.errors import StorageError
from target_dotdigital.files import unwritable
from target_dotdigital.fingerprints.changes import identities_of
from target_dotdigital.fingerprints.hashing import KEY_BYTES, Hasher, clear_ids, lay_traces, settle
from target_dotdigital.fingerprints.packing import (
    Head,
    UnreadableError,
    pack,
    pack_changes,
    unpack_head,
    unpack_streams,
)
from target_dotdigital.fingerprints.pairs import Unchanged, UnchangedContacts
from target_dotdigital.fingerprints.stored_file import SETTING, StoredFile
from target_dotdigital.fingerprints.stream_fingerprints import StreamFingerprints

if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from target_dotdigital.fingerprints.terms import StreamTerms
    from target_dotdigital.mapping import Contact, IdentitySet
    from target_dotdigital.settings import Settings

DAY_SECONDS = 86_400

SLACK_SECONDS = 2 * 60 * 60
"""A run each night does not begin at the same second, and in summer an hour earlier."""

_logger = logging.getLogger("target-dotdigital.fingerprints")


class Fingerprints:
    """The fingerprints of all streams. They belong to the main thread.

    While mirrors remove contacts, when nothing else goes on, they belong to the thread that does.

    Attributes:
        hasher: Hashes identities and contacts, under the file's key once that is read.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        """Open and lock the file. Nothing is known of it yet: that takes the account.

        Args:
            settings: The target's settings.
            path: The file.

        Raises:
            SettingsError: Another run uses the file.
            StorageError: It cannot be read, or written.
        """
        self._sends_all = settings.send == "all"
        self._max_seconds = settings.send_all_every_days * DAY_SECONDS
        self._file = StoredFile(path, is_read_only=settings.dry_run)
        self._is_kept = not settings.dry_run
        self._account: str | None = None
        self._version = version("target-dotdigital")
        self._key = secrets.token_bytes(KEY_BYTES)
        self._streams: dict[str, StreamFingerprints] = {}
        self._begun: set[str] = set()
        """Streams of which everything is sent in this run."""
        self._came: set[str] = set()
        """The streams of this run."""
        self._outdated: list[StreamFingerprints] = []
        """Those of an earlier SCHEMA of this run."""
        self.hasher = Hasher(self._key)

    # Streams.

    def stream(
        self, name: str, terms: StreamTerms, account: str, doubt: str | None
    ) -> StreamFingerprints:
        """Return the fingerprints of a stream that is about to be loaded.

        Args:
            name: The stream's name after stream maps.
            terms: Under which terms its contacts are sent.
            account: What the account is known by.
            doubt: Why nothing that was settled earlier may be there; None if it should be.

        Raises:
            StorageError: It cannot be kept that they are of no use any more.
        """
        if self._account is None:
            self._account = account
            self._load()
        known = self._streams.get(name)
        stranger = self._forget_strangers(name, terms)
        reason = self._why_not(known, terms, doubt, stranger)
        self._came.add(name)
        if known is not None and reason is None:
            is_new = known.terms != terms
            if is_new:
                known.forget_lines(terms)
            if is_new or stranger is not None:
                self._keep(urgent=True, anew=True)
            return known
        if not self._sends_all:
            _logger.info("Stream '%s': everything is sent: %s", name, reason)
        if known is not None:
            self._outdated.append(known)
        fresh = StreamFingerprints(name, terms, time.time())
        fresh.is_blind = stranger in self._came
        self._streams[name] = fresh
        self._begun.add(name)
        # Now: once something is sent under other terms, what was known is not true any more.
        self._keep(urgent=True, anew=True)
        return fresh

    def _forget_strangers(self, name: str, terms: StreamTerms) -> str | None:
        """Forget what is known of streams that find contacts by another identifier; return one.

        It cannot be told which of their contacts this stream writes to. If such a stream is in
        this run, too, nothing can be kept of either. Then it is the one that is returned.
        """
        strangers = [
            each
            for each in self._streams.values()
            if each.stream != name and each.terms.match != terms.match
        ]
        for each in strangers:
            each.forget_all()
            each.is_blind = each.is_blind or each.stream in self._came
        names = sorted((each.stream for each in strangers), key=self._came.__contains__)
        return names[-1] if names else None

    def _why_not(
        self,
        known: StreamFingerprints | None,
        terms: StreamTerms,
        doubt: str | None,
        stranger: str | None,
    ) -> str | None:
        """Return why everything of a stream is to be sent from now on; None if it is not."""
        if known is None:
            return "nothing of it is known from earlier runs"
        if replace(known.terms, schema=terms.schema) != terms:
            return "its settings, or the account's data fields, have changed"
        if known.stream in self._begun:
            return None  # everything of it is sent already
        if stranger is not None and known.stream not in self._came and known.is_empty:
            return f"stream '{stranger}' finds contacts by another identifier"
        if doubt is not None or self._sends_all:
            return doubt or "send is all"
        return self._why_now(known)

    def _why_now(self, known: StreamFingerprints) -> str | None:
        """Return why it is time to send everything of a stream once more; None if it is not."""
        seconds = time.time() - known.sent_all_at
        if seconds < 0:
            return "the clock was set back since the last time"
        if 0 < self._max_seconds <= seconds + SLACK_SECONDS:
            return "the last time is send_all_every_days ago"
        return None

    # Contacts.

    def send(
        self,
        contacts: Sequence[Contact],
        bodies: array[int] | None = None,
        lines: array[int] | None = None,
    ) -> list[bool]:
        """Return for each of some contacts whether it is to be sent, and take note of these.

        Args:
            contacts: Contacts of one stream, each of one row, in order; at least one.
            bodies: The hash of each one's JSON, if it is known.
            lines: The hash of each row's line, if it matters.
        """
        stream = self._streams[contacts[0].rows[0].counts.stream]
        own = lay_traces(stream, self.hasher, contacts, bodies, lines)
        if not stream.contacts:  # none of them can be unchanged
            stream.send(own)
            self._drop_others(stream, contacts)
            return [True] * len(contacts)
        are_sent = []
        for contact, trace in zip(contacts, own, strict=True):
            is_unchanged = stream.is_unchanged(trace, contact.source.sets_of(contact.place)[0])
            are_sent.append(not is_unchanged)
            if not is_unchanged:
                stream.send([trace])
                self._drop_others(stream, (contact,))
        return are_sent

    def _drop_others(self, stream: StreamFingerprints, contacts: Sequence[Contact]) -> None:
        """Forget in other streams what they send to contacts that a stream is about to send."""
        for each in self._streams.values():
            if each is not stream and each.has_any and each.terms.may_differ(stream.terms):
                for contact in contacts:
                    alike = stream.terms.body_under(each.terms, contact.body)
                    same = None if alike is None else self.hasher.bodies((alike,))[0]
                    for identity in identities_of(contact.traces):
                        each.drop(identity, same)

    def forget(self, identities: Iterable[str]) -> None:
        """Forget a contact that is about to leave.

        Args:
            identities: Everything that finds it.
        """
        self.drop(map(self.hasher.identity, identities))

    def drop(self, identities: Iterable[int]) -> None:
        """Forget contacts that are about to leave.

        Args:
            identities: The hashes of everything that finds them.
        """
        for hashed in identities:
            for each in self._streams.values():
                each.drop(hashed)

    def unchanged(self, streams: Collection[str], outdated: Collection[IdentitySet]) -> Unchanged:
        """Return the contacts that were in rows of this run and were not sent.

        Args:
            streams: The streams that count.
            outdated: The sets that hold the contacts of rows that do not count any more.
        """
        every = (*self._streams.values(), *self._outdated)
        return Unchanged(
            self.hasher.identities,
            [
                UnchangedContacts(each.contacts, each.others, each.seen.flags(outdated))
                for each in every
                if each.stream in streams
            ],
        )

    def settle(
        self,
        imported: Collection[Contact],
        others: Iterable[Contact],
        ids: Iterable[tuple[Contact, int]],
    ) -> None:
        """Take note of what has become of contacts.

        Args:
            imported: Those of which all was imported.
            others: All others.
            ids: The contact IDs that were told of them.
        """
        clear, unclear = clear_ids(ids)
        # Before the others: then they are not under way any more.
        doubtful = [each for each in imported if each.key in unclear] if unclear else []
        settle([*doubtful, *others], {}, are_imported=False)
        hashes = (self.hasher.identities(list(each)) for each in (clear, clear.values()))
        told = dict(zip(*hashes, strict=True))
        settle(imported, told, are_imported=True)

    # What is kept.

    def commit(self) -> None:
        """Make sure that nobody who was sent, or is about to be, is kept as he was before.

        Raises:
            StorageError: That cannot be made sure of.
        """
        self._keep(urgent=any(each.is_urgent for each in self._streams.values()))

    def close(self) -> None:
        """Keep what was settled, and let go of the file."""
        try:
            if self._account is not None:
                tidied = [each.tidy_up() for each in self._streams.values() if self._is_kept]
                self._keep(urgent=True, anew=any(tidied))
        finally:
            self._file.close()

    def _load(self) -> None:
        """Take over what the file holds, if it is of this account and this version."""
        file = self._file
        if file.data is not None:
            try:
                head, data = unpack_head(file.data)
                file.problem = self._foreign(head)
                if file.problem is None:
                    self._streams = {each.stream: each for each in unpack_streams(head, data)}
                    self._key = bytes.fromhex(head.key)
                    self.hasher = Hasher(self._key)
            except UnreadableError:
                file.problem = "it is damaged"
            file.data = None
        if file.problem is not None:
            self._streams = {}
            _logger.warning("%s: %s: %s; everything is sent", SETTING, file.path, file.problem)

    def _foreign(self, head: Head) -> str | None:
        if head.account != self._account:
            return "it is of another account"
        if head.version != self._version:
            return "it is of another version of target-dotdigital"
        return None

    def _keep(self, *, urgent: bool, anew: bool = False) -> None:
        """Write what is new into the file; empty it if that cannot be done."""
        if not self._is_kept or self._account is None:
            return
        streams = list(self._streams.values())
        try:
            if anew:
                self._file.replace(pack(self._account, self._version, self._key, streams))
            elif any(each.changes for each in streams):
                parts = [
                    part
                    for number, each in enumerate(streams)
                    for part in pack_changes(number, each.changes)
                ]
                self._file.append(parts, is_urgent=urgent)
        except OSError as error:
            self._give_up(error)
        for each in streams:
            each.note_written()

    def _give_up(self, error: OSError) -> None:
        """Empty the file: what cannot be written down would be a wrong skip in the next run."""
        self._is_kept = False
        reason = unwritable(SETTING, self._file.path, error)
        try:
            self._file.empty()
        except OSError:
            raise StorageError(
                f"{reason.message}, and not emptied either. Remove it before the next run: it is "
                "not true any more"
            ) from None
        _logger.warning(
            "%s. This run goes on; the file is emptied, and the next run sends everything",
            reason.message,
        )

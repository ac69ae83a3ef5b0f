"""The terms under which contacts are sent. Under others, what was settled earlier says nothing."""

from __future__ import annotations

import msgspec


class StreamTerms(msgspec.Struct, frozen=True):
    """Under which terms a stream's contacts are sent.

    Attributes:
        digest: Of its settings, and of what the account has for them. Fingerprints that were made
            under another one are of no use.
        match: The match identifier. Of streams that have others it cannot be told which of their
            contacts are the same ones.
        writes: What its contacts write, by name.
        constants: The end of each contact's JSON, which is the same in all that do not opt out.
        schema: A digest of the SCHEMA. Under another one, the same line may be another contact.
    """

    digest: str
    match: str = ""
    writes: frozenset[str] = frozenset()
    constants: str = ""
    schema: str = ""

    def may_differ(self, other: StreamTerms) -> bool:
        """Return whether two streams may send different values for the same part of a contact.

        Args:
            other: The other stream's terms.
        """
        return not self.writes.isdisjoint(other.writes)

    def body_under(self, other: StreamTerms, body: bytes) -> bytes | None:
        """Return what another stream sends of the same values; None if that is not known.

        Args:
            other: The other stream's terms.
            body: A contact's JSON under these terms.
        """
        end = self.constants.encode()
        if not body.endswith(end):
            return None
        return body[: len(body) - len(end)] + other.constants.encode()

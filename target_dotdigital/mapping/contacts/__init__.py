"""A contact to be sent: its identifiers, its JSON, the rows that it was made of, and its limits."""

from __future__ import annotations

from target_dotdigital.mapping.contacts.blocks import Block, LineStore
from target_dotdigital.mapping.contacts.channels import (
    ChannelProperties,
    HeldOptOuts,
    channel_properties,
    email_properties,
)
from target_dotdigital.mapping.contacts.contact import (
    Contact,
    OwnSource,
    Row,
    SentContact,
    Source,
    collapse,
    decode_sent,
)
from target_dotdigital.mapping.contacts.emails import are_plain_emails
from target_dotdigital.mapping.contacts.identifiers import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    as_integer,
    checker,
    normalise,
    normalise_all,
)
from target_dotdigital.mapping.contacts.identity_set import (
    HeldIdentities,
    IdentitySet,
    SortedHashes,
    all_identities,
    canonical,
    comparable_identities,
    identities_in,
    identity_hash,
)
from target_dotdigital.mapping.contacts.limits import (
    MAX_FRACTION_DIGITS,
    MAX_LISTS,
    MAX_TEXT_UNITS,
    MAX_WHOLE_DIGITS,
)
from target_dotdigital.mapping.contacts.stream_counts import (
    RejectGroup,
    StreamCounts,
    rows_in_words,
)

__all__ = [
    "CONTACT_ID",
    "EMAIL",
    "MAX_FRACTION_DIGITS",
    "MAX_LISTS",
    "MAX_TEXT_UNITS",
    "MAX_WHOLE_DIGITS",
    "MOBILE_NUMBER",
    "Block",
    "ChannelProperties",
    "Contact",
    "HeldIdentities",
    "HeldOptOuts",
    "IdentitySet",
    "LineStore",
    "OwnSource",
    "RejectGroup",
    "Row",
    "SentContact",
    "SortedHashes",
    "Source",
    "StreamCounts",
    "all_identities",
    "are_plain_emails",
    "as_integer",
    "canonical",
    "channel_properties",
    "checker",
    "collapse",
    "comparable_identities",
    "decode_sent",
    "email_properties",
    "identities_in",
    "identity_hash",
    "normalise",
    "normalise_all",
    "rows_in_words",
]

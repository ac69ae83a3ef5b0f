"""The settings: their schema, their types, and what is wrong with them."""

from __future__ import annotations

from target_dotdigital.settings.access import is_loopback
from target_dotdigital.settings.address_books import (
    NO_ADDRESS_BOOK,
    RESERVED_ADDRESS_BOOKS,
    address_book_key,
    address_book_label,
    address_book_name_problem,
    gone_message,
)
from target_dotdigital.settings.environment import from_environment
from target_dotdigital.settings.names import OWN_IDENTIFIERS, doubts, whole_names
from target_dotdigital.settings.problems import describe, problems
from target_dotdigital.settings.schema import CONFIG_SCHEMA, MAX_ACTIVE_IMPORTS, REGIONS
from target_dotdigital.settings.settings import (
    MAX_ID,
    REJECT_PROPERTY_PREFIX,
    BatchStorage,
    Purpose,
    Settings,
    StreamSettings,
)
from target_dotdigital.settings.stream_schema import MergeOption

__all__ = [
    "CONFIG_SCHEMA",
    "MAX_ACTIVE_IMPORTS",
    "MAX_ID",
    "NO_ADDRESS_BOOK",
    "OWN_IDENTIFIERS",
    "REGIONS",
    "REJECT_PROPERTY_PREFIX",
    "RESERVED_ADDRESS_BOOKS",
    "BatchStorage",
    "MergeOption",
    "Purpose",
    "Settings",
    "StreamSettings",
    "address_book_key",
    "address_book_label",
    "address_book_name_problem",
    "describe",
    "doubts",
    "from_environment",
    "gone_message",
    "is_loopback",
    "problems",
    "whole_names",
]

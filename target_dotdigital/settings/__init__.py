"""The settings: their schema, their types, and what is wrong with them."""

from __future__ import annotations

from target_dotdigital.settings.problems import NO_ADDRESS_BOOK, describe, doubts, problems
from target_dotdigital.settings.schema import (
    CONFIG_SCHEMA,
    MAX_ACTIVE_IMPORTS,
    REGIONS,
    MergeOption,
)
from target_dotdigital.settings.settings import (
    MAX_ID,
    RESERVED_ADDRESS_BOOKS,
    Settings,
    StreamSettings,
    address_book_key,
    address_book_name_problem,
    from_environment,
    is_loopback,
)
from target_dotdigital.settings.stream_names import whole_names

__all__ = [
    "CONFIG_SCHEMA",
    "MAX_ACTIVE_IMPORTS",
    "MAX_ID",
    "NO_ADDRESS_BOOK",
    "REGIONS",
    "RESERVED_ADDRESS_BOOKS",
    "MergeOption",
    "Settings",
    "StreamSettings",
    "address_book_key",
    "address_book_name_problem",
    "describe",
    "doubts",
    "from_environment",
    "is_loopback",
    "problems",
    "whole_names",
]

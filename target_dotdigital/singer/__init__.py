"""Singer and its SDK: the configuration, the streams that are loaded, stream maps, flattening."""

from __future__ import annotations

from target_dotdigital.singer.command_line import (
    CommandLineTarget,
    print_line,
    summary_level,
    write_line,
)
from target_dotdigital.singer.configuration import without_nulls
from target_dotdigital.singer.error_messages import SAFE_ERRORS, error_text
from target_dotdigital.singer.flattening import join_flattened_arrays
from target_dotdigital.singer.record_maps import check_damage, mapped_record, preparation
from target_dotdigital.singer.stream_schemas import described, prepared
from target_dotdigital.singer.stream_selection import (
    Selection,
    nothing_loaded,
    settings_of,
)

__all__ = [
    "SAFE_ERRORS",
    "CommandLineTarget",
    "Selection",
    "check_damage",
    "described",
    "error_text",
    "join_flattened_arrays",
    "mapped_record",
    "nothing_loaded",
    "preparation",
    "prepared",
    "print_line",
    "settings_of",
    "summary_level",
    "without_nulls",
    "write_line",
]

"""Singer and its SDK: the configuration, the streams that are loaded, stream maps, flattening."""

from __future__ import annotations

from target_dotdigital.singer.computed import computed
from target_dotdigital.singer.config_files import ConfigFiles
from target_dotdigital.singer.deleted_rows import deleted_record
from target_dotdigital.singer.flattened_arrays import join_flattened_arrays
from target_dotdigital.singer.flattening import flattenable, without_old_names
from target_dotdigital.singer.map_failures import map_failure
from target_dotdigital.singer.stream_selection import (
    NOT_NAMED,
    Selection,
    no_identifier,
    nothing_loaded,
)
from target_dotdigital.singer.unread_input import drain

__all__ = [
    "NOT_NAMED",
    "ConfigFiles",
    "Selection",
    "computed",
    "deleted_record",
    "drain",
    "flattenable",
    "join_flattened_arrays",
    "map_failure",
    "no_identifier",
    "nothing_loaded",
    "without_old_names",
]

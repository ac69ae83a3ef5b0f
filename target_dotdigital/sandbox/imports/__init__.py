"""Imports: taken in with one call, worked off part by part, reported.

`PUT /contacts/v3/import` and its status, and the imports of v2.
"""

from target_dotdigital.sandbox.imports.import_log import (
    MAXIMUM_ACTIVE_IMPORTS,
    unfinished_imports,
)
from target_dotdigital.sandbox.imports.intake import Intake
from target_dotdigital.sandbox.imports.slots import DEFAULT_SLOTS, DOTDIGITAL_PACE, Slots
from target_dotdigital.sandbox.imports.v2 import (
    MergeOptionError,
    NoEmailColumnError,
    Upload,
    UploadedContact,
    UploadError,
    read_csv,
    read_merge_option,
    unreadable,
    upload_of,
)
from target_dotdigital.sandbox.imports.v2_reports import (
    V2ImportStatus,
    v2_import_faults,
    v2_import_status,
    v2_import_summary,
)

__all__ = [
    "DEFAULT_SLOTS",
    "DOTDIGITAL_PACE",
    "MAXIMUM_ACTIVE_IMPORTS",
    "Intake",
    "MergeOptionError",
    "NoEmailColumnError",
    "Slots",
    "Upload",
    "UploadError",
    "UploadedContact",
    "V2ImportStatus",
    "read_csv",
    "read_merge_option",
    "unfinished_imports",
    "unreadable",
    "upload_of",
    "v2_import_faults",
    "v2_import_status",
    "v2_import_summary",
]

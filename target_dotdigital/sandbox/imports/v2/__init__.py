"""Imports of v2, a file or a collection: what is sent, and what is told of it afterwards."""

from target_dotdigital.sandbox.imports.v2.csv_files import read_csv
from target_dotdigital.sandbox.imports.v2.rows import MergeOptionError, read_merge_option, read_row
from target_dotdigital.sandbox.imports.v2.summaries import (
    SUMMARY_NAMES,
    V2Summary,
    faults_csv,
    faults_lines,
    outcome_of,
)
from target_dotdigital.sandbox.imports.v2.uploads import (
    EMAIL_COLUMN,
    NoEmailColumnError,
    Upload,
    UploadedContact,
    UploadError,
    decode_contact,
    decode_upload,
    encode_upload,
    unreadable,
    upload_of,
)

__all__ = [
    "EMAIL_COLUMN",
    "SUMMARY_NAMES",
    "MergeOptionError",
    "NoEmailColumnError",
    "Upload",
    "UploadError",
    "UploadedContact",
    "V2Summary",
    "decode_contact",
    "decode_upload",
    "encode_upload",
    "faults_csv",
    "faults_lines",
    "outcome_of",
    "read_csv",
    "read_merge_option",
    "read_row",
    "unreadable",
    "upload_of",
]

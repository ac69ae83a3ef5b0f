"""The SQLite file that keeps everything: its tables, and who reads and writes when.

It knows nothing of what the rows mean.
"""

from target_dotdigital.sandbox.storage.lock_file import Holder, InUseError, LockFile
from target_dotdigital.sandbox.storage.schema import (
    ALL_CONTACTS_ID,
    BEGIN_GROWTH,
    BUILT_IN_DATA_FIELDS,
    TEST_ID,
)
from target_dotdigital.sandbox.storage.store import (
    Store,
    insert,
    next_id,
    set_next_id,
    take_id,
)
from target_dotdigital.sandbox.storage.version_3 import WHOLE_ACCOUNT

__all__ = [
    "ALL_CONTACTS_ID",
    "BEGIN_GROWTH",
    "BUILT_IN_DATA_FIELDS",
    "TEST_ID",
    "WHOLE_ACCOUNT",
    "Holder",
    "InUseError",
    "LockFile",
    "Store",
    "insert",
    "next_id",
    "set_next_id",
    "take_id",
]

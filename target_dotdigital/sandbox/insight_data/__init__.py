"""Insight data: collections of records that belong to the account, or to its contacts.

Imports are taken in with one call and worked off later, single records are written at once.
"""

from target_dotdigital.sandbox.insight_data.collections import (
    ACCOUNT,
    CONTACT,
    SERVICE,
    Collection,
    CollectionSummary,
    Scope,
    check_name,
    collection_summaries,
    collections_of_contact,
    create_collection,
    find_collection,
    get_collection,
    open_collection,
    read_scope,
    read_type,
    type_of_name,
)
from target_dotdigital.sandbox.insight_data.fields import (
    IncompatibleError,
    ShownField,
    extended,
    read_fields,
    shown_fields,
)
from target_dotdigital.sandbox.insight_data.job_log import Kind, import_report, removal_report
from target_dotdigital.sandbox.insight_data.job_queue import InsightJobs
from target_dotdigital.sandbox.insight_data.owners import owner_id
from target_dotdigital.sandbox.insight_data.parts import keep_fields
from target_dotdigital.sandbox.insight_data.record_json import (
    Problem,
    encode_json,
    json_problem,
    read_json,
)
from target_dotdigital.sandbox.insight_data.records import (
    NO_CONTACT,
    Record,
    RecordQuery,
    delete_records,
    get_record,
    is_key,
    put_record,
    record_page,
)

__all__ = [
    "ACCOUNT",
    "CONTACT",
    "NO_CONTACT",
    "SERVICE",
    "Collection",
    "CollectionSummary",
    "IncompatibleError",
    "InsightJobs",
    "Kind",
    "Problem",
    "Record",
    "RecordQuery",
    "Scope",
    "ShownField",
    "check_name",
    "collection_summaries",
    "collections_of_contact",
    "create_collection",
    "delete_records",
    "encode_json",
    "extended",
    "find_collection",
    "get_collection",
    "get_record",
    "import_report",
    "is_key",
    "json_problem",
    "keep_fields",
    "open_collection",
    "owner_id",
    "put_record",
    "read_fields",
    "read_json",
    "read_scope",
    "read_type",
    "record_page",
    "removal_report",
    "shown_fields",
    "type_of_name",
]

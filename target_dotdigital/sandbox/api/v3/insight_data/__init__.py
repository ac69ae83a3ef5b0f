"""The routes of v3 about insight data: imports, collections and records."""

from target_dotdigital.sandbox.api.v3.insight_data.collections import COLLECTION_ROUTES
from target_dotdigital.sandbox.api.v3.insight_data.imports import INSIGHT_IMPORT_ROUTES
from target_dotdigital.sandbox.api.v3.insight_data.records import RECORD_ROUTES

INSIGHT_DATA_ROUTES = (*INSIGHT_IMPORT_ROUTES, *COLLECTION_ROUTES, *RECORD_ROUTES)

__all__ = ["INSIGHT_DATA_ROUTES"]

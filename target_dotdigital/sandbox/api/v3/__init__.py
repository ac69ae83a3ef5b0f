"""The routes of v3: contacts, imports and deletions, custom identifiers, insight data."""

from target_dotdigital.sandbox.api.v3.contacts import CONTACT_ROUTES, SingleContacts, find_contact
from target_dotdigital.sandbox.api.v3.custom_identifiers import CUSTOM_IDENTIFIER_ROUTES
from target_dotdigital.sandbox.api.v3.deletions import DELETION_ROUTES
from target_dotdigital.sandbox.api.v3.imports import IMPORT_ROUTES
from target_dotdigital.sandbox.api.v3.insight_data import INSIGHT_DATA_ROUTES

# A contact's path takes whatever follows, so the others come first.
V3_ROUTES = (
    *CUSTOM_IDENTIFIER_ROUTES,
    *IMPORT_ROUTES,
    *DELETION_ROUTES,
    *CONTACT_ROUTES,
    *INSIGHT_DATA_ROUTES,
)

__all__ = ["V3_ROUTES", "SingleContacts", "find_contact"]

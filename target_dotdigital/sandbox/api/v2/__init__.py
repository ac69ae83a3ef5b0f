"""The routes of v2, a file for each resource."""

from target_dotdigital.sandbox.api.v2.account import ACCOUNT_ROUTES
from target_dotdigital.sandbox.api.v2.address_books import ADDRESS_BOOK_ROUTES
from target_dotdigital.sandbox.api.v2.contacts import (
    CHANGE_ROUTES,
    CONTACT_ROUTES,
    MEMBER_ROUTES,
    MEMBERSHIP_ROUTES,
    SUBSCRIPTION_ROUTES,
)
from target_dotdigital.sandbox.api.v2.data_fields import DATA_FIELD_ROUTES
from target_dotdigital.sandbox.api.v2.imports import IMPORT_ROUTES
from target_dotdigital.sandbox.api.v2.preferences import PREFERENCE_ROUTES
from target_dotdigital.sandbox.api.v2.segments import SEGMENT_ROUTES

V2_ROUTES = (
    *ACCOUNT_ROUTES,
    *ADDRESS_BOOK_ROUTES,
    *DATA_FIELD_ROUTES,
    *SEGMENT_ROUTES,
    *PREFERENCE_ROUTES,
    *MEMBER_ROUTES,
    *IMPORT_ROUTES,
    *SUBSCRIPTION_ROUTES,
    *CHANGE_ROUTES,
    *MEMBERSHIP_ROUTES,
    *CONTACT_ROUTES,  # the last: a contact's path takes any word after /v2/contacts
)

__all__ = ["V2_ROUTES"]

"""The routes of v2, a file for each resource."""

from target_dotdigital.sandbox.api.v2.account import ACCOUNT_ROUTES
from target_dotdigital.sandbox.api.v2.address_books import ADDRESS_BOOK_ROUTES
from target_dotdigital.sandbox.api.v2.contacts import MEMBER_ROUTES, MEMBERSHIP_ROUTES
from target_dotdigital.sandbox.api.v2.data_fields import DATA_FIELD_ROUTES
from target_dotdigital.sandbox.api.v2.segments import SEGMENT_ROUTES

V2_ROUTES = (
    *ACCOUNT_ROUTES,
    *ADDRESS_BOOK_ROUTES,
    *DATA_FIELD_ROUTES,
    *SEGMENT_ROUTES,
    *MEMBERSHIP_ROUTES,  # before routes that take any word in the place of `count`
    *MEMBER_ROUTES,
)

__all__ = ["V2_ROUTES"]

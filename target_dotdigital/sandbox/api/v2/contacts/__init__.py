"""The routes of v2 about contacts, and about those of an address book."""

from target_dotdigital.sandbox.api.v2.contacts.changes import CHANGE_ROUTES
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import contact_not_found
from target_dotdigital.sandbox.api.v2.contacts.contacts import CONTACT_ROUTES
from target_dotdigital.sandbox.api.v2.contacts.members import MEMBER_ROUTES
from target_dotdigital.sandbox.api.v2.contacts.memberships import MEMBERSHIP_ROUTES
from target_dotdigital.sandbox.api.v2.contacts.subscriptions import SUBSCRIPTION_ROUTES

__all__ = [
    "CHANGE_ROUTES",
    "CONTACT_ROUTES",
    "MEMBERSHIP_ROUTES",
    "MEMBER_ROUTES",
    "SUBSCRIPTION_ROUTES",
    "contact_not_found",
]

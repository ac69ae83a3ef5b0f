"""The routes of v2 about contacts, and about those of an address book."""

from target_dotdigital.sandbox.api.v2.contacts.members import MEMBER_ROUTES
from target_dotdigital.sandbox.api.v2.contacts.memberships import MEMBERSHIP_ROUTES

__all__ = ["MEMBERSHIP_ROUTES", "MEMBER_ROUTES"]

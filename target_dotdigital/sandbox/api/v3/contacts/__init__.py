"""The routes of v3 about contacts: pages of them, and one at a time."""

from target_dotdigital.sandbox.api.v3.contacts.pages import CONTACT_ROUTES
from target_dotdigital.sandbox.api.v3.contacts.replies import find_contact
from target_dotdigital.sandbox.api.v3.contacts.single_contacts import SingleContacts

__all__ = ["CONTACT_ROUTES", "SingleContacts", "find_contact"]

"""The routes: Dotdigital's own, of v2 and v3, and those that control the sandbox."""

from target_dotdigital.sandbox.api.control import CONTROL_ROUTES
from target_dotdigital.sandbox.api.requests import query
from target_dotdigital.sandbox.api.v2 import V2_ROUTES
from target_dotdigital.sandbox.api.v3 import V3_ROUTES, SingleContacts, find_contact

API_ROUTES = (*V2_ROUTES, *V3_ROUTES)
"""Dotdigital's own."""

__all__ = ["API_ROUTES", "CONTROL_ROUTES", "SingleContacts", "find_contact", "query"]

"""The routes of v2 about imports of contacts, and the files that they take."""

from target_dotdigital.sandbox.api.v2.imports.contact_imports import IMPORT_ROUTES

__all__ = ["IMPORT_ROUTES"]

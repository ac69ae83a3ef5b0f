"""Imports: taken in with one call, worked off part by part, reported.

`PUT /contacts/v3/import` and its status.
"""

from target_dotdigital.sandbox.imports.import_log import (
    MAXIMUM_ACTIVE_IMPORTS,
    unfinished_imports,
)
from target_dotdigital.sandbox.imports.intake import Intake
from target_dotdigital.sandbox.imports.slots import DEFAULT_SLOTS, DOTDIGITAL_PACE, Slots

__all__ = [
    "DEFAULT_SLOTS",
    "DOTDIGITAL_PACE",
    "MAXIMUM_ACTIVE_IMPORTS",
    "Intake",
    "Slots",
    "unfinished_imports",
]

"""Mirrors: which contacts stay in an address book, and how the others leave it."""

from __future__ import annotations

from target_dotdigital.mirror.mirrors import IdentityStore, MirroredAddressBook, Mirrors
from target_dotdigital.mirror.removal import MirrorRemoval
from target_dotdigital.mirror.stale_members import StaleMembers
from target_dotdigital.mirror.undo_file import LEAVERS, check_folder, undo_folder

__all__ = [
    "LEAVERS",
    "IdentityStore",
    "MirrorRemoval",
    "MirroredAddressBook",
    "Mirrors",
    "StaleMembers",
    "check_folder",
    "undo_folder",
]

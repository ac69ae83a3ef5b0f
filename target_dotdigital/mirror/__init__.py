"""Mirrors: who may stay in an address book, and how the others leave it."""

from __future__ import annotations

from target_dotdigital.mirror.leavers import Leavers, Mirroring
from target_dotdigital.mirror.membership import Additions, Mirror, Mirrors
from target_dotdigital.mirror.undo_file import check_folder, undo_folder

__all__ = [
    "Additions",
    "Leavers",
    "Mirror",
    "Mirroring",
    "Mirrors",
    "check_folder",
    "undo_folder",
]

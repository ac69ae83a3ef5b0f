"""What version 3 of the database adds: a group of tables for each thing that is kept."""

from __future__ import annotations

GROUPS: tuple[str, ...] = ()

VERSION_3 = "".join((*GROUPS, "PRAGMA user_version = 3;"))

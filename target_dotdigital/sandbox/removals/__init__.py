"""Removals from lists, and deletions: accepted, worked off, reported."""

"""BATCH messages."""

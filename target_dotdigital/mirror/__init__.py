"""Mirrors: who may stay in an address book, and how the others leave it."""

"""Imports: accepted, planned, worked off, reported."""

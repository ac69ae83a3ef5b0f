"""The sandbox's SQLite file."""

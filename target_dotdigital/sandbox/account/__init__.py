"""What the sandbox holds: contacts, address books, data fields."""

"""What messages call address books."""

from __future__ import annotations


def address_book_label(address_book_id: int, name: str | None = None) -> str:
    """Return what messages call an address book: its name, and its ID in brackets.

    Args:
        address_book_id: Its ID.
        name: Its name; None if that is not known, or is the value of a record.
    """
    if name is None:
        return f"address book {address_book_id}"
    return f"address book '{name}' ({address_book_id})"


def gone_message(label: str) -> str:
    """Return the message that an address book was deleted since the run began.

    Args:
        label: What messages call it.
    """
    return f"{label[0].upper()}{label[1:]} no longer exists. Create it again, or name another one"

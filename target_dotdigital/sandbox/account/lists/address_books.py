"""Address books ("lists"): v2 calls them address books, v3 calls them lists."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from target_dotdigital.sandbox.http import v2_refusal
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID, TEST_ID, take_id

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.http import RefusalError

LARGEST_ID = 2**31 - 1
"""List IDs are int32 in Dotdigital's specification."""

MAXIMUM_NAME_CHARACTERS = 128

Visibility = Literal["Private", "Public"]

_COLUMNS = "SELECT id, name, visibility, contacts FROM address_book"
_PAGE = f"{_COLUMNS} ORDER BY id LIMIT ? OFFSET ?"
_PAGE_OF_VISIBILITY = f"{_COLUMNS} WHERE visibility = ? ORDER BY id LIMIT ? OFFSET ?"
_PAGE_OF_CONTACT = f"""
    {_COLUMNS} WHERE id IN (SELECT address_book_id FROM membership WHERE contact_id = ?)
    ORDER BY id LIMIT ? OFFSET ?
"""  # noqa: S608 - constants
_BY_NAME = "SELECT 1 FROM address_book WHERE name_key = ?"
_TAKEN = """
    SELECT 1 FROM address_book WHERE name_key = :key
    UNION ALL SELECT 1 FROM segment WHERE name_key = :key
"""


class AddressBook(msgspec.Struct, frozen=True):
    """An address book as v2 answers it.

    Attributes:
        id: An int32.
        name: Unique in the account; upper and lower case are the same name.
        visibility: `Private` or `Public`.
        contacts: How many contacts are in it.
    """

    id: int
    name: str
    visibility: str
    contacts: int


class NewAddressBook(msgspec.Struct, frozen=True):
    """The body of `POST /v2/address-books`."""

    name: str
    visibility: Visibility = "Private"


def address_book_page(
    connection: sqlite3.Connection, select: int, skip: int, visibility: Visibility | None = None
) -> list[AddressBook]:
    """Return address books in the order of their IDs.

    Args:
        connection: In a transaction.
        select: So many at most.
        skip: So many are left out before.
        visibility: Only those of this visibility.
    """
    if visibility is None:
        rows = connection.execute(_PAGE, (select, skip))
    else:
        rows = connection.execute(_PAGE_OF_VISIBILITY, (visibility, select, skip))
    return [AddressBook(*row) for row in rows]


def address_books_of_contact(
    connection: sqlite3.Connection, contact_id: int, select: int, skip: int
) -> list[AddressBook]:
    """Return the address books that a contact is in, "All Contacts" excepted, as a page."""
    rows = connection.execute(_PAGE_OF_CONTACT, (contact_id, select, skip))
    return [AddressBook(*row) for row in rows]


def find_address_book(connection: sqlite3.Connection, address_book_id: int) -> AddressBook | None:
    """Return the address book of that ID, if there is one."""
    if not 0 < address_book_id <= LARGEST_ID:
        return None
    row = connection.execute(f"{_COLUMNS} WHERE id = ?", (address_book_id,)).fetchone()
    return AddressBook(*row) if row else None


def get_address_book(connection: sqlite3.Connection, address_book_id: int) -> AddressBook:
    """Return the address book of that ID.

    Raises:
        RefusalError: 404, there is none.
    """
    found = find_address_book(connection, address_book_id)
    if found is None:
        raise v2_refusal(
            "ERROR_ADDRESSBOOK_NOT_FOUND",
            "Error:",
            HTTPStatus.NOT_FOUND,
        )
    return found


def writable_address_book(connection: sqlite3.Connection, address_book_id: int) -> AddressBook:
    """Return an address book that may be changed and left.

    Raises:
        RefusalError: 404, there is none; 400, it is one of the two that every account has.
    """
    found = get_address_book(connection, address_book_id)
    if found.id in {ALL_CONTACTS_ID, TEST_ID}:
        raise v2_refusal(
            "ERROR_ADDRESSBOOK_NOTWRITABLE", "Address book cannot be written to via the API."
        )
    return found


def create_address_book(connection: sqlite3.Connection, new: NewAddressBook) -> AddressBook:
    """Create an address book under the next free ID.

    Args:
        connection: The writer, in a transaction.
        new: What to create.

    Raises:
        RefusalError: 400, the name is taken, reserved, empty or too long, or the
            visibility is none.
    """
    _validate(new)
    # The reserved names, "All Contacts" and "Test", are address books of every account.
    if is_name_taken(connection, new.name):
        raise _duplicate()
    address_book_id = take_id(connection, "address_book")
    while find_address_book(connection, address_book_id):
        address_book_id = take_id(connection, "address_book")
    return _insert(connection, AddressBook(address_book_id, new.name, new.visibility, 0))


def update_address_book(
    connection: sqlite3.Connection, address_book_id: int, new: NewAddressBook
) -> AddressBook:
    """Give an address book another name and visibility.

    Args:
        connection: The writer, in a transaction.
        address_book_id: Which one.
        new: A visibility that was not sent is `Private`, as the specification has it.

    Raises:
        RefusalError: 404, there is none; 400, as for a new one, or it may not be changed.
    """
    found = writable_address_book(connection, address_book_id)
    _validate(new)
    key = new.name.casefold()
    if key != found.name.casefold() and is_name_taken(connection, new.name):
        raise _duplicate()
    connection.execute(
        "UPDATE address_book SET name = ?, name_key = ?, visibility = ? WHERE id = ?",
        (new.name, key, new.visibility, found.id),
    )
    return AddressBook(found.id, new.name, new.visibility, found.contacts)


def delete_address_book(connection: sqlite3.Connection, address_book_id: int) -> None:
    """Delete an address book; its contacts stay in the account.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        address_book_id: Which one. Its ID is not given again.

    Raises:
        RefusalError: 404, there is none; 400, it may not be deleted.
    """
    writable_address_book(connection, address_book_id)
    connection.execute("DELETE FROM membership WHERE address_book_id = ?", (address_book_id,))
    connection.execute("DELETE FROM opt_out WHERE address_book_id = ?", (address_book_id,))
    connection.execute("DELETE FROM address_book WHERE id = ?", (address_book_id,))


def is_name_taken(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether an address book or a segment has a name, in any case of letters."""
    found: Any = connection.execute(_TAKEN, {"key": name.casefold()}).fetchone()
    return found is not None


def ensure_address_book(connection: sqlite3.Connection, wanted: str | int) -> None:
    """See to it that an address book is there.

    Args:
        connection: The writer, in a transaction.
        wanted: An ID (an integer, or digits), or a name.

    Raises:
        ValueError: It is neither an ID nor a name that Dotdigital would have.
    """
    if isinstance(wanted, int) or (wanted.isascii() and wanted.isdigit()):
        address_book_id = int(wanted)
        if not 0 < address_book_id <= LARGEST_ID:
            message = f"an address book's ID is a number from 1 to {LARGEST_ID}"
            raise ValueError(message)
        if find_address_book(connection, address_book_id) is None:
            name = _free_name(connection, address_book_id)
            _insert(connection, AddressBook(address_book_id, name, "Private", 0))
    elif not wanted.strip() or len(wanted) > MAXIMUM_NAME_CHARACTERS:
        message = f"an address book's name has 1 to {MAXIMUM_NAME_CHARACTERS} characters"
        raise ValueError(message)
    elif not is_name_taken(connection, wanted):
        create_address_book(connection, NewAddressBook(wanted))
    elif connection.execute(_BY_NAME, (wanted.casefold(),)).fetchone() is None:
        message = "an address book cannot have the name of a segment"
        raise ValueError(message)


def _validate(new: NewAddressBook) -> None:
    if not new.name.strip() or len(new.name) > MAXIMUM_NAME_CHARACTERS:
        raise v2_refusal(
            "ERROR_ADDRESSBOOK_INVALID",
            f"An address book's name has 1 to {MAXIMUM_NAME_CHARACTERS} characters.",
        )


def _duplicate() -> RefusalError:
    return v2_refusal(
        "ERROR_ADDRESSBOOK_DUPLICATE", "That name is in use already, please choose another."
    )


def _free_name(connection: sqlite3.Connection, address_book_id: int) -> str:
    name = f"Address book {address_book_id}"
    while is_name_taken(connection, name):
        name += "'"
    return name


def _insert(connection: sqlite3.Connection, new: AddressBook) -> AddressBook:
    connection.execute(
        "INSERT INTO address_book (id, name, name_key, visibility) VALUES (?, ?, ?, ?)",
        (new.id, new.name, new.name.casefold(), new.visibility),
    )
    return new

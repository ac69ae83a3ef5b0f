"""Contact identifiers: what is sent, and how two of them are known to be the same person's."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.contacts.emails import PUNYCODE, canonical_email, email
from target_dotdigital.mapping.contacts.limits import MAX_IDENTIFIER_LENGTH
from target_dotdigital.mapping.contacts.mobile_numbers import mobile_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EMAIL = "email"
MOBILE_NUMBER = "mobileNumber"
CONTACT_ID = "contactId"


def normalise(identifier: str, value: object) -> str:
    """Return the text that two identifiers share if and only if they mean the same contact.

    Dotdigital lower-cases e-mail addresses, and its reports may spell an identifier otherwise than
    it was sent: an international domain in its ASCII form, say. Custom identifiers are compared as
    they are.

    Args:
        identifier: The identifier's name.
        value: Its value in a record or in Dotdigital's report.
    """
    text = str(value).strip()
    if identifier == EMAIL:
        text = canonical_email(text)
    elif identifier == MOBILE_NUMBER:
        text = re.sub(r"[^0-9]", "", text)
    return f"{identifier}:{text}"


def normalise_all(identifier: str, values: Sequence[object]) -> list[str]:
    """Return what `normalise` returns for each of many identifiers of one name.

    Args:
        identifier: The identifiers' name.
        values: Their values.
    """
    if identifier == EMAIL:
        # One look at all of them: nearly every address is plain ASCII without white space.
        spelled = "\n".join([f"{identifier}:{value}" for value in values])
        lower = spelled.lower()
        if spelled.isascii() and PUNYCODE not in lower:
            # Each line has one word at least, its name: so none has two, and none is two.
            found = lower.split()
            if len(found) == len(values) == lower.count("\n") + 1:
                return found
    return [normalise(identifier, value) for value in values]


def contact_id(value: object) -> int:
    """Return a contact's ID.

    Args:
        value: A whole number, or a text of digits.

    Raises:
        TypeError: It is neither a text nor a number.
        ValueError: It is none.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError
    return int(text)


def custom(value: object) -> str:
    """Return a custom identifier's value.

    Args:
        value: A text or a whole number.

    Raises:
        TypeError: It is neither.
        ValueError: It is too long.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError
    text = str(value).strip()
    if len(text) > MAX_IDENTIFIER_LENGTH:
        raise ValueError
    return text


_CHECKS: dict[str, Callable[[object], str | int]] = {
    EMAIL: email,
    CONTACT_ID: contact_id,
}


def as_integer(value: object) -> object:
    """Return a number without a fraction, such as `5.0` or `1e2`, as an integer.

    Args:
        value: Any value. One that is no such number is returned as it is.
    """
    if isinstance(value, (float, Decimal)):
        number = Decimal(value)
        if number.is_finite() and number.adjusted() < MAX_IDENTIFIER_LENGTH:
            spelled = int(number)
            return spelled if spelled == number else value
    return value


def checker(
    identifier: str, path: str, mobile_country: str | None = None
) -> Callable[[object], str | int]:
    """Return the function that turns a property's value into an identifier's.

    Args:
        identifier: `email`, `mobileNumber`, `contactId` or a custom identifier's name.
        path: The property that is mapped to it.
        mobile_country: The country of national mobile numbers; None if there are none.

    Returns:
        A function of a value that is neither None nor blank. It raises `RowRejectedError` with the
        code `identifier.invalid`.
    """
    check = _CHECKS.get(identifier, custom)
    if identifier == MOBILE_NUMBER:
        check = partial(mobile_number, country=mobile_country)

    def checked(value: object) -> str | int:
        try:
            return check(as_integer(value))
        except UnfitError as error:
            reason = f"Property '{path}' is not a valid {identifier}: {error}"
        except (TypeError, ValueError):
            # UnicodeError and email-validator's errors are ValueErrors; their texts hold the value.
            reason = f"Property '{path}' is not a valid {identifier}"
        raise RowRejectedError(
            "identifier.invalid", reason, property=path, rule=identifier
        ) from None

    return checked

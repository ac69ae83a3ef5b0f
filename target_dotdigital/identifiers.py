"""Contact identifiers: what is sent, and how two of them are known to be the same person's."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

from target_dotdigital.errors import RowRejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

EMAIL = "email"
MOBILE_NUMBER = "mobileNumber"
CONTACT_ID = "contactId"

MAX_VALUE_LENGTH = 256
"""Length of an identifier's value: the vendor's OpenAPI file, contacts 3.4.3."""

_MAX_EMAIL_LENGTH = 254
_MAX_LOCAL_LENGTH = 64
_MAX_E164_DIGITS = 15

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,63}}")
"""The shape of nearly every address; email-validator judges the others."""

PLAIN_EMAIL = (
    r"[a-z0-9_+-]{1,31}(?:\.[a-z0-9_+-]{1,15})?(?:\.[a-z0-9_+-]{1,15})?"
    r"@[a-z0-9]{1,30}(?:-[a-z0-9]{1,15})?\.(?:[a-z0-9]{1,30}\.)?[a-z]{2,24}"
)
"""The pattern of addresses, in lower case, that are so short and plain that `email` would change
nothing. A simpler one, for many of them at once."""

_PUNYCODE = re.compile(r"(?<=[@.])xn--([a-z0-9-]+)(?=\.|$)")


def normalise(identifier: str, value: object) -> str:
    """Return the text that two identifiers share if and only if they mean the same contact.

    Dotdigital lower-cases e-mail addresses, and its reports may spell an identifier otherwise than
    it was sent: an international domain in its ASCII form, say.

    Args:
        identifier: The identifier's name.
        value: Its value in a record or in Dotdigital's report.
    """
    text = str(value).strip()
    if identifier == EMAIL:
        text = text.lower()
        if not text.isascii() or "xn--" in text:
            text = unicodedata.normalize("NFC", _PUNYCODE.sub(_decoded, text))
    elif identifier == MOBILE_NUMBER:
        text = re.sub(r"[^0-9]", "", text)
    return f"{identifier}:{text}"


def _decoded(label: re.Match[str]) -> str:
    try:
        return label[1].encode().decode("punycode")
    except UnicodeError:
        return label[0]


def email(value: object) -> str:
    """Return an e-mail address trimmed and lower-cased.

    Args:
        value: What the record holds.

    Raises:
        TypeError: It is no text.
        ValueError: It is no address.
    """
    if not isinstance(value, str):
        raise TypeError
    address = value.strip().lower()
    local, _, _ = address.partition("@")
    if len(address) > _MAX_EMAIL_LENGTH or len(local) > _MAX_LOCAL_LENGTH:
        raise ValueError
    if not _EMAIL.fullmatch(address):
        # Imported late: one address in a thousand needs it, and `--version` none.
        from email_validator import validate_email  # noqa: PLC0415

        validate_email(address, check_deliverability=False)
    return address


def mobile_number(value: object) -> str:
    """Return a mobile number as the digits of its E.164 form, as the vendor's examples write it.

    Args:
        value: A number with its country code, with or without `+`.

    Raises:
        TypeError: It is neither a text nor a whole number.
        ValueError: It cannot be one.
    """
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a number is mapped

    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError
    text = str(value).strip().removeprefix("+")
    if not re.fullmatch(r"[0-9(][0-9 ().-]*", text):
        raise ValueError
    try:
        number = phonenumbers.parse(f"+{text}")
    except phonenumbers.NumberParseException:
        raise ValueError from None
    # Not `is_possible_number`: it also takes what can be dialled within one town only.
    possible = phonenumbers.ValidationResult.IS_POSSIBLE
    if phonenumbers.is_possible_number_with_reason(number) != possible:
        raise ValueError
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = str(formatted).removeprefix("+")
    if len(digits) > _MAX_E164_DIGITS:
        raise ValueError
    return digits


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
    if len(text) > MAX_VALUE_LENGTH:
        raise ValueError
    return text


_CHECKS: dict[str, Callable[[object], str | int]] = {
    EMAIL: email,
    MOBILE_NUMBER: mobile_number,
    CONTACT_ID: contact_id,
}


def whole(value: object) -> object:
    """Return a number without a fraction, as `5.0` or `1e2`, as the integer that it is.

    Args:
        value: Any value; it is returned as it is if it is none.
    """
    if isinstance(value, (float, Decimal)):
        number = Decimal(value)
        if number.is_finite() and number.adjusted() < MAX_VALUE_LENGTH:
            spelled = int(number)
            return spelled if spelled == number else value
    return value


def checker(identifier: str, path: str) -> Callable[[object], str | int]:
    """Return the function that turns a property's value into an identifier's.

    Args:
        identifier: `email`, `mobileNumber`, `contactId` or a custom identifier's name.
        path: The property that is mapped to it.

    Returns:
        A function of a value that is neither None nor blank. It raises `RowRejectedError` with the
        code `identifier.invalid`.
    """
    check = _CHECKS.get(identifier, custom)

    def checked(value: object) -> str | int:
        try:
            return check(whole(value))
        except (TypeError, ValueError):
            # UnicodeError and email-validator's errors are ValueErrors; their texts hold the value.
            reason = f"property '{path}' is no valid {identifier}"
            raise RowRejectedError("identifier.invalid", reason) from None

    return checked

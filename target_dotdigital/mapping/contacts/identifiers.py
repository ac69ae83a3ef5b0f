"""Contact identifiers: what is sent, and how two of them are known to be the same person's."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from target_dotdigital.errors import RowRejectedError, UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from phonenumbers import PhoneNumber

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

_PUNYCODE = "xn--"

_MAX_DOMAIN_LENGTH = 253


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


def canonical_email(text: str) -> str:
    """Return the one spelling of an e-mail address: lower case, NFC, its domain in Unicode.

    A text with a letter that only looks like an ASCII one (the Kelvin sign, a full-width letter)
    is returned as it is: in lower case it would be somebody else's address.

    Args:
        text: The address, trimmed. It need not be valid.
    """
    if text.isascii():
        text = text.lower()
        if _PUNYCODE not in text:
            return text
    elif _imitates_ascii(text):
        return text
    else:
        # One character at a time: what a letter becomes does not depend on its neighbours.
        text = unicodedata.normalize("NFC", "".join(map(str.lower, text)))
    local, at, domain = text.rpartition("@")
    return f"{local}{at}{_canonical_domain(domain)}"


def _canonical_domain(domain: str) -> str:
    """Return a domain in Unicode. One that IDNA 2008 does not know stays as it is."""
    if len(domain) > _MAX_DOMAIN_LENGTH or (domain.isascii() and _PUNYCODE not in domain):
        return domain
    import idna  # noqa: PLC0415 - one address in a thousand needs it

    try:
        return str(idna.decode(idna.encode(domain, uts46=True)))
    except UnicodeError:
        return domain


def _imitates_ascii(text: str) -> bool:
    """Return whether a character beyond ASCII becomes one of ASCII when it is folded."""
    return any(
        not character.isascii()
        and any(
            part.isascii() and not part.isspace()
            for part in unicodedata.normalize("NFKC", character).lower()
        )
        for character in text
    )


def email(value: object) -> str:
    """Return an e-mail address in its canonical spelling.

    Args:
        value: What the record holds.

    Raises:
        TypeError: It is no text.
        ValueError: It is no address, or looks like another one.
    """
    if not isinstance(value, str):
        raise TypeError
    text = value.strip()
    address = canonical_email(text)
    if not text.isascii() and (address.isascii() or _imitates_ascii(text)):
        raise ValueError
    local, _, _ = address.partition("@")
    if len(address) > _MAX_EMAIL_LENGTH or len(local) > _MAX_LOCAL_LENGTH:
        raise ValueError
    if not _EMAIL.fullmatch(address):
        # Imported late: one address in a thousand needs it, and `--version` none.
        from email_validator import validate_email  # noqa: PLC0415

        validate_email(address, check_deliverability=False)
    return address


def mobile_number(value: object, country: str | None = None) -> str:
    """Return a mobile number as the digits of its E.164 form, as the vendor's examples write it.

    Args:
        value: A number with its country code after `+` or `00`; one without them must be a valid
            number of `country`, or a valid international one if there is none.
        country: ISO 3166-1 alpha-2 code of the country of national numbers.

    Raises:
        TypeError: It is neither a text nor a whole number.
        ValueError: It cannot be one.
        UnfitError: It cannot be one without `+` or `00`; the text says what to do.
    """
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a number is mapped

    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError
    text = str(value).strip()
    digits = text.removeprefix("+")
    if not re.fullmatch(r"[0-9(][0-9 ().-]*", digits):
        raise ValueError
    try:
        if text.startswith(("+", "00")):
            number = phonenumbers.parse(text if text[0] == "+" else f"+{text[2:]}")
            # Not `is_possible_number`: it also takes what can be dialled within one town only.
            possible = phonenumbers.ValidationResult.IS_POSSIBLE
            is_one = phonenumbers.is_possible_number_with_reason(number) == possible
        else:
            number = _unprefixed(text, country)
            is_one = phonenumbers.is_valid_number(number)
    except phonenumbers.NumberParseException:
        is_one = False
    if not is_one:
        raise _no_number(text, country)
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    found = str(formatted).removeprefix("+")
    if len(found) > _MAX_E164_DIGITS:
        raise ValueError
    return found


def _unprefixed(text: str, country: str | None) -> PhoneNumber:
    """Return the number that a text without `+` or `00` means. It need not be valid."""
    import phonenumbers  # noqa: PLC0415

    if country is None:
        return phonenumbers.parse(f"+{text}")
    national = phonenumbers.parse(text, country)
    if not _may_be_mobile(national) and text.startswith(str(national.country_code)):
        # Where numbers have no fixed length, one with the country's own code passes for a landline.
        international = phonenumbers.parse(f"+{text}")
        if _may_be_mobile(international):
            return international
    return national


def _may_be_mobile(number: PhoneNumber) -> bool:
    import phonenumbers  # noqa: PLC0415

    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    return kind in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE}


def _no_number(text: str, country: str | None) -> ValueError | UnfitError:
    """Return why a text is no mobile number, without a word of it."""
    if text.startswith(("+", "00")):
        return ValueError()
    if country is None:
        return UnfitError(
            "without + or 00 it is no valid international number; for national numbers, set "
            "mobile_country"
        )
    return UnfitError(
        f"without + or 00 it is no valid number of mobile_country {country}; write numbers of "
        "other countries with + or 00"
    )


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
            return check(whole(value))
        except UnfitError as error:
            reason = f"property '{path}' is no valid {identifier}: {error}"
        except (TypeError, ValueError):
            # UnicodeError and email-validator's errors are ValueErrors; their texts hold the value.
            reason = f"property '{path}' is no valid {identifier}"
        raise RowRejectedError(
            "identifier.invalid", reason, property=path, rule=identifier
        ) from None

    return checked

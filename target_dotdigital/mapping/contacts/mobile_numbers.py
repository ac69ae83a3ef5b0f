"""Mobile numbers, as the digits of their E.164 form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from target_dotdigital.errors import UnfitError

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_MAX_E164_DIGITS: Final = 15


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
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a number is mapped

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
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a number is mapped

    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    return kind in {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE}


def _no_number(text: str, country: str | None) -> ValueError | UnfitError:
    """Return why a text is no mobile number, without a word of it."""
    if text.startswith(("+", "00")):
        return ValueError()
    if country is None:
        return UnfitError(
            "without + or 00, it is not a valid international number. For national numbers, set "
            "mobile_country"
        )
    return UnfitError(
        f"without + or 00, it is not a valid number of mobile_country {country}. Write numbers of "
        "other countries with + or 00"
    )

"""E-mail addresses: their check, and the one spelling in which each is sent."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MAX_EMAIL_LENGTH: Final = 254
_MAX_LOCAL_LENGTH: Final = 64

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,63}}")
"""The shape of nearly every address; email-validator judges the others."""

_PLAIN_LINES = re.compile(r"(?:[a-z0-9_+.-]{1,63}@[a-z0-9.-]{1,60}\.[a-z]{2,24}\n)+")
"""Each line matches in one way only: of two ways, a wrong line below many others would have all of
them tried."""

_TO_LINE_ENDS: Final = bytes.maketrans(b"@.-", b"\n\n\n")

_MAX_DOMAIN_LENGTH: Final = 253

PUNYCODE: Final = "xn--"


def canonical_email(text: str) -> str:
    """Return the one spelling of an e-mail address: lower case, NFC, its domain in Unicode.

    A text with a letter that only looks like an ASCII one (the Kelvin sign, a full-width letter)
    is returned as it is: in lower case it would be somebody else's address.

    Args:
        text: The address, trimmed. It need not be valid.
    """
    if text.isascii():
        text = text.lower()
        if PUNYCODE not in text:
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
    if len(domain) > _MAX_DOMAIN_LENGTH or (domain.isascii() and PUNYCODE not in domain):
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
        from email_validator import validate_email  # noqa: PLC0415 - one address in a thousand needs it

        validate_email(address, check_deliverability=False)
    return address


def are_plain_emails(lines: str) -> bool:
    """Return whether lines are addresses so short and plain that `email` changes nothing in them.

    Args:
        lines: What may be addresses, in ASCII, each with a line end.
    """
    # Between the signs that part an address there has to be something.
    parts = lines.encode().translate(_TO_LINE_ENDS)
    has_empty_part = parts.startswith(b"\n") or b"\n\n" in parts
    return not has_empty_part and _PLAIN_LINES.fullmatch(lines) is not None

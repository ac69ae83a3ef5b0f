"""What a contact may hold in Dotdigital at most.

Sources: the vendor's OpenAPI file, contacts 3.4.3; for data fields
https://developer.dotdigital.com/reference/get-contact-data-fields.
"""

from __future__ import annotations

from typing import Final

MAX_LISTS: Final = 100
"""Address books that one contact of an import may join."""

MAX_CONSENT_RECORDS: Final = 5
"""Consent records that one contact of an import may bring along."""

MAX_IDENTIFIER_LENGTH: Final = 256
"""Characters of an identifier's value."""

MAX_TEXT_UNITS: Final = 1000
"""Length of a text field in UTF-16 units, in which Dotdigital's platform counts."""

MAX_WHOLE_DIGITS: Final = 18
"""Digits of a numeric field's value before the point."""

MAX_FRACTION_DIGITS: Final = 9
"""Digits of a numeric field's value after the point."""

"""Finding the contacts for which Dotdigital refuses a request as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.errors import DataError, RequestRefusedError, RequestTooLargeError
from target_dotdigital.loading.settlement import Settlement, reject_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.mapping import Contact

MAX_REFUSED = 100
"""Contacts of one import that make Dotdigital refuse whole requests. Each costs a dozen calls to
find, of 35 a minute in the Basic tier."""

PROBES = 3
"""Contacts far from a refused one, to be refused too, one by one, with none accepted, before it is
clear that not a contact is at fault, but what all of them have in common."""


class Bisection:
    """Sends one load, and where it is refused halves of it, down to single contacts.

    With one contact of n at fault that takes at most 2·log2(n)+1 requests more. No contact is
    rejected for its neighbours' sake: it is refused alone first.
    """

    def __init__(
        self,
        contacts: list[Contact],
        send: Callable[[list[Contact]], Settlement],
        check_account: Callable[[], None] = lambda: None,
    ) -> None:
        """Start with nothing settled.

        Args:
            contacts: All of the load.
            send: Sends some of them and settles them.
            check_account: Raises if the account lacks what every contact needs of it, such as
                their address book. Called before a contact is blamed while none was accepted.
        """
        self.total = Settlement()
        """What became of the contacts so far."""
        self._contacts = contacts
        self._send = send
        self._check_account = check_account
        self._refused = 0
        self._accepted = False
        self._probed: Contact | None = None

    def load(self, part: list[Contact]) -> bool:
        """Settle some of the contacts.

        Args:
            part: The contacts.

        Returns:
            Whether no request for them was refused.

        Raises:
            DataError: Too many contacts are at fault, or all of them.
            TargetDotdigitalError: They cannot be settled for another reason.
        """
        # Never twice: consent records that are sent again are there twice.
        if self._probed is not None:
            part = [contact for contact in part if contact is not self._probed]
        if not part:
            return True
        try:
            self.total.add(self._send(part))
        except RequestTooLargeError:
            if len(part) > 1:
                first, second = _halves(part)
                return self.load(first) & self.load(second)  # both, whatever the first says
            self.total.rejected.append((part[0], "record.too_large"))
            return False
        except RequestRefusedError as error:
            self._narrow_down(part, error)
            return False
        self._accepted = True
        return True

    def _narrow_down(self, part: list[Contact], error: RequestRefusedError) -> None:
        """Settle contacts of which at least one is at fault."""
        if len(part) == 1:
            self._reject(part[0], error)
            return
        first, second = _halves(part)
        if self.load(first) and len(second) > 1:
            self._narrow_down(second, error)  # the fault must be in there: no need to ask
        else:
            self.load(second)

    def _reject(self, contact: Contact, error: RequestRefusedError) -> None:
        if not self._accepted:
            self._check_account()
        self.total.rejected.append((contact, reject_code(error.code)))
        self._refused += 1
        if self._refused > MAX_REFUSED:
            raise DataError(
                f"Dotdigital refused more than {MAX_REFUSED} contacts of one load ({error.code}). "
                "Look for what they have in common, such as a mapped property"
            )
        if not self._accepted and len(self._contacts) >= PROBES:
            self._probe()

    def _probe(self) -> None:
        """Make sure that Dotdigital accepts anything. What it accepts is settled by that.

        Raises:
            DataError: It does not.
        """
        last = len(self._contacts) - 1
        codes: set[str] = set()
        for position in (last * 2 // PROBES, last // PROBES, last):
            contact = self._contacts[position]
            try:
                self.total.add(self._send([contact]))
            except RequestRefusedError as error:
                codes.add(error.code)
            except RequestTooLargeError:
                return  # of one contact, that tells nothing about the others
            else:
                self._probed = contact
                self._accepted = True
                return
        listed = ", ".join(sorted(codes))
        raise DataError(
            f"Dotdigital refused every contact that was tried ({listed}). Look for what they have "
            "in common, such as a mapped property"
        )


def _halves(part: list[Contact]) -> tuple[list[Contact], list[Contact]]:
    middle = len(part) // 2
    return part[:middle], part[middle:]

"""The way of a program to a sandbox that runs already, on the database that the program names."""

from __future__ import annotations

import base64
import http.client
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.sandbox.account import Seeds
    from target_dotdigital.sandbox.storage import Holder

ANSWER_SECONDS = 30.0

_LARGEST_ANSWER = 64 * 1024


class _Refusal(msgspec.Struct, frozen=True):
    """What the sandbox says that it cannot create."""

    description: str = ""


_REFUSAL = msgspec.json.Decoder(_Refusal)


def share(holder: Holder, seeds: Seeds) -> bool:
    """Ask a running sandbox to create what a program needs.

    Args:
        holder: What the lock file says of the sandbox.
        seeds: What the account is to have.

    Returns:
        Whether it has answered, and is the one that the lock file means. The file may come from
        another container, in which the same URL leads elsewhere.

    Raises:
        ValueError: Something that is to be created cannot have its ID or name.
    """
    parts = urlsplit(holder.url or "")
    user = f"{holder.username}:{holder.password}".encode()
    headers = {
        "Authorization": f"Basic {base64.b64encode(user).decode('ascii')}",
        "Content-Type": "application/json",
    }
    body = {
        "instance": holder.instance,
        "address_books": seeds.address_books,
        "preferences": seeds.preferences,
        "custom_identifiers": seeds.custom_identifiers,
        "suppressed": seeds.suppressed,
    }
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=ANSWER_SECONDS
    )
    try:
        connection.request("POST", "/sandbox/share", msgspec.json.encode(body), headers)
        answer = connection.getresponse()
        text = answer.read(_LARGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if answer.status == HTTPStatus.BAD_REQUEST:
        raise ValueError(_REFUSAL.decode(text).description)
    return answer.status == HTTPStatus.NO_CONTENT

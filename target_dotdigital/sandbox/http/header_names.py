"""The names of headers in answers, spelled as HTTP/1.1 servers spell them.

For HTTP their case is nothing, but there are clients that compare names as texts. Dotdigital writes
`X-RateLimit-Limit` over HTTP/1.1; Starlette has lower case, as HTTP/2 does.
"""

from __future__ import annotations

from functools import lru_cache

import h11
from typing_extensions import override

_WORDS = {b"ratelimit": b"RateLimit", b"www": b"WWW"}
"""Words that are spelled otherwise than with a capital first letter."""


class SpellingConnection(h11.Connection):
    """A connection whose answers have the names of headers spelled."""

    @override
    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        if isinstance(event, h11.Response):
            event = h11.Response(
                headers=[(spelled(name), value) for name, value in event.headers],
                status_code=event.status_code,
                http_version=event.http_version,
                reason=event.reason,
            )
        return super().send_with_data_passthrough(event)


@lru_cache(maxsize=128)
def spelled(name: bytes) -> bytes:
    """Return a header's name, such as `X-RateLimit-Limit`, whatever case it is in."""
    words = name.lower().split(b"-")
    return b"-".join(_WORDS.get(word, word.capitalize()) for word in words)

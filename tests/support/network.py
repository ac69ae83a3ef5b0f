"""Dotdigital's host names, led to test servers, and settings that name no host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_dotdigital.api.transport import Transport
from target_dotdigital.errors import NetworkError
from target_dotdigital.settings.settings import Settings
from tests.support.dotdigital.server import DotdigitalServer

if TYPE_CHECKING:
    from target_dotdigital.api.transport import Reply

R1, R2 = "https://r1-api.dotdigital.com", "https://r2-api.dotdigital.com"


class Network:
    """Leads host names to test servers, and notes which hosts were called with credentials."""

    def __init__(self) -> None:
        self.servers: dict[str, DotdigitalServer] = {}
        self.origins: list[str] = []
        self._exchange = Transport.exchange

    def exchange(self, transport: Transport, method: str, url: str, **kwargs: Any) -> Reply:
        for origin, server in self.servers.items():
            if url.startswith(f"{origin}/"):
                self.origins.append(origin)
                return self._exchange(
                    transport, method, server.url + url.removeprefix(origin), **kwargs
                )
        self.origins.append(url)
        raise NetworkError("There is nobody")


def settings(api_url: str | None = None, **changes: object) -> Settings:
    config: dict[str, object] = {
        "username": DotdigitalServer.username,
        "password": DotdigitalServer.password,
        "api_url": api_url,
        "batch_size_rows": 10_000,
        "batch_wait_limit_seconds": 300,
        "max_active_imports": 20,
        "import_timeout_minutes": 10,
        "shutdown_grace_seconds": 20,
        "max_reject_percent": 50,
        "merge_option": "overwrite",
    }
    return Settings.from_config({**config, **changes})

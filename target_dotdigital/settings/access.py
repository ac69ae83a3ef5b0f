"""Access to the account, and local files, in the settings: what is wrong with them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine itself, by its name or its address.

    Args:
        host: A name or an address, without brackets.
    """
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def path_setting(config: Mapping[str, Any], name: str) -> Path | None:
    """Return a setting that is a path, or None if it is not set.

    Args:
        config: The plugin's configuration.
        name: The setting's name.

    Raises:
        RuntimeError: It begins with a home directory that there is none of.
    """
    return Path(config[name]).expanduser() if config.get(name) else None


def path_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the paths of local files.

    Args:
        config: The plugin's configuration.
    """
    paths: dict[Path, str] = {}
    for name in (
        "rejects_path",
        "rejects_csv",
        "sandbox_path",
        "report_path",
        "fingerprints_path",
    ):
        try:
            path = path_setting(config, name)
        except RuntimeError:
            yield f"{name}: this home directory does not exist"
            continue
        if path is None:
            continue
        other = paths.setdefault(path.absolute(), name)
        if other != name:
            yield f"{name}, {other}: name two different files"


def sending_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the settings that say what is sent.

    Args:
        config: The plugin's configuration.
    """
    if config.get("send") == "changes" and not config.get("fingerprints_path"):
        yield "fingerprints_path: required with send: changes, which compares with what is in there"


def access_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the credentials and the URL.

    Args:
        config: The plugin's configuration.
    """
    if config.get("sandbox_path"):
        if config.get("api_url"):
            yield "sandbox_path, api_url: set only one of the two"
        return
    for name in ("username", "password"):
        if not config.get(name):
            yield f"{name}: required unless sandbox_path is set"
    if config.get("api_url") and not _is_safe_url(config["api_url"]):
        yield "api_url: must be https, or http on a loopback address, without user name and query"


def _is_safe_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or "?" in url or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))

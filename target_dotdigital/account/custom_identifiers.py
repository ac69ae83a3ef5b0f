"""The custom identifiers that the settings name: whether the account has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.errors import TargetDotdigitalError
from target_dotdigital.near_misses import did_you_mean
from target_dotdigital.settings import OWN_IDENTIFIERS
from target_dotdigital.terminal import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_dotdigital.api import Client
    from target_dotdigital.settings import Settings, StreamSettings


def named_custom_identifiers(settings: Settings) -> list[str]:
    """Return the custom identifiers that the settings name, each once.

    Args:
        settings: The target's settings.
    """
    streams = (settings.streams or {}).values()
    return sorted({name for stream in streams for _, name in _named_by(stream)})


def check_custom_identifiers(client: Client, settings: Settings) -> Iterator[Finding]:
    """Yield what is found of each custom identifier that the settings name.

    Args:
        client: Calls the account.
        settings: The target's settings.
    """
    wanted = named_custom_identifiers(settings)
    try:
        known = client.custom_identifiers() if wanted else []
    except TargetDotdigitalError as error:
        yield Finding("FAIL", "Custom identifiers", error.message)
        return
    if known is None:
        text = (
            f"not checked: {client.host} has no call that lists them. Compare their names with "
            "Dotdigital's settings"
        )
        yield Finding("WARN", "Custom identifiers", text)
        return
    for name in wanted:
        subject = f"Custom identifier '{name}'"
        problem = _problem(name, known)
        if problem is None:
            yield Finding("OK", subject, "found")
        elif settings.sandbox_path is not None:
            yield Finding("OK", subject, "will be created in the sandbox")
        else:
            yield Finding("FAIL", subject, problem.removeprefix(f"{subject} "))


def custom_identifier_problems(settings: Settings, known: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the custom identifiers that the settings name.

    Args:
        settings: The target's settings.
        known: The account's custom identifiers.
    """
    for stream, each in (settings.streams or {}).items():
        for setting, name in _named_by(each):
            problem = _problem(name, known)
            if problem is not None:
                yield f"streams.{stream}.{setting}: {problem}"


def _named_by(stream: StreamSettings) -> Iterator[tuple[str, str]]:
    """Yield each custom identifier of a stream once, with the setting that names it."""
    if stream.match_identifier not in OWN_IDENTIFIERS:
        yield "match_identifier", stream.match_identifier
    for name in stream.identifiers or {}:
        if name not in OWN_IDENTIFIERS and name != stream.match_identifier:
            yield "identifiers", name


def _problem(name: str, known: Collection[str]) -> str | None:
    """Return what is wrong with a custom identifier, or None if the account has it."""
    if name in known:
        return None
    return (
        f"Custom identifier '{name}' not found.{did_you_mean(name, [*known, *OWN_IDENTIFIERS])} "
        "Correct the name, or create the identifier in Dotdigital"
    )

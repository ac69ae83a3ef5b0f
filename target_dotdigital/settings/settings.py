"""The settings, typed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import override

from target_dotdigital.settings.access import path_setting
from target_dotdigital.settings.address_books import address_book_setting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_dotdigital.settings.stream_schema import MergeOption

Purpose: TypeAlias = Literal["load", "verify", "replay", "undo"]
"""What a run is for: it loads, or it only compares, or it loads a file of an earlier run."""

REJECT_PROPERTY_PREFIX = "_sdc_reject"
"""Properties that the rejects file adds to a record. They are never sent."""

MAX_ID = 2**31 - 1
"""Dotdigital's IDs of address books and preferences are int32."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one stream is loaded: `streams.<name>`, with the defaults filled in."""

    address_book: str | int | None
    address_book_property: str | None
    match_identifier: str
    identifiers: Mapping[str, str] | None
    fields: Mapping[str, str] | None
    merge_option: MergeOption
    email_type: str | None
    email_opt_in_type: str | None
    resubscribe: bool
    preferences: Mapping[int, str]
    """Properties by preference ID."""
    consent: Mapping[str, str] | None
    """Properties by the part of a consent record."""
    sync_mode: str = "upsert"
    max_removal_percent: int = 20
    mirror_shared: bool = False
    on_delete: str = "ignore"
    exact_numbers: bool = False
    mobile_country: str | None = None
    account_only: bool = False
    """Whether contacts are to be in no address book."""
    opt_out: Mapping[str, str] | None = None
    """By channel, the property that says whether the contact has opted out."""
    opt_out_new: str = "create"

    @property
    def has_address_book(self) -> bool:
        """Whether it is said where contacts go: into an address book, or into none on purpose."""
        named = self.address_book is not None or self.address_book_property is not None
        return named or self.account_only


@dataclass(frozen=True, slots=True)
class BatchStorage:
    """Where the files of BATCH messages are looked for by their names."""

    root: str = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    """What fsspec needs to open it, credentials for instance."""
    prefix: str = field(default="", repr=False)
    """What the tap puts before each name."""

    def url_of(self, url: str) -> str:
        """Return where a file is.

        Args:
            url: Where it is for the tap.
        """
        if not self.root:
            return url
        folder = self.prefix.rpartition("/")[0].strip("/")
        name = url.partition("?")[0].rpartition("/")[2]
        return "/".join((self.root.rstrip("/"), *filter(None, [folder]), name))


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings once they are known to be sound. Never printed: it has no `repr`."""

    username: str
    password: str
    region: str | None
    api_url: str | None
    sandbox_path: Path | None
    rejects_path: Path | None
    rejects_csv: Path | None
    report_path: Path | None
    """A file; or a folder, where `report_is_folder` says so."""
    report_is_folder: bool
    dry_run: bool
    create_address_book: bool
    create_data_fields: bool
    batch_size_rows: int
    batch_wait_limit_seconds: int
    max_active_imports: int
    import_timeout_seconds: int
    shutdown_grace_seconds: int
    max_reject_percent: int
    streams: Mapping[str, StreamSettings] | None
    """Those that are loaded."""
    default_stream: StreamSettings
    send: str = "all"
    fingerprints_path: Path | None = None
    send_all_every_days: int = 7
    batch_storage: BatchStorage | None = None
    skipped_streams: frozenset[str] = frozenset()
    """Those that `skip` leaves out on purpose."""
    purpose: Purpose = "load"
    """What the run is for. No setting, but an option of the command line."""
    verification_path: Path | None = None
    """Where a verification writes what it has found; None if nowhere, or if the run is none."""

    account_id: int | None = None
    """The ID of the account that has to be the one that is called, if there is such."""

    @property
    def holds_opt_outs(self) -> bool:
        """Whether an opt-out is held for the rest of the run, whatever later rows say.

        That matters only where a later row could undo it: where a stream sends `subscribed`, or
        leaves out who has opted out, so that a later row would create them subscribed.
        """
        streams = [] if self.streams is None else [x for x in self.streams.values() if x.opt_out]
        if not streams or self.streams is None:
            return False
        resubscribes = any(each.resubscribe for each in self.streams.values())
        return resubscribes or any(each.opt_out_new == "skip" for each in streams)

    @override
    def __repr__(self) -> str:
        """Show nothing: a credential must not reach a log or a traceback."""
        return "<Settings>"

    def stream(self, name: str) -> StreamSettings | None:
        """Return how a stream is loaded, or None if `streams` leaves it out.

        Args:
            name: The stream's name after stream maps.
        """
        return self.default_stream if self.streams is None else self.streams.get(name)

    def for_purpose(
        self, purpose: Purpose, rejects_path: Path | None = None, account_id: int | None = None
    ) -> Settings:
        """Return the settings of a run that is for something else than a load.

        Args:
            purpose: What it is for.
            rejects_path: Where a file that is loaded again has its rejected rows put.
            account_id: The ID of the account that such a file is of, if that is known.
        """
        if purpose == "load":
            return self
        # Everyone is looked for, or put back, whatever was sent before.
        chosen = self if purpose == "replay" else replace(self, fingerprints_path=None)
        if purpose == "verify":
            # What a load has left for people to look at stays as it is.
            return replace(
                chosen,
                purpose=purpose,
                dry_run=True,
                rejects_path=None,
                report_path=None,
                verification_path=self._beside_report(),
            )
        return replace(chosen, purpose=purpose, rejects_path=rejects_path, account_id=account_id)

    def _beside_report(self) -> Path | None:
        path = self.report_path
        if path is None or self.report_is_folder:
            return None if path is None else path / "verify.json"
        return path.with_name(f"{path.stem}.verify.json")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read settings that `problems` has found none in.

        Args:
            config: The plugin's configuration, defaults filled in.
        """
        streams = config.get("streams")
        skipped = frozenset(name for name, each in (streams or {}).items() if each.get("skip"))
        return cls(
            username=config.get("username") or "",
            password=config.get("password") or "",
            region=config.get("region"),
            api_url=config.get("api_url") or None,
            sandbox_path=path_setting(config, "sandbox_path"),
            rejects_path=path_setting(config, "rejects_path"),
            rejects_csv=path_setting(config, "rejects_csv"),
            report_path=path_setting(config, "report_path"),
            report_is_folder=(config.get("report_path") or "").endswith("/"),
            dry_run=config.get("dry_run", False),
            create_address_book=config.get("create_address_book", False),
            create_data_fields=config.get("create_data_fields", False),
            batch_size_rows=config["batch_size_rows"],
            batch_wait_limit_seconds=config["batch_wait_limit_seconds"],
            max_active_imports=config["max_active_imports"],
            import_timeout_seconds=config["import_timeout_minutes"] * 60,
            shutdown_grace_seconds=config["shutdown_grace_seconds"],
            max_reject_percent=config["max_reject_percent"],
            streams=None
            if streams is None
            else {
                name: _stream(settings, config)
                for name, settings in streams.items()
                if name not in skipped
            },
            default_stream=_stream({}, config),
            send=config.get("send", "all"),
            fingerprints_path=path_setting(config, "fingerprints_path"),
            send_all_every_days=config.get("send_all_every_days", 7),
            batch_storage=_batch_storage(config),
            skipped_streams=skipped,
        )


def _batch_storage(config: Mapping[str, Any]) -> BatchStorage | None:
    storage = (config.get("batch_config") or {}).get("storage") or {}
    root, params = storage.get("root") or "", storage.get("params") or {}
    if not root and not params:
        return None
    return BatchStorage(root, params, storage.get("prefix") or "")


def _stream(settings: Mapping[str, Any], config: Mapping[str, Any]) -> StreamSettings:
    address_book, account_only = address_book_setting(settings, config)
    country = settings.get("mobile_country")
    return StreamSettings(
        address_book=address_book,
        address_book_property=settings.get("address_book_property"),
        match_identifier=settings.get("match_identifier", "email"),
        identifiers=settings.get("identifiers"),
        fields=settings.get("fields"),
        merge_option=settings.get("merge_option", config["merge_option"]),
        email_type=settings.get("email_type"),
        email_opt_in_type=settings.get("email_opt_in_type"),
        resubscribe=settings.get("resubscribe", False),
        preferences={int(each): path for each, path in settings.get("preferences", {}).items()},
        consent=settings.get("consent"),
        sync_mode=settings.get("sync_mode", "upsert"),
        max_removal_percent=settings.get("max_removal_percent", 20),
        mirror_shared=settings.get("mirror_shared", False),
        on_delete=settings.get("on_delete", "ignore"),
        exact_numbers=settings.get("exact_numbers", False),
        mobile_country=country.upper() if country is not None else None,
        account_only=account_only,
        opt_out=settings.get("opt_out"),
        opt_out_new=settings.get("opt_out_new", "create"),
    )

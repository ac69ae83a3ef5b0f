"""Where files of BATCH messages are opened: on this machine, or wherever fsspec reaches.

What libraries say of a storage may hold its URL, and with it a credential: of an error only its
kind is told, and the libraries' own logs are switched off.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from target_dotdigital.errors import (
    DataError,
    NetworkError,
    SettingsError,
    StorageError,
    TargetDotdigitalError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_dotdigital.batch_files.batch_message import BatchFile
    from target_dotdigital.settings import BatchStorage

_LOCAL_SCHEMES: Final = ("file://", "local://")

_TALKATIVE: Final = (
    *("adlfs", "aiobotocore", "aiohttp", "asyncio", "azure", "boto3", "botocore", "fsspec"),
    *("gcsfs", "google", "paramiko", "s3fs", "smbprotocol"),
)
"""Libraries of storages. What they log may hold URLs, and requests with their signatures."""


@contextmanager
def opened(file: BatchFile, storage: BatchStorage | None) -> Iterator[IO[bytes]]:
    """Open a file, and close it. Nothing is made, and nothing is removed.

    Args:
        file: The file.
        storage: Where it is looked for by its name; where its URL says, if that is None.

    Raises:
        TargetDotdigitalError: It cannot be opened, or not be read to its end.
    """
    url = file.url if storage is None else storage.url_of(file.url)
    params = {} if storage is None else storage.params
    path = _local_path(url)
    try:
        with _open_remotely(file, url, params) if path is None else path.open("rb") as content:
            yield content
    except TargetDotdigitalError:
        raise
    except Exception as error:  # noqa: BLE001 - each storage has errors of its own
        raise _told(error, file.name, is_local=path is not None) from None


def _local_path(url: str) -> Path | None:
    """Return where a file is on this machine; None if it is elsewhere."""
    for scheme in _LOCAL_SCHEMES:
        if url.startswith(scheme):
            path = Path(url[len(scheme) :])
            # The SDK writes a root without a scheme as a URL, with escapes, and one with as it is.
            return path if path.exists() else Path(unquote(str(path)))
    return None if "://" in url or "::" in url else Path(url)


@contextmanager
def _open_remotely(file: BatchFile, url: str, params: Mapping[str, Any]) -> Iterator[IO[bytes]]:
    import fsspec  # noqa: PLC0415 - slow to load, and most runs have no files
    from fsspec.registry import known_implementations  # noqa: PLC0415

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    scheme = url.partition("://")[0]
    known = known_implementations.get(scheme)
    try:
        filesystem, path = fsspec.url_to_fs(url, **params)
    except ImportError:
        hint = "Install the package of fsspec that it needs" if known is None else known.get("err")
        raise SettingsError(
            f"{file.name} is in a storage whose package is not installed. {hint}"
        ) from None
    except ValueError:
        if known is not None or "::" in url:
            raise
        raise DataError(
            f"{file.name} is in a storage that fsspec does not know. Correct the tap's batch_config"
        ) from None
    logging.getLogger(type(filesystem).__module__.partition(".")[0]).setLevel(logging.CRITICAL + 1)
    with filesystem.open(path, "rb") as content:
        yield content  # the storage is closed with the last that knows it


def _told(error: Exception, name: str, *, is_local: bool) -> TargetDotdigitalError:
    """Return what can be told of an error: nothing that it says itself."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return DataError(
            f"{name} does not exist. Keep the tap's files until they are loaded, where the target "
            "can read them, or set batch_config.storage"
        )
    if isinstance(error, IsADirectoryError):
        return DataError(f"{name} is a folder. Correct the tap")
    if isinstance(error, PermissionError):
        if is_local:
            return StorageError(f"{name} may not be read. Give your user the permission to read it")
        return SettingsError(
            f"{name} may not be read. Set credentials for its storage in "
            "batch_config.storage.params, or give them the permission to read it"
        )
    if is_local:
        reason = error.strerror if isinstance(error, OSError) else None
        return StorageError(f"{name} cannot be read: {reason or type(error).__name__}")
    return NetworkError(
        f"{name} cannot be read from its storage ({type(error).__name__}). Check that this machine "
        "reaches it, and batch_config.storage"
    )

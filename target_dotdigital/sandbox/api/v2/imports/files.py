"""Files in the bodies of calls: an upload in a form, or JSON with the file in Base64."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from target_dotdigital.sandbox.api.requests import read_body, read_upload
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2, v2_refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.http import RefusalError

CHUNK_BYTES = 64 * 1024
MAXIMUM_FIELDS = 100

CSV, EXCEL = (".csv",), (".xls", ".xlsx")


class SentFile(msgspec.Struct, frozen=True):
    """A file.

    Attributes:
        is_csv: Whether its name says that it is CSV. Otherwise it is one of Excel.
        content: What is in it.
    """

    is_csv: bool
    content: bytes


class FileMedia(msgspec.Struct, frozen=True, rename="camel"):
    """A file in JSON."""

    file_name: str | None = None
    data: str | None = None


_MEDIA = AnyCaseDecoder(FileMedia)


async def read_file(request: Request) -> SentFile:
    """Read the file that a call has in its body.

    Raises:
        RefusalError: 400, there is none, more than one, or it is of another format.
        HTTPException: 413 or 400, it is too large.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        name, content = await _read_form(request, await read_upload(request))
    else:
        name, content = _read_json(await read_body(request))
    switches: Switches = request.app.state.switches
    if len(content) > int(switches.file_limit) * 1_000_000:
        raise HTTPException(int(switches.large_body))
    suffix = name.lower()
    if not suffix.endswith((*CSV, *EXCEL)):
        # No full stop but the last: clients take what follows the first one for the code.
        raise v2_refusal(
            "ERROR_IMPORT_UNSUPPORTED_FORMAT",
            "The file's name has to be that of a CSV, or Excel's.",
        )
    return SentFile(suffix.endswith(CSV), content)


async def _read_form(request: Request, body: bytes) -> tuple[str, bytes]:
    parser = MultiPartParser(request.headers, _chunks(body), max_fields=MAXIMUM_FIELDS)
    # Larger than any body, so that nobody's address gets into a temporary file.
    parser.spool_max_size = len(body) + 1
    try:
        form = await parser.parse()
    except MultiPartException:
        raise v2_refusal("ERROR_MALFORMED_REQUEST", "The request is no form.") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    try:
        if len(files) > 1:
            raise v2_refusal("ERROR_MULTI_FILE_UPLOAD_NOT_ALLOWED", "One file is taken in a call.")
        if not files or not files[0].filename:
            raise _no_file()
        return files[0].filename, await files[0].read()
    finally:
        await form.close()


async def _chunks(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


def _read_json(body: bytes) -> tuple[str, bytes]:
    media = decode_v2(_MEDIA, body, "ERROR_PARAMETER_INVALID")
    if not media.file_name or media.data is None:
        raise _no_file()
    try:
        # Some encoders break the text into lines.
        return media.file_name, base64.b64decode("".join(media.data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _no_file() from None


def _no_file() -> RefusalError:
    # The vendor's words, which have no code.
    # Source: https://developer.dotdigital.com/reference/bulk-import-contacts.
    return v2_refusal("", "file must be valid", HTTPStatus.BAD_REQUEST)

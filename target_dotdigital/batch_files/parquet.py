"""Parquet, with pyarrow, which the extra `parquet` installs: its rows as JSON objects."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
import simplejson

from target_dotdigital.errors import DataError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS: Final = 1024
"""Read at once: about as many bytes as a block of lines."""

_encode_lines = msgspec.json.Encoder(decimal_format="number").encode_lines


def read_parquet(file: IO[bytes], name: str) -> Iterator[list[bytes]]:
    """Yield records, many at a time, each a JSON object on a line.

    Args:
        file: The file.
        name: What it is called in messages.

    Raises:
        SettingsError: The extra is not installed.
        DataError: It is no such file, or is cut off. What comes before that is yielded.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an optional extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise SettingsError(
            f"{name} is Parquet, which needs an extra. Install it: pip install "
            "'target-dotdigital[parquet]'"
        ) from None
    try:
        content = parquet.ParquetFile(file, page_checksum_verification=True)
        for batch in content.iter_batches(batch_size=_ROWS, use_threads=False):
            yield _lines(batch)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the storage
        raise DataError(
            f"{name} is no Parquet file, or is cut off or damaged. Run the tap again"
        ) from None


def _lines(batch: Any) -> list[bytes]:  # noqa: ANN401 - pyarrow tells no types
    """Return rows as JSON."""
    columns = [_in_microseconds(column) for column in batch.columns]
    rows = type(batch).from_arrays(columns, names=batch.schema.names).to_pylist()
    if all(map(_is_plain, columns)):
        return _encode_lines(rows).splitlines()
    return [_encoded(row) for row in rows]


def _in_microseconds(column: Any) -> Any:  # noqa: ANN401
    """Return times as Python has them."""
    import pyarrow as pa  # noqa: PLC0415

    if not pa.types.is_timestamp(column.type):
        return column
    zone = None if column.type.tz is None else "UTC"
    return column.cast(pa.timestamp("us", zone), safe=False)


def _is_plain(column: Any) -> bool:  # noqa: ANN401
    """Return whether msgspec writes a column's values as a tap would: NaN it writes as null."""
    from pyarrow import compute, types  # noqa: PLC0415

    kind = column.type
    if types.is_float32(kind) or types.is_float64(kind):
        return bool(compute.all(compute.is_finite(column), min_count=0).as_py())
    plain = (
        *(types.is_null, types.is_boolean, types.is_integer, types.is_decimal),
        *(types.is_string, types.is_large_string, types.is_date, types.is_time),
        types.is_timestamp,
    )
    return any(is_of(kind) for is_of in plain)


def _encoded(row: dict[str, Any]) -> bytes:
    """Return a row as JSON. Text that is not UTF-8 stays so: then the row is rejected."""
    text = simplejson.dumps(
        _as_text(row), use_decimal=True, allow_nan=True, ensure_ascii=False, default=_told
    )
    return text.encode("utf-8", "surrogateescape")


def _as_text(value: Any) -> Any:  # noqa: ANN401 - any value that pyarrow returns
    """Return a value with texts in place of bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_text(each) for each in value]
    return value


def _told(value: Any) -> str:  # noqa: ANN401 - any value that JSON has not
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

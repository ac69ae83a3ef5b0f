"""A tap of the SDK's own, which sends RECORD or BATCH messages as its `batch_config` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import PluginCapabilities
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class PeopleStream(Stream):
    """Rows of a file."""

    name = "people"
    primary_keys = ("id",)
    replication_key = "id"
    is_sorted = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("email", th.StringType),
        th.Property("first_name", th.StringType),
        th.Property("loyalty_points", th.NumberType),
        th.Property("birthday", th.DateType),
    ).to_dict()

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for line in Path(self.config["rows"]).read_text().splitlines():
            yield json.loads(line)


class PeopleTap(Tap):
    """A tap."""

    name = "tap-people"
    capabilities: ClassVar[list[Any]] = [*Tap.capabilities, PluginCapabilities.BATCH]
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("rows", th.StringType, required=True)
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [PeopleStream(self)]


if __name__ == "__main__":
    PeopleTap.cli()

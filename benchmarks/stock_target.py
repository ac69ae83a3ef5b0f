"""A target as the SDK's template makes it: the comparison of `benchmarks.template`.

Everything that the SDK brings is left as it is: its reader, its validation, its batches. What a
developer adds is `process_batch`, in the plain way: contacts as dictionaries, `json`, `requests`.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal
from typing import Any, ClassVar

import requests
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink
from singer_sdk.target_base import Target
from typing_extensions import override

TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.5


def _plain(value: object) -> str | float:
    """Return what `json` does not take: the SDK makes datetimes of texts, Decimals of numbers."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


class StockSink(BatchSink):
    """Sends a batch, and waits for its end."""

    max_size = 10_000

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        config = self.config
        contacts = [
            {
                "matchIdentifier": "email",
                "identifiers": {"email": record["email"]},
                "dataFields": {field: record[name] for field, name in config["fields"].items()},
                "lists": [config["address_book"]],
            }
            for record in context["records"]
        ]
        url = f"{config['api_url']}/contacts/v3/import"
        login = (config["username"], config["password"])
        body = json.dumps({"mergeOption": "overwrite", "contacts": contacts}, default=_plain)
        reply = requests.put(url, data=body, auth=login, timeout=TIMEOUT_SECONDS)
        reply.raise_for_status()
        url = f"{url}/{reply.json()['importId']}"
        while requests.get(url, auth=login, timeout=TIMEOUT_SECONDS).json()["status"] != "Finished":
            time.sleep(POLL_SECONDS)


class StockTarget(Target):
    """A target with nothing but what it needs."""

    name = "target-stock"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("username", th.StringType, required=True),
        th.Property("password", th.StringType, required=True, secret=True),
        th.Property("api_url", th.StringType, required=True),
        th.Property("address_book", th.IntegerType, required=True),
        th.Property("fields", th.ObjectType(additional_properties=th.StringType), required=True),
    ).to_dict()
    default_sink_class = StockSink


if __name__ == "__main__":
    StockTarget.cli()

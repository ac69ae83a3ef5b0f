"""Peak memory of the target over many rows, against the sandbox in a process of its own.

    uv run python benchmarks/memory.py --rows 100000

Prints rows per second and the target's peak resident memory in MB (as the operating system tells
it when the process ends).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from target_dotdigital.sandbox import EmbeddedSandbox

SCHEMA = {
    "type": "SCHEMA",
    "stream": "customers",
    "key_properties": ["id"],
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "email": {"type": "string"},
            "first_name": {"type": ["string", "null"]},
            "last_name": {"type": ["string", "null"]},
            "gender": {"type": ["string", "null"]},
            "city": {"type": ["string", "null"]},
            "notes": {"type": ["string", "null"]},
            "postcode": {"type": ["string", "null"]},
            "segment": {"type": ["string", "null"]},
            "last_subscribed": {"type": ["string", "null"], "format": "date-time"},
            "orders": {"type": "integer"},
            "revenue": {"type": "number"},
        },
    },
}


def write_rows(out: IO[bytes], rows: int) -> None:
    """Write a customer stream of 12 fields and about 400 bytes a row, with a STATE each 10,000."""
    out.write(json.dumps(SCHEMA).encode() + b"\n")
    for number in range(rows):
        record = {
            "id": number,
            "email": f"customer.number.{number}@example.com",
            "first_name": f"First{number % 997}",
            "last_name": f"Last{number % 9973}",
            "gender": "female" if number % 2 else "male",
            "city": f"Town {number % 500}",
            "notes": "prefers to be told by letter " * 3,
            "postcode": f"N{number % 20} {number % 9}DP",
            "segment": f"segment-{number % 7}",
            "last_subscribed": "2026-01-31T10:00:00Z",
            "orders": number % 40,
            "revenue": number / 100,
        }
        message = {"type": "RECORD", "stream": "customers", "record": record}
        out.write(json.dumps(message).encode() + b"\n")
        if number % 10_000 == 0:
            out.write(json.dumps({"type": "STATE", "value": {"row": number}}).encode() + b"\n")


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rejects", action="store_true", help="keep rejects (rejects_path)")
    parser.add_argument("--dry-run", action="store_true", help="plan only (dry_run)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "rows.singer").open("wb") as out:
            write_rows(out, arguments.rows)
        with EmbeddedSandbox(folder / "sandbox.db", address_books=["Customers"]) as sandbox:
            config: dict[str, object] = {
                "username": sandbox.username,
                "password": sandbox.password,
                "api_url": sandbox.url,
                "address_book": "Customers",
            }
            if arguments.rejects:
                config["rejects_path"] = str(folder / "rejects.singer")
            if arguments.dry_run:
                config["dry_run"] = True
            (folder / "config.json").write_text(json.dumps(config))
            command = [sys.executable, "-m", "target_dotdigital", "--config", "config.json"]
            started = time.monotonic()
            with (folder / "rows.singer").open("rb") as rows:
                target = subprocess.Popen(command, stdin=rows, stdout=subprocess.PIPE, cwd=folder)
                output = target.stdout.read() if target.stdout is not None else b""
                _, status, usage = os.wait4(target.pid, 0)
            seconds = time.monotonic() - started
    print(f"exit status        {os.waitstatus_to_exitcode(status)}")
    print(f"last STATE         {(output.decode().splitlines() or ['none'])[-1]}")
    print(f"rows per second    {arguments.rows / seconds:,.0f}")
    print(f"peak memory, MB    {usage.ru_maxrss / 1024:,.0f}")


if __name__ == "__main__":
    main()

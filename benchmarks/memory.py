"""Peak memory of the target over many rows, against the sandbox in a process of its own.

    uv run python -m benchmarks.memory --rows 100000

Prints rows per second and the target's peak resident memory in MB (as the operating system tells
it when the process ends).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import customers
from benchmarks.processes import run
from target_dotdigital.sandbox import EmbeddedSandbox


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rejects", action="store_true", help="keep rejects (rejects_path)")
    parser.add_argument("--dry-run", action="store_true", help="plan only (dry_run)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
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
            source = customers.file_of(arguments.rows)
            ended = run(["-m", "target_dotdigital", "--config", "config.json"], source, folder)
    print(f"last STATE         {(ended.output.splitlines() or ['none'])[-1]}")
    print(f"rows per second    {arguments.rows / ended.seconds:,.0f}")
    print(f"peak memory, MB    {ended.peak_megabytes:,.0f}")


if __name__ == "__main__":
    main()

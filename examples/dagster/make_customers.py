"""Made-up customers in partitions, as a warehouse unloads a table by a partition column.

    python make_customers.py --customers 4000

Writes `output/customers/partition=<number>/customers.jsonl`. A partition holds the customers whose
ID has its number as CRC-32 modulo the number of partitions: every row of a customer is in the same
one, now and after the next unload.
"""
# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent / "output" / "customers"
FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dee", "Eskil", "Fatima", "Giulia", "Hana")
LAST_NAMES = ("Ashdown", "Birk", "Caruso", "Dubois", "Ekman", "Farah", "Grant")


def partition_of(customer: int, partitions: int) -> int:
    """Return a customer's partition.

    Args:
        customer: The customer's ID.
        partitions: How many there are.
    """
    return zlib.crc32(str(customer).encode()) % partitions


def write_customers(customers: int, partitions: int, folder: Path = FOLDER) -> None:
    """Write them.

    Args:
        customers: How many.
        partitions: In how many parts.
        folder: Where the parts are; those that are there already are overwritten.
    """
    lines: list[list[str]] = [[] for _ in range(partitions)]
    for number in range(1, customers + 1):
        row = {
            "id": number,
            "email": f"customer.{number}@example.org",
            "first_name": FIRST_NAMES[number % len(FIRST_NAMES)],
            "last_name": LAST_NAMES[number % len(LAST_NAMES)],
            "postcode": f"N{number % 20} {number % 9}DP",
        }
        lines[partition_of(number, partitions)].append(json.dumps(row) + "\n")
    for partition, part in enumerate(lines):
        file = folder / f"partition={partition}" / "customers.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(part), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=4_000)
    parser.add_argument("--partitions", type=int, default=4)
    options = parser.parse_args()
    write_customers(options.customers, options.partitions)

"""The script `target-dotdigital-sandbox`, which is there without the extra that it needs."""

from __future__ import annotations

import sys


def main() -> int:
    """Serve the sandbox until SIGINT or SIGTERM.

    Returns:
        The exit status: 0 after a signal, 1 if it could not start.
    """
    try:
        from target_dotdigital.sandbox.command import main as serve  # noqa: PLC0415 - an extra
    except ImportError as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    return serve()

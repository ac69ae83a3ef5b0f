"""The command `target-dotdigital`, and `python -m target_dotdigital`."""

from __future__ import annotations

from target_dotdigital.signals import exit_at_once


def main() -> None:
    """Load what comes on standard input. A signal ends it quietly from the first moment on."""
    exit_at_once()
    # It takes a second to import.
    from target_dotdigital.target import TargetDotdigital  # noqa: PLC0415 - signals come first

    TargetDotdigital.cli()


if __name__ == "__main__":
    main()

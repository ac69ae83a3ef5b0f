"""The command `target-dotdigital`, and `python -m target_dotdigital`."""

from __future__ import annotations

import gc
import os

from target_dotdigital.signals import exit_at_once

COMPLETION_VARIABLE = "_TARGET_DOTDIGITAL_COMPLETE"
"""What a shell sets that completes the command: the name that Click derives from the command's."""

_OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""A block of rows is made of thousands of them, and none is part of a cycle."""


def main() -> None:
    """Load what comes on standard input. A signal ends it quietly from the first moment on."""
    exit_at_once()
    if os.environ.get(COMPLETION_VARIABLE):
        from target_dotdigital.terminal import complete  # noqa: PLC0415 - signals come first

        complete(COMPLETION_VARIABLE)
    # What is imported stays: a collector that walks it again and again while it grows, and later in
    # a run, finds nothing.
    gc.disable()
    from target_dotdigital.target import TargetDotdigital  # noqa: PLC0415 - signals come first

    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    TargetDotdigital.cli()


if __name__ == "__main__":
    main()

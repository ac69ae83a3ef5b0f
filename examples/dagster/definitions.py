"""A big load, fanned out: a `meltano run` for each partition, side by side on one account.

The README beside this file tells how to start it.
"""
# ruff: noqa: INP001 - Dagster loads it as a file

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster

PROJECT = Path(__file__).parent

PARTITIONS = 4
"""As many as meltano.yml has taps and targets with a number, and the source has parts."""

ACTIVE_IMPORTS = 20
"""What all runs together may have active. An account takes 25, of all its integrations."""


class Selection(dagster.Config):
    """Which partitions to load: all of them, unless the run config says otherwise."""

    partitions: list[int] = list(range(PARTITIONS))  # noqa: RUF012 - each gets a copy


@dagster.op(out=dagster.DynamicOut(int))
def fan_out(config: Selection) -> Iterator[dagster.DynamicOutput[int]]:
    """Install the tap and the target once, and yield the partitions."""
    meltano("install")
    for partition in config.partitions:
        yield dagster.DynamicOutput(partition, mapping_key=str(partition))


@dagster.op
def load(partition: int) -> None:
    """Load a partition, from its own bookmark and into its own rejects file.

    What can pass by itself the target has tried again when it fails, for two minutes or more. So
    there is no retry policy here: somebody reads what the run says, and starts it again.
    """
    meltano(
        "run",
        # With their number: bookmarks of one division are worth nothing in another.
        f"--state-id-suffix={partition}-of-{PARTITIONS}",
        f"tap-customers-{partition}",
        f"target-dotdigital-{partition}",
        PARTITION=str(partition),
        TARGET_DOTDIGITAL_MAX_ACTIVE_IMPORTS=str(ACTIVE_IMPORTS // PARTITIONS),
    )


@dagster.job(
    executor_def=dagster.multiprocess_executor.configured(
        # Forked from a process that has read Dagster in already.
        {"max_concurrent": PARTITIONS, "start_method": {"forkserver": {}}}
    )
)
def load_customers() -> None:
    """Load every partition, each in a process of its own."""
    fan_out().map(load)


def meltano(*arguments: str, **variables: str) -> None:
    """Run Meltano, and end it if the step is cancelled.

    Args:
        arguments: Its arguments.
        variables: Environment variables besides those that are set.

    Raises:
        Failure: Meltano has failed.
    """
    # In a session of its own: Ctrl-C reaches Meltano once, from here.
    process = subprocess.Popen(  # noqa: S603
        ["meltano", *arguments],  # noqa: S607
        cwd=PROJECT,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            # The target still waits for its active imports, `shutdown_grace_seconds` at most.
            process.terminate()
            process.wait()
    if status:
        message = f"meltano {arguments[0]} has ended with exit status {status}"
        raise dagster.Failure(message, allow_retries=False)


definitions = dagster.Definitions(jobs=[load_customers])

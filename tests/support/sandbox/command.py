"""The command, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from typing_extensions import Self

from tests.support.sandbox.client import DEADLINE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "target_dotdigital.sandbox.command"
READY = re.compile(r"http://\S+")


class SandboxCommand:
    """`target-dotdigital-sandbox`, started and ready."""

    def __init__(self, database: Path, *arguments: str, password: str | None = None) -> None:
        environment = dict(os.environ, PYTHONWARNINGS="error")
        if password is not None:
            environment["TARGET_DOTDIGITAL_SANDBOX_PASSWORD"] = password
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--port=0", f"--database={database}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        self.ready_line = self.process.stdout.readline()
        match = READY.search(self.ready_line)
        if match is None:
            _, errors = self.end()
            message = f"the command did not start: {errors}"
            raise AssertionError(message)
        self.url = match[0]
        self.advice_line = self.process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.end(signal.SIGKILL)

    def end(self, signal_number: signal.Signals | None = None) -> tuple[str, str]:
        """Send a signal, wait for the end, and return what else was printed."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        if self.process.stdout is None or self.process.stdout.closed:
            return "", ""
        return self.process.communicate(timeout=DEADLINE_SECONDS)

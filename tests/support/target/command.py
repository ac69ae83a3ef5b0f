"""The target's real command line in a process of its own, fed and watched by a test."""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import Self

from tests.support.target.forked_process import ForkServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tests.support.dotdigital.server import DotdigitalServer

REPOSITORY = Path(__file__).parents[3]

PATIENCE_SECONDS = 120
"""How long a test waits for what should come at once."""


def settings_for(server: DotdigitalServer, **settings: Any) -> dict[str, Any]:
    """Return a configuration that points at a test server."""
    return {
        "username": server.username,
        "password": server.password,
        "api_url": server.url,
        "address_book": 102,
        **settings,
    }


@dataclass(frozen=True)
class FinishedRun:
    """What a finished run left."""

    status: int
    stdout: str
    stderr: str

    @property
    def states(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def counts(self, stream: str = "people") -> str:
        """Return a stream's summary, from `read` on."""
        marker = f"Stream '{stream}': read"
        lines = [line for line in self.stderr.splitlines() if marker in line]
        assert len(lines) == 1, self.stderr
        return "read" + lines[0].partition(marker)[2]


@functools.cache
def fork_server() -> ForkServer:
    """Return the server of these tests: one in each process of pytest's, from its first use on."""
    server = ForkServer(REPOSITORY)
    atexit.register(server.close)
    return server


class TargetProcess:
    """A running target: a context manager that leaves no process behind."""

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        pace: float = 1,
        fresh: bool = False,
        stdout: IO[bytes] | None = None,
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Start it.

        Args:
            config: Its settings.
            folder: Where it works.
            environment: Variables beside the test's own.
            arguments: Arguments beside `--config`.
            pace: How fast its clock runs; see `tests.support.target.fast_clock`.
            fresh: Whether Python starts anew, where a test is about that. The process is forked
                from one that has loaded the target otherwise.
            stdout: Where its standard output goes, in place of the test.
            on_line: Called with each line of its standard output as soon as that is there.
        """
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TARGET_DOTDIGITAL_")
        }
        if pace != 1:
            variables["FAST_CLOCK_PACE"] = str(pace)
        variables.update(environment or {})
        module = "target_dotdigital"
        if any(name.startswith("FAST_CLOCK_") for name in variables):
            module = "tests.support.target.fast_clock"
            variables["PYTHONPATH"] = str(REPOSITORY)
        self._is_fresh = fresh or "FAST_CLOCK_JUMP" in variables
        command = [module, "--config", str(path), *arguments]
        self.process = self._start(command, variables, folder, stdout)
        self.peak_megabytes: float | None = None
        """Resident memory at its highest, as it was when the last line came on standard error."""
        self.processor_seconds = 0.0
        """What it had used when the last line came there."""
        self.peak_threads = 0
        """The most threads that it had when a line came there."""
        self._on_line = on_line
        self._changed = threading.Condition()
        self._lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._readers = [
            threading.Thread(target=self._collect, args=(name,))
            for name in self._lines
            if name == "stderr" or stdout is None
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.end()

    def send(self, *messages: Mapping[str, Any] | str | bytes) -> None:
        """Write messages, or raw lines, to its standard input."""
        assert self.process.stdin is not None
        for message in messages:
            if isinstance(message, bytes):
                line = message
            else:
                text = message if isinstance(message, str) else json.dumps(message)
                line = text.encode() + b"\n"
            self.process.stdin.write(line)
        self.process.stdin.flush()

    def send_what_it_takes(self, *messages: Mapping[str, Any] | str | bytes) -> None:
        """Write messages until it takes no more: a run that fails reads no further."""
        with suppress(BrokenPipeError):
            self.send(*messages)

    def close_input(self) -> None:
        """End its input, and go on."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait_for(self, text: str, stream: str = "stdout", times: int = 1) -> None:
        """Wait until a line of its output holds a text, so many times."""

        def is_there() -> bool:
            return sum(text in line for line in self._lines[stream]) >= times

        with self._changed:
            found = self._changed.wait_for(is_there, PATIENCE_SECONDS)
        assert found, f"no {text!r} in {self._lines}"

    @property
    def states(self) -> list[Any]:
        """The STATE values that it has printed so far."""
        with self._changed:
            return [json.loads(line) for line in self._lines["stdout"]]

    def end(self) -> FinishedRun:
        """Close its input, and wait until it has ended."""
        with suppress(BrokenPipeError):  # it may have ended without reading everything
            self.close_input()
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        self._reap()
        return FinishedRun(
            self.process.returncode,
            "".join(self._lines["stdout"]),
            "".join(self._lines["stderr"]),
        )

    def _look_at_size(self) -> None:
        # Not what `wait4` tells: that counts the test's own memory, before the child's `exec`.
        with suppress(OSError):  # it has ended, or this is no Linux
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name == "VmHWM":
                    self.peak_megabytes = int(value.split()[0]) / 1024
                elif name == "Threads":
                    self.peak_threads = max(self.peak_threads, int(value))
            times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks = int(times[11]) + int(times[12])
            self.processor_seconds = ticks / os.sysconf("SC_CLK_TCK")

    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        stdout: IO[bytes] | None,
        stderr: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start Python with a module and its arguments."""
        if not self._is_fresh and fork_server().can_stand_in(environment):
            return fork_server().start(command, environment, folder, stdout=stdout, stderr=stderr)
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=stdout or subprocess.PIPE,
            stderr=stderr or subprocess.PIPE,
            env=environment,
            cwd=folder,
        )

    def _reap(self) -> None:
        """Wait until it is gone, which is near once its output is closed."""
        self.process.wait(PATIENCE_SECONDS)

    def _collect(self, name: str) -> None:
        stream = getattr(self.process, name)
        with stream:
            for line in stream:
                if name == "stdout":
                    self._on_line(line.decode())
                else:
                    self._look_at_size()
                with self._changed:
                    self._lines[name].append(line.decode())
                    self._changed.notify_all()


def load(
    config: Mapping[str, Any],
    folder: Path,
    *messages: Mapping[str, Any] | str | bytes,
    environment: Mapping[str, str] | None = None,
    pace: float = 1,
) -> FinishedRun:
    """Run the target over messages, from the first to the end of its input."""
    with TargetProcess(config, folder, environment=environment, pace=pace) as target:
        target.send_what_it_takes(*messages)
        return target.end()

"""Processes that are forked from one that holds the target's modules, in place of new ones."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_")
"""What the names of variables begin with that count while a process starts, and no more later."""

_LOOK_SECONDS = 0.05
"""How often a process is looked at, at least, for whose end a test waits."""


class ForkedProcess(subprocess.Popen[bytes]):
    """What `subprocess` would have returned, of a process that another one has forked."""

    def __init__(
        self, connection: socket.socket, args: Sequence[str], streams: Sequence[IO[bytes] | None]
    ) -> None:
        """Take over a process that has been asked for.

        Args:
            connection: Where the server tells of it.
            args: Its command line.
            streams: Our ends of its standard input, output and error, as far as we have them.

        Raises:
            ChildProcessError: The server has not started it.
        """
        self.args = args
        self.stdin, self.stdout, self.stderr = streams
        self.returncode = None
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._lock = threading.Lock()
        answer = self._lines.readline()
        if not answer:
            self._close()
            raise ChildProcessError("The process was not started: see standard error")
        self.pid = int(answer)

    @override
    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                self._connection.sendall(b"?")
                self.returncode = json.loads(self._lines.readline())
                if self.returncode is not None:
                    self._close()
        return self.returncode

    @override
    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
        return status

    @override
    def send_signal(self, sig: int) -> None:
        if self.returncode is None:  # so its number is still its own
            os.kill(self.pid, sig)

    def _close(self) -> None:
        self._lines.close()
        self._connection.close()


class ForkServer:
    """The process that forks them."""

    def __init__(self, repository: Path) -> None:
        """Start it; it loads its modules meanwhile.

        Args:
            repository: The folder that holds the folder of the tests.
        """
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.target.fork_server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=repository,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._at_start = _read_at_start(os.environ)

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.wait()

    def can_stand_in(self, environment: Mapping[str, str]) -> bool:
        """Return whether a process with that environment starts no other way than this one did."""
        return _read_at_start(environment) == self._at_start

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> ForkedProcess:
        """Do what `python -m` does.

        Args:
            command: A module and its arguments.
            environment: All its variables.
            folder: Where it works.
            stdout: Where its standard output goes, in place of a pipe.
            stderr: Likewise.
        """
        umask = os.umask(0o077)
        os.umask(umask)
        request: dict[str, Any] = {
            "module": command[0],
            "arguments": list(command[1:]),
            "environment": dict(environment),
            "folder": str(folder),
            "umask": umask,
        }
        their_input, our_input = os.pipe()
        theirs = [their_input]
        ours: list[IO[bytes] | None] = [os.fdopen(our_input, "wb"), None, None]
        for place, given in enumerate((stdout, stderr), 1):
            if given is None:
                our_end, their_end = os.pipe()
                ours[place] = os.fdopen(our_end, "rb")
            else:
                their_end = os.dup(given.fileno())
            theirs.append(their_end)
        connection, their_connection = socket.socketpair()
        with their_connection, self._lock:
            socket.send_fds(self._control, [b"!"], [their_connection.fileno(), *theirs])
        for each in theirs:
            os.close(each)
        connection.sendall(json.dumps(request).encode() + b"\n")
        return ForkedProcess(connection, [sys.executable, "-m", *command], ours)


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_AT_START) and name != "PYTHONPATH"
    }

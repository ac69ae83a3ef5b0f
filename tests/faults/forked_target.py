"""The target's command line in milliseconds: forked from a process that holds its modules.

The child is as real as any: its own process, pipes, signals and end of the interpreter. Only the
second that Python takes to load the modules is spared. It runs on the hurried clock.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import Self, override

from target_dotdigital.account.connection import RUN_TIMEOUTS, Connection
from target_dotdigital.api.transport import CALL_DEADLINE_SECONDS
from target_dotdigital.target import TargetDotdigital
from tests.support.command import REPOSITORY, TargetProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

MESSAGE_BYTES = 65_536


class Forge:
    """A process from which targets are forked, one at a time; a context manager."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.forked_target", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=REPOSITORY,
            )
        self._replies = self._control.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._replies.close()
        self._control.close()
        self._process.wait()

    def fork(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> Forked:
        """Start a target."""
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
        }
        socket.send_fds(self._control, [json.dumps(request).encode() + b"\n"], theirs)
        for each in theirs:
            os.close(each)
        return Forked(self, int(self._replies.readline()), ours)

    def reap(self) -> tuple[int, float]:
        """Wait until the target is gone; return its exit status and its peak memory in MB."""
        self._control.sendall(b"\n")
        status, kilobytes = json.loads(self._replies.readline())
        return status, kilobytes / 1024


class Forked(subprocess.Popen[bytes]):
    """What `subprocess` would have returned, of a process that is the child of another one."""

    def __init__(self, forge: Forge, process_id: int, pipes: Sequence[int]) -> None:
        self._forge = forge
        self.pid = process_id
        self.stdin = os.fdopen(pipes[0], "wb")
        self.stdout = os.fdopen(pipes[1], "rb")
        self.stderr = os.fdopen(pipes[2], "rb")
        self.returncode = None
        self.peak_megabytes = 0.0

    @override
    def poll(self) -> int | None:
        return self.returncode

    @override
    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode, self.peak_megabytes = self._forge.reap()
        return self.returncode

    @override
    def send_signal(self, sig: int) -> None:
        if self.returncode is None:  # so its number is still its own
            os.kill(self.pid, sig)


class ForkedTarget(TargetProcess):
    """The target in a forked process, on a clock that runs faster."""

    def __init__(self, forge: Forge, pace: float, *args: Any, **kwargs: Any) -> None:
        self._forge = forge
        self._pace = pace
        super().__init__(*args, **kwargs)

    @override
    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        stdout: IO[bytes] | None,
    ) -> subprocess.Popen[bytes]:
        assert stdout is None
        hurried = {**environment, "HURRIED_PACE": str(self._pace)}
        return self._forge.fork(command[3:], hurried, folder)


def _serve(control: socket.socket) -> None:
    """Fork a target for each request; return in the child, or when there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test
    while True:
        request, pipes = _receive(control)
        if not request:
            sys.exit()
        process_id = os.fork()
        if process_id == 0:
            control.close()
            _become(request, pipes)
            return
        for each in pipes:
            os.close(each)
        control.sendall(b"%d\n" % process_id)
        # Until its end is asked for it keeps its number, so that no signal goes astray.
        if not control.recv(1):
            os.kill(process_id, signal.SIGKILL)
        _, status, usage = os.wait4(process_id, 0)
        ended = [os.waitstatus_to_exitcode(status), usage.ru_maxrss]
        control.sendall(json.dumps(ended).encode() + b"\n")


def _receive(control: socket.socket) -> tuple[Any, list[int]]:
    text, pipes, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
    while text and not text.endswith(b"\n"):
        text += control.recv(MESSAGE_BYTES)
    return json.loads(text) if text else None, pipes


def _become(request: Any, pipes: Sequence[int]) -> None:  # noqa: ANN401 - JSON
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, each in enumerate(pipes):
        os.dup2(each, number)
        os.close(each)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["target-dotdigital", *request["arguments"]]
    TargetDotdigital.pace = float(os.environ["HURRIED_PACE"])
    # Calls are not hurried: on a busy machine a reply would be given up that is on its way.
    patience = replace(RUN_TIMEOUTS, deadline_seconds=CALL_DEADLINE_SECONDS * TargetDotdigital.pace)
    Connection.__init__.__defaults__ = ((), patience)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        _serve(control)
    TargetDotdigital.cli()

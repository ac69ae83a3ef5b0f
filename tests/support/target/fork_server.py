"""A process that holds the target's modules, and forks processes that run one of them at once.

    python -m tests.support.target.fork_server CONTROL

CONTROL is the number of a socket. A request is a byte that comes with four descriptors: the
connection to whoever asks, and the new process's standard input, output and error. A line of JSON
follows on the connection; the new process answers there with its number. Each byte after that asks
for its end: the answer is null, or the exit status.

It has one thread and reads no setting of the target's, so that the new process is what `python -m`
would have made of it, without the second that loading the modules takes.
"""

from __future__ import annotations

import gc
import io
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import target_dotdigital.target  # noqa: F401 - what the new processes share

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTORS = 4
"""The connection, and the three of the new process."""


def wait_for_request(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork for each request; return in the new process.

    Args:
        control: Where requests come; this process ends with it.

    Returns:
        The request, and its descriptors.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test
    assert threading.active_count() == 1, "threads do not survive a fork"
    gc.freeze()  # a look at what is shared would copy it
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, DESCRIPTORS)
        if not descriptors:
            _reap(0)
            sys.exit()
        if os.fork() == 0:
            control.close()
            return _keep(descriptors)
        for each in descriptors:
            os.close(each)
        _reap(os.WNOHANG)


def _reap(options: int) -> None:
    """Wait for those that have kept a process."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _keep(descriptors: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Start the process, and tell of its end when asked; return in the new process.

    Until somebody has heard of its end it keeps its number, so that no signal goes astray.
    """
    connection = socket.socket(fileno=descriptors[0])
    with connection.makefile("rb") as lines:
        request: dict[str, Any] = json.loads(lines.readline())
    process_id = os.fork()
    if process_id == 0:
        connection.detach()
        return request, descriptors
    for each in descriptors[1:]:
        os.close(each)
    while connection.recv(1):
        ended, status = os.waitpid(process_id, os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if ended else None
        connection.sendall(json.dumps(answer).encode() + b"\n")
        if ended:
            os._exit(0)
    os.kill(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)
    os._exit(0)


def become(request: dict[str, Any], descriptors: Sequence[int]) -> None:
    """Make of this process what a new one is before it runs the request's module."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection, *standard = descriptors
    for number, each in enumerate(standard):
        os.dup2(each, number)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = _stream(getattr(sys, name), number, mode)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    places = len(_python_path())
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    sys.path[: 1 + places] = [request["folder"], *_python_path()]
    sys.argv = ["-m", *request["arguments"]]
    os.write(connection, b"%d\n" % os.getpid())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _python_path() -> list[str]:
    return [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]


def _stream(before: IO[str], descriptor: int, mode: str) -> io.TextIOWrapper:
    """Return a standard stream as Python makes it when it starts."""
    assert isinstance(before, io.TextIOWrapper)
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = before.name
    if mode == "r":
        buffer: Any = io.BufferedReader(raw)
    else:
        buffer = raw if before.write_through else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(
        buffer,
        encoding=before.encoding,
        errors=before.errors,
        newline="\n",
        line_buffering=not before.write_through and (descriptor == 2 or os.isatty(descriptor)),
        write_through=before.write_through,
    )
    stream.mode = mode  # type: ignore[misc]
    return stream


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        order, inherited = wait_for_request(requests)
    become(order, inherited)
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)

"""Commands of the README and the documentation, run as they would be pasted into a shell."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE_SECONDS = 300
"""What a page promises: everything that it tells to do takes five minutes at most."""

NOT_OURS = ("TARGET_DOTDIGITAL_", "TAP_JSONL_", "MELTANO_", "VIRTUAL_ENV")
"""What variables begin with that a developer may have set, and that must not reach the runs."""

PORT = "8025"
"""The sandbox's own port. A test takes a free one, as others may be running beside it."""

_PROGRAMS = {
    "uv": """\
#!/bin/sh
# In place of uv, which would make an environment anew: the commands are those of the test's own.
[ "$1" = run ] || exit 64
shift
exec "$@"
""",
    "pip": """\
#!/bin/sh
# Nothing is installed into the test's own environment.
[ "$*" = "install uv" ] || exit 64
""",
}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Shell:
    """A shell in a folder, with nothing of the developer's own settings."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        programs = folder / ".programs"
        programs.mkdir(exist_ok=True)
        for name, text in _PROGRAMS.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        kept = {name: text for name, text in os.environ.items() if not name.startswith(NOT_OURS)}
        path = os.pathsep.join(
            [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        self._variables: Mapping[str, str] = {**kept, **variables, "PATH": path}

    @contextmanager
    def started(self, text: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Run commands until the end of the block, and nothing of them beyond it."""
        bash = shutil.which("bash")
        assert bash
        process = subprocess.Popen(
            [bash, "-c", f"set -o pipefail\n{text}"],
            cwd=self.folder,
            env={**self._variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def paste(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run commands to their end."""
        if PORT in text:
            text = text.replace(PORT, str(free_port()))
        with self.started(text, **variables) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
        return subprocess.CompletedProcess(text, process.returncode, stdout, stderr)

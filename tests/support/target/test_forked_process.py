"""A forked process cannot tell itself from a new one, and neither can a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.target.command import PATIENCE_SECONDS, REPOSITORY, TargetProcess, fork_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    Start: TypeAlias = Callable[..., subprocess.Popen[bytes]]

PROBE = """\
import json
import os
import signal
import stat
import sys
import threading

streams = {
    name: [
        stream is getattr(sys, f"__{name}__"),
        *(stream.name, stream.mode, stream.encoding, stream.errors),
        *(stream.line_buffering, stream.write_through, type(stream.buffer).__name__),
        stat.S_IFMT(os.fstat(stream.fileno()).st_mode),
        os.get_inheritable(stream.fileno()),
    ]
    for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout), ("stderr", sys.stderr))
}
said = {
    "name": [__name__, __package__, sys.modules["__main__"].__file__],
    "arguments": sys.argv,
    "variables": dict(os.environ),
    "folder": os.getcwd(),
    "path": sys.path,
    "streams": streams,
    "descriptors": [each for each in os.listdir("/proc/self/fd") if int(each) < 100],
    "signals": {each.name: str(signal.getsignal(each)).split(" at ")[0] for each in signal.Signals},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "group": [os.getpgrp(), os.getsid(0)],
    "umask": os.umask(0),
    "threads": [each.name for each in threading.enumerate()],
    "tasks": len(os.listdir("/proc/self/task")),
    "tracing": [sys.gettrace(), sys.getprofile(), sys.getswitchinterval(), sys.getrecursionlimit()],
}
print(json.dumps(said))
"""


def new(folder: Path, program: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    (folder / "probe.py").write_text(program)
    return subprocess.Popen(
        [sys.executable, "-m", "probe", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **variables},
    )


def forked(
    folder: Path, program: str, *arguments: str, **variables: str
) -> subprocess.Popen[bytes]:
    (folder / "probe.py").write_text(program)
    environment = {**os.environ, **variables}
    return fork_server().start(["probe", *arguments], environment, folder)


@pytest.fixture(params=[new, forked])
def start(request: pytest.FixtureRequest) -> Start:
    chosen: Start = request.param
    return chosen


def output(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """What a process prints, and the status with which it ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin, process.stdout, process.stderr:
        process.stdin.close()
        told = process.stdout.read().decode(), process.stderr.read().decode()
    return process.wait(PATIENCE_SECONDS), *told


def test_it_finds_what_a_new_process_finds(tmp_path: Path) -> None:
    found = []
    for start in (new, forked):
        before = os.umask(0o027)
        try:
            process = start(tmp_path, PROBE, "an", "argument", SOME="value", TZ="Asia/Tokyo")
        finally:
            os.umask(before)
        status, stdout, stderr = output(process)
        assert (status, stderr) == (0, "")
        found.append(json.loads(stdout))
    by_new, by_forked = found
    assert by_forked == by_new
    assert by_new["umask"] == 0o027


@pytest.mark.parametrize(
    "program",
    [
        "",
        "import sys; sys.exit(3)",
        "import sys; sys.exit('a word')",
        "1 / 0",
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, sys; os.close(1); sys.stdout.write('lost')",
    ],
)
def test_it_ends_as_a_new_process_does(tmp_path: Path, program: str) -> None:
    ends = []
    for start in (new, forked):
        status, stdout, stderr = output(start(tmp_path, program))
        ends.append((status, stdout, stderr.splitlines()[-1:]))
    assert ends[0] == ends[1]


def test_output_that_nobody_reads_breaks_its_pipe(tmp_path: Path, start: Start) -> None:
    process = start(tmp_path, "import sys; sys.stdin.read(); print('hello', flush=True)")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    assert process.stderr is not None
    with process.stderr:
        assert b"BrokenPipeError" in process.stderr.read()
    assert process.wait(PATIENCE_SECONDS) in (1, 120)


def test_it_is_told_from_others_and_looked_at_while_it_runs(tmp_path: Path, start: Start) -> None:
    program = "import os, sys; print(os.getpid(), flush=True); sys.exit(len(sys.stdin.read()))"
    both = [start(tmp_path, program) for _ in range(2)]
    for number, process in enumerate(both, 1):
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.stdin is not None
        process.stdin.write(b"x" * number)
        assert output(process)[0] == process.returncode == process.poll() == number
        process.kill()  # does nothing: the number may be another's by now


def test_random_numbers_are_its_own(tmp_path: Path) -> None:
    program = "import random, uuid; print(random.random(), uuid.uuid4())"
    assert len({output(forked(tmp_path, program))[1] for _ in range(3)}) == 3


def test_what_it_imports_stays_its_own(tmp_path: Path) -> None:
    program = "import sys; print('graphlib' in sys.modules); import graphlib; sys.argv.append('x')"
    assert [output(forked(tmp_path, program))[1] for _ in range(2)] == ["False\n", "False\n"]


def test_what_python_reads_at_its_start_makes_it_start() -> None:
    assert fork_server().can_stand_in({**os.environ, "TARGET_DOTDIGITAL_USERNAME": "somebody"})
    assert fork_server().can_stand_in({**os.environ, "PYTHONPATH": "folder"})
    assert not fork_server().can_stand_in({**os.environ, "PYTHONWARNINGS": "error"})
    assert not fork_server().can_stand_in({**os.environ, "LC_ALL": "de_DE.ISO-8859-1"})


@pytest.mark.parametrize("fresh", [False, True])
def test_a_target_starts_anew_where_a_test_says_so(tmp_path: Path, *, fresh: bool) -> None:
    with TargetProcess({}, tmp_path, fresh=fresh) as target:
        assert (type(target.process) is subprocess.Popen) == fresh
        ended = target.end()
    assert ended.status == 1
    assert "username" in ended.stderr


READS = """\
import os, sys
read = set()
class Environment(dict):
    def __getitem__(self, name):
        read.add(name)
        return super().__getitem__(name)
    def get(self, name, *default):
        read.add(name)
        return super().get(name, *default)
    def __contains__(self, name):
        read.add(name)
        return super().__contains__(name)
os.environ = Environment(os.environ)
import target_dotdigital.target
print(*sorted(read))
"""


def test_the_targets_modules_read_no_variable_that_a_test_may_set(tmp_path: Path) -> None:
    """The server has loaded them, with the variables of its own start."""
    status, stdout, stderr = output(new(tmp_path, READS, PYTHONPATH=str(REPOSITORY)))
    assert (status, stderr) == (0, "")
    # Others are those of fsspec and joblib, which the SDK brings.
    may_be_set = ("TARGET_", "LOGLEVEL", "SINGER_", "HTTP", "NO_PROXY", "REQUESTS_", "SSL_", "TERM")
    assert not [name for name in stdout.upper().split() if name.startswith(may_be_set)]

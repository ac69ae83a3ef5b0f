"""Threads that decode their first answers at the same moment."""

from __future__ import annotations

import subprocess
import sys

from tests.support.target.command import REPOSITORY

ROUNDS = """
import importlib
import sys
import threading

from target_dotdigital.api import client

from target_dotdigital.api import replies
from target_dotdigital.api.retries import Caller
from target_dotdigital.clock import Clock
from target_dotdigital.api.rate_limits import RateLimits
from target_dotdigital.api.transport import Reply

BODY = b'{"status": "Finished", "created": [{"contactId": 1}], "summary": {"newContacts": 1}}'
THREADS = 8


class Transport:
    def exchange(self, *_arguments, **_options):
        return Reply(200, {}, BODY)


sys.setswitchinterval(1e-6)
clock = Clock()
caller = Caller("http://127.0.0.1", Transport(), RateLimits(clock), clock, 1.0)
for _ in range(30):
    importlib.reload(replies)  # types that no thread has met
    importlib.reload(client)
    fresh = client.Client(caller)
    start = threading.Barrier(THREADS)
    found = []

    def ask():
        start.wait()
        found.append(fresh.import_status("1"))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == THREADS
"""


def test_first_answers_in_several_threads_do_not_crash_the_process() -> None:
    """In a process of its own: it would take the tests with it."""
    ended = subprocess.run(
        [sys.executable, "-c", ROUNDS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")

"""axe-core, which finds what is hard to read on a page. It comes from npm and is not kept here.

`npm pack` fetches it when a test first needs it. `AXE_CORE` may name the file `axe.min.js` instead.
Without either the tests are skipped, unless `AXE_REQUIRED` is set, as in `.ci/run`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.browser import Browser

VERSION = "4.14.1"
INTEGRITY = (
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/"
    "pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
"""What npm's registry says of that version's archive, `dist.integrity`."""

FILE_VARIABLE = "AXE_CORE"
REQUIRED_VARIABLE = "AXE_REQUIRED"
PATIENCE_SECONDS = 120
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Rules that a page is held to; the contrast of AA is one."""


@cache
def axe_source() -> str | None:
    """Return axe-core as JavaScript; None if it cannot be had."""
    if path := os.environ.get(FILE_VARIABLE):
        return Path(path).read_text(encoding="utf-8")
    npm = shutil.which("npm")
    if npm is None:
        return None
    with TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
        try:
            subprocess.run(
                command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE_SECONDS
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None  # without a network
        (archive,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == INTEGRITY
        with tarfile.open(archive) as files:
            source = files.extractfile("package/axe.min.js")
            assert source is not None
            return source.read().decode("utf-8")


def violations(browser: Browser) -> list[str]:
    """Return what is wrong with the page that is open; skip the test if axe-core is missing."""
    source = axe_source()
    if source is None:
        assert not os.environ.get(REQUIRED_VARIABLE), "npm does not give axe-core"
        pytest.skip(f"axe-core is missing: npm is, or the network; or set {FILE_VARIABLE}")
    driver = browser.driver
    driver.execute_script(source)
    script = (
        "axe.run({runOnly: arguments[0]}).then(arguments[1], (e) => arguments[1]({error: `${e}`}))"
    )
    driver.set_script_timeout(PATIENCE_SECONDS)
    found: dict[str, Any] = driver.execute_async_script(script, list(TAGS))
    assert "error" not in found, found
    assert found["passes"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]

"""A tap of the SDK's own writes BATCH messages, and a real pipe leads them to the target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import PATIENCE_SECONDS, REPOSITORY, settings_for

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer

ROWS: Final[list[dict[str, Any]]] = [
    {
        "id": number,
        "email": f"p{number}@example.com" if number % 10 else "no address",
        "first_name": f"Pé {number}",
        "loyalty_points": number / 4,
        "birthday": "2000-02-29",
    }
    for number in range(1, 251)
]
ENCODINGS: Final = {
    "records": None,
    "gzip": {"format": "jsonl", "compression": "gzip"},
    "none": {"format": "jsonl", "compression": "none"},
    "parquet": {"format": "parquet"},
    "parquet, gzip": {"format": "parquet", "compression": "gzip"},
}


class Piped(NamedTuple):
    """What `tap | target` has left."""

    status: int
    stdout: str
    stderr: str
    rejects: list[int]


def pipe(
    folder: Path,
    config: dict[str, Any],
    encoding: dict[str, str] | None,
    root: str | None = None,
    **storage: Any,
) -> Piped:
    """Run the tap, which writes files of 70 rows into `files`, and the target behind a pipe."""
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in ROWS))
    tap: dict[str, Any] = {"rows": str(folder / "rows.jsonl")}
    if encoding is not None:
        place = {"root": root or (folder / "files").as_uri(), **storage}
        tap["batch_config"] = {"encoding": encoding, "storage": place, "batch_size": 70}
    (folder / "tap.json").write_text(json.dumps(tap))
    own = {"rejects_path": "rejects.singer", "batch_size_rows": 40}
    (folder / "target.json").write_text(json.dumps({**own, **config}))
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TARGET_DOTDIGITAL_")}
    variables["PYTHONPATH"] = str(REPOSITORY)
    module = "tests.support.target.sdk_tap"
    with subprocess.Popen(
        [sys.executable, "-m", module, "--config", "tap.json"],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as producer:
        ended = subprocess.run(
            [Path(sys.executable).with_name("target-dotdigital"), "--config", "target.json"],
            cwd=folder,
            env=variables,
            stdin=producer.stdout,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert producer.stdout is not None
        producer.stdout.close()
    assert producer.returncode == 0 or ended.returncode != 0
    path = folder / "rejects.singer"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    rejects = [json.loads(line)["record"]["id"] for line in lines]
    return Piped(ended.returncode, ended.stdout, ended.stderr, rejects)


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_the_sdk_writes_is_loaded(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ended = pipe(tmp_path, settings_for(server), ENCODINGS[name])
    assert ended.status == 0, ended.stderr
    contents = server.contents()
    assert len(contents) == 225
    for each in ROWS:
        if each["id"] % 10:
            fields = contents[each["email"]]["data_fields"]
            assert fields["FIRSTNAME"] == each["first_name"]
            assert fields["LOYALTY_POINTS"] == each["loyalty_points"]
            assert fields["BIRTHDAY"].startswith("2000-02-29")
    assert ended.rejects == [*range(10, 251, 10)]
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["bookmarks"]["people"]["replication_key_value"] == 250
    assert "read 250 = imported 225 + rejected 25" in ended.stderr
    if name == "records":
        assert not (tmp_path / "files").exists()
    else:
        assert len([*(tmp_path / "files").iterdir()]) == 4  # the target removes none


def test_the_sandbox_takes_them_too_and_a_dry_run_leaves_everything(tmp_path: Path) -> None:
    config = {
        "sandbox_path": "sandbox.db",
        "address_book": "Customers",
        "create_address_book": True,
    }
    planned = pipe(tmp_path, {**config, "dry_run": True}, ENCODINGS["gzip"])
    assert (planned.status, planned.stdout) == (0, ""), planned.stderr
    assert "Plan of a dry run" in planned.stderr
    assert len([*(tmp_path / "files").iterdir()]) == 4
    ended = pipe(tmp_path, config, ENCODINGS["gzip"])
    assert ended.status == 0, ended.stderr
    with (
        EmbeddedSandbox(tmp_path / "sandbox.db") as sandbox,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        people = client.get("/contacts/v3", limit=5_000).json()["_items"]
    assert len(people) == 225


def test_files_are_found_where_the_setting_says(server: DotdigitalServer, tmp_path: Path) -> None:
    """The tap's folder is another one here, as in a container of its own."""
    (tmp_path / "files" / "day").mkdir(parents=True)  # which the SDK does not make
    (tmp_path / "here").symlink_to("files")
    block = {"storage": {"root": str(tmp_path / "here"), "prefix": "day/one-"}}
    config = settings_for(server, batch_config=block)
    first = pipe(tmp_path, config, ENCODINGS["gzip"], prefix="day/one-")
    assert first.status == 0, first.stderr
    (tmp_path / "files").rename(tmp_path / "moved")
    (tmp_path / "files" / "day").mkdir(parents=True)
    (tmp_path / "here").unlink()
    (tmp_path / "here").symlink_to("moved")
    again = pipe(tmp_path, config, ENCODINGS["gzip"], prefix="day/one-")
    assert again.status == 1
    assert "does not exist" in again.stderr
    assert str(tmp_path) not in again.stderr


@pytest.mark.parametrize("kind", ["a path", "a URL"])
def test_folders_may_have_any_name(server: DotdigitalServer, tmp_path: Path, kind: str) -> None:
    # The SDK escapes a path in its URLs, and does not find what it has written itself.
    folder = tmp_path / "ä b%20c"
    root = str(folder) if kind == "a path" else f"file://{folder}"
    ended = pipe(tmp_path, settings_for(server), ENCODINGS["gzip"], root=root)
    assert ended.status == 0, ended.stderr
    assert len(server.contents()) == 225

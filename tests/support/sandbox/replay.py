"""Requests of real clients as they are on the wire, and what their clients read of the answers.

A file of `tests/sandbox/clients` holds the requests of one client: the headers that it sends and
conversations, each of which is a list of steps.

| part of a step | what it is |
|---|---|
| `send` | method and target, exactly as the client writes them |
| `body` | JSON, or a text that is sent as it is |
| `headers` | headers beside those of the client; null leaves one of those out |
| `password` | one that is sent instead of the right one |
| `status` | of the answer; a list where the vendor's files differ |
| `has` | parts that the answer has; of a list, entries that are among its own |
| `names` | all names that the answer has, or each entry of it; a client fails at any other |
| `length` | how many entries the answer has |
| `answered` | headers of the answer, their names spelled as here |
| `reads` | headers of which the client reads the value, as a number |
| `text` | the whole body, which is no JSON |
| `contains` | texts that are in the body, which is no JSON |
| `keep` | values to keep, by the path to them |
| `until` | parts that the answer lacks as long as the client asks again |

In `has`, null is any value. An entry with `options` alone is about the sandbox. What was kept
stands in later steps as `{name}`.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.support.sandbox.client import DEADLINE_SECONDS, PAUSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Json = Any
"""Anything that JSON has."""


@dataclass(frozen=True)
class Conversation:
    """Requests that a client sends one after the other."""

    headers: dict[str, str]
    title: str
    steps: list[dict[str, Json]]
    options: dict[str, Json]
    """Of the sandbox: `switches`, and `calls_a_minute` of each tier; none are the usual ones."""


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    content: bytes

    def value(self) -> Json:
        return json.loads(self.content)


def conversations(file: Path) -> list[Conversation]:
    """Return the conversations of a client's file."""
    content = json.loads(file.read_text("utf-8"))
    return [
        Conversation(
            content["headers"],
            title,
            [step for step in steps if "options" not in step],
            next((step["options"] for step in steps if "options" in step), {}),
        )
        for title, steps in content["conversations"].items()
    ]


class Replay:
    """A client's conversation with one sandbox."""

    def __init__(
        self, url: str, credentials: tuple[str, str], kept: Mapping[str, Json] | None = None
    ) -> None:
        self._netloc = urlsplit(url).netloc
        self._credentials = credentials
        self._kept = dict(kept or {})
        self.replies: list[Reply] = []

    def hold(self, conversation: Conversation) -> None:
        """Send the requests and check the answers."""
        for step in conversation.steps:
            self._step(conversation.headers, self._filled(step))

    def _step(self, headers: Mapping[str, str], step: Mapping[str, Json]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        reply = self._send(headers, step)
        while "until" in step and misses(reply.value(), step["until"]):
            assert time.monotonic() < deadline, f"{step['send']} does not come to an end"
            time.sleep(PAUSE_SECONDS)
            reply = self._send(headers, step)
        self.replies.append(reply)
        found = list(differences(reply, step))
        assert not found, f"{step['send']}: {reply.status} {reply.content!r}: {found}"
        for name, path in step.get("keep", {}).items():
            self._kept[name] = at(reply.value(), path)

    def _send(self, headers: Mapping[str, str], step: Mapping[str, Json]) -> Reply:
        method, target = step["send"].split(" ", 1)
        username, password = self._credentials
        pair = f"{username}:{step.get('password', password)}"
        sent = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            **headers,
            **step.get("headers", {}),
        }
        body = step.get("body")
        content = None
        if body is not None:
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            sent["Content-Length"] = str(len(content))
        connection = HTTPConnection(self._netloc, timeout=DEADLINE_SECONDS)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(content)
            response = connection.getresponse()
            answered = dict(response.headers.items())
            path = urlsplit(target).path
            return Reply(method, path, response.status, answered, response.read())
        finally:
            connection.close()

    def _filled(self, node: Json) -> Json:
        """Return part of a step with what was kept in its places."""
        if isinstance(node, dict):
            return {self._filled(name): self._filled(value) for name, value in node.items()}
        if isinstance(node, list):
            return [self._filled(value) for value in node]
        if not isinstance(node, str):
            return node
        whole = re.fullmatch(r"\{(\w+)\}", node)
        if whole and whole[1] in self._kept:
            return self._kept[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda one: str(self._kept.get(one[1], one[0])), node)


def differences(reply: Reply, step: Mapping[str, Json]) -> list[str]:
    """Return what an answer has that its client does not expect."""
    found = []
    statuses = step["status"] if isinstance(step["status"], list) else [step["status"]]
    if reply.status not in statuses:
        found.append(f"status {reply.status} and not {statuses}")
    for name, value in step.get("answered", {}).items():
        if reply.headers.get(name) != value:
            found.append(f"headers {reply.headers} and not {name}: {value}")
    found += [
        f"no number in {name}"
        for name in step.get("reads", ())
        if not reply.headers.get(name, "").isdigit()
    ]
    if "text" in step and reply.content.decode() != step["text"]:
        found.append(f"not the text {step['text']!r}")
    found += [
        f"without {text!r}"
        for text in step.get("contains", ())
        if text not in reply.content.decode()
    ]
    if "has" in step:
        found += misses(reply.value(), step["has"])
    if "length" in step and len(reply.value()) != step["length"]:
        found.append(f"{len(reply.value())} entries and not {step['length']}")
    if "names" in step:
        value = reply.value()
        entries = value if isinstance(value, list) else [value]
        found += [f"names {sorted(one)}" for one in entries if set(one) != set(step["names"])]
    return found


def misses(value: Json, expected: Json, place: str = "$") -> list[str]:
    """Return where a value lacks what is expected of it."""
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            return [f"{place} is no object"]
        lacking = [f"{place}.{name} is missing" for name in expected if name not in value]
        return lacking or [
            each
            for name, part in expected.items()
            for each in misses(value[name], part, f"{place}.{name}")
        ]
    if isinstance(expected, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [
            f"{place} has no {part}"
            for part in expected
            if all(misses(entry, part) for entry in value)
        ]
    return (
        []
        if expected is None or value == expected
        else [f"{place} is {value!r} and not {expected!r}"]
    )


def at(value: Json, path: str) -> Json:
    """Return what is at a path of names and positions, separated by dots."""
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value

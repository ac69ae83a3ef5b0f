"""Singer lines as no tap should write them, from a seed: sound ones, odd ones, and rubbish.

Every value of a record and of a STATE holds one of the canaries, so that whoever reads what the
target says can tell whether it repeats values. Names (of streams, of properties in a SCHEMA) hold
none: the target may tell those.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from target_dotdigital.singer_lines import decode

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "kanarienvogel"
CANARY_DIGITS = "73051296480713"
CANARIES = (CANARY, CANARY_DIGITS)
_HARMLESS = "schwarzdrossel"

STREAMS = ("people", "people", "people", "leads", "orders")
_PEOPLE = 60
"""How many persons the sound rows are about: few, so that rows collapse and imports wait."""

SOUND_PROPERTIES: dict[str, Any] = {
    "id": {"type": ["integer", "string", "null"]},
    "email": {"type": ["string", "null"]},
    "first_name": {},
    "loyalty_points": {},
    "birthday": {"format": "date"},
    "vip": {},
    "mobile": {"type": ["string", "integer", "null"]},
    "contact_id": {},
    "crm_id": {},
    "address": {"type": ["object", "null"], "properties": {"city": {}}},
    "tags": {"type": ["array", "null"]},
}

ODD_DEFINITIONS: tuple[Any, ...] = (
    True,
    False,
    None,
    5,
    "string",
    [],
    {"type": "strange"},
    {"type": []},
    {"type": 5},
    {"type": [{}]},
    {"type": {"anyOf": []}},
    {"type": ["object", "null"]},
    {"type": "string", "maxLength": 5},
    {"$ref": "#"},
    {"$ref": "#/properties/email"},
    {"$ref": "#/definitions/loop"},
    {"$ref": "#/definitions/tree"},
    {"$ref": "#/nowhere"},
    {"$ref": "http://127.0.0.1:9/schema.json"},
    {"$ref": "file:///etc/passwd"},
    {"$ref": "other.json"},
    {"$ref": 5},
    {"$id": "http://127.0.0.1:9/", "$ref": "x"},
    {"$id": 5},
    {"anyOf": []},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"anyOf": [{"$ref": "#/definitions/loop"}, True]},
    {"anyOf": {}},
    {"oneOf": [{}, {}]},
    {"allOf": [False]},
    {"not": {}},
    {"not": 5},
    {"if": {"type": "string"}, "then": {"minLength": 2}, "else": False},
    {"enum": []},
    {"enum": 5},
    {"enum": ["it's", 'a "word"', "{x}", "\\", None, {"a": [1]}]},
    {"const": {"a": "{'"}},
    {"pattern": "^(a+)+$"},
    {"pattern": r"^([\w.]|\w+)*@$"},
    {"pattern": "("},
    {"pattern": r"\p{L}+"},
    {"pattern": "a{5000000000}"},
    {"pattern": "{}'\"\\\\"},
    {"pattern": 5},
    {"pattern": None},
    {"patternProperties": {"^(a+)+$": {"type": "null"}}},
    {"patternProperties": {"(": {}}, "additionalProperties": False},
    {"patternProperties": 5},
    {"propertyNames": {"pattern": "^(a|aa)+$"}},
    {"propertyNames": 5},
    {"minimum": "x"},
    {"minimum": 5, "exclusiveMinimum": True},
    {"maximum": None},
    {"maximum": 10**400},
    {"multipleOf": 0},
    {"multipleOf": 0.1},
    {"multipleOf": 10**400},
    {"maxLength": -1},
    {"minLength": "5"},
    {"maxLength": 1e400},
    {"minItems": {}},
    {"items": False},
    {"items": [{"type": "string"}, {"type": "null"}], "additionalItems": False},
    {"items": {"$ref": "#"}},
    {"items": 5},
    {"contains": {}},
    {"contains": 5},
    {"uniqueItems": True},
    {"properties": 5},
    {"properties": None},
    {"properties": []},
    {"properties": {"city": None}},
    {"properties": {"city": {"properties": {"x": 5}}}},
    {"properties": {"city": {}}, "additionalProperties": False},
    {"additionalProperties": 5},
    {"required": ["city"]},
    {"required": 5},
    {"required": [5]},
    {"dependencies": {"city": ["street"]}},
    {"dependencies": 5},
    {"format": "date-time"},
    {"format": 5},
    {"format": "{}'"},
    {"default": {"a": "b"}},
    {"minProperties": 1, "maxProperties": 0},
    {"maxProperties": "5"},
    {"type": "array", "items": {"type": "array", "items": {"type": "array"}}},
)
"""Descriptions of a property: rare ones, wrong ones, and such that never end."""

ODD_NAMES = (
    "",
    " ",
    ".",
    "a.b",
    "address.city",
    "E-Mail",
    "EMAIL",
    "é",
    "\u0131",
    "ß",
    "\ud800",
    "\0",
    "\n",
    "'",
    '"',
    "{",
    "{0}",
    "%s",
    "\\",
    "__class__",
    "_sdc_deleted_at",
    "_sdc_reject_code",
    "$ref",
    "properties",
    "type",
    "x" * 3000,
    "FirstName",
    "FIRSTNAME",
    "first_name\u200b",
    "a" * 28 + "!",
)

ODD_KEYS: tuple[Any, ...] = (
    ["id"],
    ["email"],
    ["missing"],
    "id",
    None,
    5,
    [5],
    [None],
    [["id"]],
    [{}],
    {},
    {"id": 1},
    True,
)

_ODD_TEXTS = (
    "",
    " ",
    "@",
    "a@b",
    "\\ud800",
    "\ud83d",
    "\\u0000",
    "\u202e",
    "\ufeff",
    "İ",
    "ﬀ",
    "\U0001f426" * 500,
    "%s%d%(x)s",
    "{0}{x}",
    "a" * 28 + "!",
    "(" * 60,
    "a." * 120,
    "@" * 300,
    "x" * 1001,
    "1" * 300,
    "\\n\\r\\t",
    "2024-02-30",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2024-01-01T00:00:00+24:00",
    "\u0662\u0660\u0662\u0664-\u0660\u0661-\u0660\u0661",
    "1e9999",
    "٣",
    "+44 (0) 20",
    "+1" + " " * 200,
    "xn--a@xn--0.com",
    '\\"a b\\"@example.com',
    "a@[127.0.0.1]",
    "user@例え.テスト",
)

_ODD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "-0",
    "-0.0",
    "1e400",
    "-1e400",
    "1E+999999",
    "1E-999999",
    "1e99999999999999999999",
    "9" * 25,
    "9" * 5000,
    "-" + "9" * 400,
    "0." + "3" * 400,
    "1." + "0" * 300,
    "9223372036854775807",
    "18446744073709551616",
    "1e18",
    "123456789012345678.123456789",
    "0x10",
    "01",
    "1_000",
    "+1",
    ".5",
)

_TEXT_TOKENS = (
    *("{", "}", "[", "]", ",", ":", '"', "\\", "null", "true", "false", "\\u", "\\ud800"),
    *('"type"', '"RECORD"', '"SCHEMA"', '"STATE"', '"ACTIVATE_VERSION"', '"BATCH"'),
    *('"stream"', '"record"', '"schema"', '"value"', '"key_properties"', '"properties"'),
    *('"people"', '"email"', '"$ref":"#"', "[" * 600, '{"a":' * 600, "9" * 30, "1e999"),
    *("\ufeff", "\0", "\r", "\r\n", "\n", "\u2028", "\x85", "\x1f", "\ud800", "'", "NaN"),
)
_TOKENS = (
    *(token.encode("utf-8", "surrogatepass") for token in _TEXT_TOKENS),
    *(b"\xff", b"\xfe\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80" * 8),
)
"""What is put into lines: what Singer and JSON are made of, and bytes that are no UTF-8."""


class FuzzLines:
    """An endless source of lines. The same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed gives the same lines again
        self._earlier: list[bytes] = [b"{}"]

    def opening(self) -> list[bytes]:
        """Return sound SCHEMAs of all streams: what a target is told first."""
        orders = {"id": {"type": "integer"}, "total": {"type": "number"}}
        return [
            _encoded(_schema_message("people", SOUND_PROPERTIES)),
            _encoded(_schema_message("leads", SOUND_PROPERTIES, ["id"])),
            _encoded(_schema_message("orders", orders)),
        ]

    def line(self) -> bytes:
        """Return the next line, without its end. It may hold line ends itself."""
        random = self.random
        kind = random.random()
        if kind < 0.80:
            line = self._record()
        elif kind < 0.86:
            line = self._state()
        elif kind < 0.90:
            line = self._schema()
        elif kind < 0.93:
            line = self._odd_message()
        elif kind < 0.94:
            line = random.choice((b"", b" ", b"\r", b"\t \t", b"\xef\xbb\xbf", b"\0", b"\x0b"))
        elif kind < 0.95:
            line = random.randbytes(random.randrange(60))
        else:
            line = self._record()
            for _ in range(random.randint(1, 3)):
                line = self._mutated(line)
        if random.random() < 0.06:
            line = self._mutated(line)
        if len(line) < 5000:
            self._remember(line)
        return nameless(line)

    def mutate(self, line: bytes) -> bytes:
        """Return a line that differs somewhat from a given one."""
        line = self._mutated(line) if self.random.random() < 0.7 else self.line()
        return nameless(line)

    def _remember(self, line: bytes) -> None:
        if len(self._earlier) < 200:
            self._earlier.append(line)
        else:
            self._earlier[self.random.randrange(200)] = line

    # Messages.

    def _record(self) -> bytes:
        random = self.random
        stream = random.choice(STREAMS)
        members = [self._member(name) for name in SOUND_PROPERTIES if random.random() < 0.75]
        if random.random() < 0.95:
            person = random.randrange(_PEOPLE)
            members.append(f'"email":"{CANARY}.{person}@example.com"')
        if random.random() < 0.1:
            members.append(f"{self._name()}:{self._value()}")
        if random.random() < 0.03:
            # A value that a tap took for a key.
            members.append(f'"{CANARY}@example.com":{self._value()}')
        if random.random() < 0.02:
            members.append(f'"_sdc_deleted_at":{random.choice(("null", self._text()))}')
        if random.random() < 0.02:
            members *= 2  # every key twice
        record = f"{{{','.join(members)}}}"
        if random.random() < 0.01:
            record = self._value()
        return _bytes(f'{{"type":"RECORD","stream":"{stream}","record":{record}}}')

    def _member(self, name: str) -> str:
        random = self.random
        if random.random() < 0.08:
            return f'"{name}":{self._value()}'
        person = random.randrange(_PEOPLE)
        sound: dict[str, tuple[str, ...]] = {
            "id": (str(person), f'"{CANARY}{person}"'),
            "email": (
                f'"{CANARY}.{person}@example.com"',
                f'" {CANARY.upper()}.{person}@Example.COM"',
            ),
            "first_name": (f'"{CANARY}"', f'"{CANARY} \\u00e9 \U0001f426"', '""', "null"),
            "loyalty_points": (CANARY_DIGITS, f"{CANARY_DIGITS}.25", '"12.5"', "null", "1e3"),
            "birthday": ('"1999-12-31"', '"2001-01-01T01:02:03.1234567+01:00"', "null"),
            "vip": ("true", "false", '"yes"', "0", "null"),
            "mobile": (f'"+4477009{person:05}"', f"4477009{person:05}", "null"),
            "contact_id": (str(person), f'"{person}"', "null", CANARY_DIGITS),
            "crm_id": (f'"{CANARY}-{person}"', "null"),
            "address": (f'{{"city":"{CANARY}","street":["{CANARY}"]}}', "null", "{}"),
            "tags": (f'["{CANARY}",{CANARY_DIGITS},null]', '["Book"]', "[]", "null"),
        }
        return f'"{name}":{random.choice(sound[name])}'

    def _state(self) -> bytes:
        value = self._value() if self.random.random() < 0.5 else f'{{"at":"{CANARY}"}}'
        return _bytes(f'{{"type":"STATE","value":{value}}}')

    def _schema(self) -> bytes:
        random = self.random
        properties = dict(SOUND_PROPERTIES)
        for _ in range(random.choice((0, 1, 1, 2, 5))):
            name = random.choice((*properties, random.choice(ODD_NAMES)))
            properties[name] = random.choice(ODD_DEFINITIONS)
        for name in list(properties):
            if random.random() < 0.05:
                del properties[name]
        keys = random.choice(ODD_KEYS) if random.random() < 0.2 else []
        message = _schema_message(random.choice(STREAMS), properties, keys)
        schema = message["schema"]
        extras: tuple[Callable[[], object], ...] = (
            lambda: schema.update(additionalProperties=random.choice((False, True, {}, 5))),
            lambda: schema.update(required=random.choice((["email"], ["none"], 5, []))),
            lambda: schema.update(
                random.choice([one for one in ODD_DEFINITIONS if isinstance(one, dict)])
            ),
            lambda: schema.update(type=random.choice(("array", ["object", "null"], None, 5))),
            lambda: schema.update(
                {"$schema": random.choice(("http://json-schema.org/draft-04/schema#", "x", 5))}
            ),
            lambda: schema.update(properties=random.choice(([], 5, None, "", {}, ["email"]))),
            lambda: message.update(schema=random.choice((None, [], 5, "x", True, {}))),
        )
        if random.random() < 0.4:
            random.choice(extras)()
        return _encoded(message)

    def _odd_message(self) -> bytes:
        random = self.random
        stream = random.choice(('"people"', '"orders"', '"unknown"', "5", "null", "{}", '""'))
        kind = random.choice(
            ("RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH", "record", "", "GREETING")
        )
        kind_text = random.choice((f'"{kind}"',) * 5 + ("null", "5", "[]", "{}", f'"{CANARY}"'))
        value = self._value()
        members = [
            f'"type":{kind_text}',
            f'"stream":{stream}',
            f'"record":{value}',
            f'"value":{value}',
            f'"version":{self._value()}',
            f'"time_extracted":{self._value()}',
            f'"manifest":["{CANARY}"]',
        ]
        kept = [member for member in members if random.random() < 0.8]
        return _bytes(random.choice(("{%s}",) * 9 + ("[%s]",)) % ",".join(kept))

    # Values, as JSON texts.

    def _value(self, depth: int = 0) -> str:
        random = self.random
        kind = random.random()
        if kind < 0.45 or depth > 3:
            return self._text()
        if kind < 0.65:
            return self._number()
        if kind < 0.75:
            return random.choice(("null", "true", "false"))
        if kind < 0.86:
            inner = (self._value(depth + 1) for _ in range(random.randrange(4)))
            return f"[{','.join(inner)}]"
        if kind < 0.98:
            members = (
                f"{self._name()}:{self._value(depth + 1)}" for _ in range(random.randrange(4))
            )
            return f"{{{','.join(members)}}}"
        deep = random.choice((50, 200, 900, 1100, 5000))
        opened, closed = random.choice((("[", "]"), ('{"a":', "}")))
        return f'{opened * deep}"{CANARY}"{closed * deep}'

    def _name(self) -> str:
        name = self.random.choice(ODD_NAMES)
        return json.dumps(name, ensure_ascii=self.random.random() < 0.5)

    def _text(self) -> str:
        random = self.random
        odd = random.choice(_ODD_TEXTS)
        if random.random() < 0.002:
            odd = "long " * random.choice((2_000, 20_000, 300_000))
        return random.choice(
            (f'"{CANARY}{odd}"', f'"{odd}{CANARY}"', f'"{CANARY}"', f'"{odd}{CANARY}@example.com"')
        )

    def _number(self) -> str:
        random = self.random
        if random.random() < 0.3:
            return random.choice(_ODD_NUMBERS)
        return random.choice(
            (
                CANARY_DIGITS,
                f"-{CANARY_DIGITS}",
                f"{CANARY_DIGITS}e{random.randrange(400)}",
                f"0.{CANARY_DIGITS}",
                f"{CANARY_DIGITS * 3}",
                f"{CANARY_DIGITS * 400}",
            )
        )

    # Bytes.

    def _mutated(self, line: bytes) -> bytes:
        random = self.random
        at = random.randint(0, len(line))
        end = min(len(line), at + random.choice((1, 2, 5, 20, 100)))
        token = random.choice(_TOKENS)
        other = random.choice(self._earlier)
        changes: tuple[Callable[[], bytes], ...] = (
            lambda: line[:at],
            lambda: line[at:],
            lambda: line[:at] + line[end:],
            lambda: line[:at] + token + line[at:],
            lambda: line[:at] + token + line[end:],
            lambda: line[:end] + line[at:],
            lambda: line[:at] + other[random.randint(0, len(other)) :],
            lambda: line + other,
            lambda: line.replace(token, random.choice(_TOKENS), 1),
            lambda: _flipped(line, random),
            lambda: line[:at] + random.randbytes(random.randint(1, 8)) + line[end:],
        )
        return random.choice(changes)()


def nameless(line: bytes) -> bytes:
    """Return a line without canaries in what may be told: streams' names, and SCHEMAs."""
    if any(canary.encode() in line for canary in CANARIES) and any(
        _tells_a_canary(part) for part in line.split(b"\n")
    ):
        line = line.replace(CANARY.encode(), _HARMLESS.encode())
        line = line.replace(CANARY_DIGITS.encode(), b"1" * len(CANARY_DIGITS))
    return line


def _tells_a_canary(line: bytes) -> bool:
    try:
        message: Any = decode(line)
    except (ValueError, RecursionError):
        return False  # no message: nothing of it is a name
    if not isinstance(message, dict):
        return False
    stream = str(message.get("stream"))
    return message.get("type") == "SCHEMA" or any(canary in stream for canary in CANARIES)


def _flipped(line: bytes, random: Random) -> bytes:
    if not line:
        return line
    at = random.randrange(len(line))
    return line[:at] + bytes([line[at] ^ 1 << random.randrange(8)]) + line[at + 1 :]


def _schema_message(stream: str, properties: dict[str, Any], keys: object = None) -> dict[str, Any]:
    definitions = {
        "loop": {"$ref": "#/definitions/loop"},
        "tree": {"anyOf": [{"type": "null"}, {"items": {"$ref": "#/definitions/tree"}}]},
    }
    schema = {"type": "object", "properties": properties, "definitions": definitions}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": schema,
        "key_properties": [] if keys is None else keys,
    }


def _encoded(message: object) -> bytes:
    return json.dumps(message).encode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

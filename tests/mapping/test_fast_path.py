"""The fast path and the slow way: the same lines give the same contacts, rejects, counts and STATE.

The slow way is what a stream takes that the fast path is not for, so here it takes the same stream.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from target_dotdigital.mapping.fast_path import FastPath
from target_dotdigital.sink import ContactSink
from tests.support.target.fast_path import result_of
from tests.support.target.fuzz_lines import ODD_DEFINITIONS, ODD_NAMES

FIELDS = {
    "FIRSTNAME": "first_name",
    "LOYALTY_POINTS": "points",
    "BIRTHDAY": "birthday",
    "VIP": "vip",
    "CITY": "odd name!",
    "TAGS": "first_name",
}

TYPES = {
    "text": {"type": ["string", "null"], "format": "date-time"},
    "strict text": {"type": "string"},
    "short text": {"type": "string", "maxLength": 12, "minLength": 2},
    "whole": {"type": ["integer", "null"]},
    "small": {"type": "integer", "minimum": -5, "maximum": 400},
    "number": {"type": ["null", "number"]},
    "strict number": {"type": "number"},
    "flag": {"type": ["boolean", "null"]},
    "mixed": {"type": ["string", "integer", "boolean", "null"]},
    "either": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
}
"""Definitions that the fast path knows, by what the test's messages call them."""

OTHER_TYPES = {
    "anything": {},
    "object": {"type": ["object", "string"]},
    "pattern": {"type": "string", "pattern": "^[a-zA-Z ]+$"},
    "choice": {"enum": ["Ada", None, 3]},
    "reference": {"$ref": "#/definitions/name"},
    "halves": {"type": "number", "multipleOf": 0.5},
    "draft 4": {"type": ["integer", "null"], "maximum": 400, "exclusiveMaximum": True},
    "letters": {"type": "string", "pattern": "^\\p{L}*$"},
}
"""And such that it leaves to the slow way."""

USUAL = {
    "first_name": ("text", "strict text", "short text", "mixed", "either"),
    "points": ("whole", "small", "number", "strict number"),
    "birthday": ("text", "either", "strict text"),
    "vip": ("flag", "mixed"),
    "odd name!": ("text", "whole", "flag"),
    "mobile": ("text", "whole"),
    "crm_id": ("text", "whole", "mixed"),
}
"""Properties of the test's streams, and what they usually are."""

CONSENT = {
    "text": "consent",
    "url": "url",
    "date_time_consented": "birthday",
    "ip_address": "ip",
    "user_agent": "consent",
}

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "by name": {},
    "fields": {"streams": {"people": {"fields": FIELDS}}},
    "empty ones are left out": {
        "merge_option": "overwriteIfNotEmpty",
        "streams": {"people": {"fields": FIELDS, "email_type": "html"}},
    },
    "no fields": {"streams": {"people": {"fields": {}}, "leads": {}}},
    "identifiers": {
        "streams": {
            "people": {
                "identifiers": {"email": "e-mail", "crm-id": "crm_id", "mobileNumber": "mobile"},
                "fields": FIELDS,
                "email_opt_in_type": "single",
            }
        }
    },
    "opt-outs": {
        "streams": {
            "people": {
                "fields": {"FIRSTNAME": "first_name", "BIRTHDAY": "birthday"},
                "email_opt_in_type": "verifiedDouble",
                "opt_out": {"email": "vip", "sms": "birthday"},
            },
            "leads": {"fields": {}, "opt_out": {"whatsApp": "points"}},
        }
    },
    "opt-outs through a stream map": {
        "stream_maps": {"people": {"vip": "vip", "first_name": "points > 100"}},
        "streams": {"people": {"fields": {}, "opt_out": {"email": "vip", "sms": "first_name"}}},
    },
    "custom match": {
        "streams": {
            "people": {
                "match_identifier": "crm-id",
                "identifiers": {"crm-id": "crm_id", "email": "e-mail"},
                "fields": {"FIRSTNAME": "first_name", "BIRTHDAY": "birthday"},
                "merge_option": "overwriteIfEmpty",
            }
        }
    },
    "two books": {"streams": {"people": {"fields": FIELDS}, "leads": {"address_book": 102}}},
    "stream maps": {
        "stream_maps": {
            "people": {
                "first_name": "str(first_name)[:5].upper() if first_name else None",
                "points": "points",
                "vip": "vip",
                "__filter__": "crm_id != 447400123102",
            }
        },
        "streams": {"people": {"fields": FIELDS}},
    },
    "stream maps of other streams": {
        "stream_map_config": {"tags": ["new"]},
        "stream_maps": {
            "people": {
                "__alias__": "customers",
                "__key_properties__": ["key"],
                "key": "f'{crm_id}-{mobile}'",
                "mobile": None,
                "first_name": "self + [vip] if vip == 'yes' else config['tags'] or first_name",
                "birthday": "birthday[:10] if birthday else birthday",
                "tags": "[first_name, points, vip]",
                "points": "float(points) if points else points",
            },
            "leads": {
                "__else__": "__NULL__",
                "__filter__": "not vip or unmapped",
                "e-mail": "self.lower() if self else vip",
                "points": "len(datetime) if datetime else points",
            },
        },
        "streams": {
            "customers": {
                "identifiers": {"email": "e-mail", "crm-id": "key"},
                "fields": {**FIELDS, "TAGS": "tags"},
            },
            "leads": {"fields": {"LOYALTY_POINTS": "points"}},
        },
    },
    "computed": {
        "stream_maps": {
            "people": {
                "first_name": "points > 100",
                "vip": "int(points) > 100",
                "points": "str(points)",
                "crm_id": "str(crm_id) + 'x'",
            }
        },
        "streams": {
            "people": {"identifiers": {"email": "e-mail", "crm-id": "crm_id"}, "fields": FIELDS}
        },
    },
    "flattened": {
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "streams": {"people": {"fields": FIELDS}, "leads": {}},
    },
    "deletion marks that are made": {
        "stream_maps": {"people": {"_sdc_deleted_at": "birthday if vip else crm_id"}},
        "streams": {"people": {"fields": FIELDS}, "leads": {}},
    },
    "deletion marks that are taken away": {
        "stream_maps": {
            "people": {"_sdc_deleted_at": "__NULL__"},
            "leads": {"__else__": None, "e-mail": "self", "first_name": "first_name"},
        },
        "flattening_enabled": True,
        "flattening_max_depth": 1,
    },
    "the tap's own metadata": {
        "streams": {
            "people": {
                "identifiers": {"email": "e-mail", "crm-id": "_sdc_lsn"},
                "fields": {**FIELDS, "LOYALTY_POINTS": "_sdc_lsn", "BIRTHDAY": "_sdc_extracted_at"},
            },
            "leads": {},
        }
    },
    "exact": {"streams": {"people": {"fields": FIELDS, "exact_numbers": True}}},
    "a country": {
        "streams": {
            "people": {
                "match_identifier": "mobileNumber",
                "mobile_country": "GB",
                "identifiers": {"mobileNumber": "mobile"},
                "fields": FIELDS,
            }
        }
    },
    "a mirror": {"streams": {"people": {"fields": FIELDS, "sync_mode": "mirror"}, "leads": {}}},
    "mirrors of two identifiers": {
        "streams": {
            each: {
                "identifiers": {"email": "e-mail", "crm-id": "crm_id"},
                "fields": {"FIRSTNAME": "first_name"},
                "sync_mode": "mirror",
                "mirror_shared": True,
            }
            for each in ("people", "leads")
        }
    },
    "a mirror through a stream map": {
        "stream_maps": {"people": {"first_name": "first_name", "__filter__": "vip != False"}},
        "streams": {
            "people": {"fields": FIELDS, "sync_mode": "mirror"},
            "leads": {"address_book": None, "address_book_property": "book", "fields": {}},
        },
    },
    "deletes": {
        "streams": {
            "people": {"fields": FIELDS, "on_delete": "remove"},
            "leads": {
                "on_delete": "delete",
                "identifiers": {"email": "e-mail", "crm-id": "crm_id"},
            },
        }
    },
    "preferences": {
        "streams": {
            "people": {"fields": {}, "preferences": {"7": "vip", "9": "wish", "3": "points"}},
            "leads": {
                "fields": {},
                "preferences": {"7": "crm_id"},
                "merge_option": "overwriteIfEmpty",
            },
        }
    },
    "consent": {
        "streams": {
            "people": {"fields": {"FIRSTNAME": "first_name"}, "consent": CONSENT},
            "leads": {"fields": {}, "preferences": {"7": "vip"}, "consent": CONSENT},
        }
    },
    "consent through a stream map": {
        "stream_maps": {"people": {"url": "url or None", "first_name": "first_name"}},
        "streams": {"people": {"fields": FIELDS, "consent": CONSENT}},
    },
    "address books of rows": {
        "address_book": None,
        "streams": {
            "people": {"fields": FIELDS, "address_book_property": "book"},
            "leads": {"fields": {}, "address_book_property": "crm_id"},
        },
    },
    "held opt-outs": {
        "streams": {
            "people": {
                "identifiers": {"email": "e-mail", "crm-id": "crm_id"},
                "fields": {"FIRSTNAME": "first_name"},
                "opt_out": {"email": "vip", "sms": "birthday"},
            },
            "leads": {"fields": {}, "resubscribe": True},
        }
    },
    "opt-outs that are left out": {
        "streams": {
            "people": {
                "fields": FIELDS,
                "opt_out": {"email": "vip"},
                "opt_out_new": "skip",
                "on_delete": "remove",
            },
            "leads": {"fields": {}, "opt_out": {"email": "vip", "sms": "points"}},
        }
    },
    "metadata": {
        "add_record_metadata": True,
        "streams": {"people": {"fields": FIELDS, "sync_mode": "mirror"}, "leads": {}},
    },
    "metadata that is mapped": {
        "add_record_metadata": True,
        "streams": {
            "people": {
                "fields": {"CITY": "_sdc_extracted_at", "LOYALTY_POINTS": "_sdc_table_version"}
            },
            "leads": {"fields": {"BIRTHDAY": "_sdc_extracted_at"}, "sync_mode": "mirror"},
        },
    },
    "paths": {
        "streams": {
            "people": {
                "identifiers": {"email": "e-mail", "crm-id": "person.id"},
                "fields": {
                    "FIRSTNAME": "person.name",
                    "CITY": "person.home.city",
                    "LOYALTY_POINTS": "person.points",
                    "TAGS": "first_name",
                },
            },
            "leads": {"fields": {"TAGS": "person"}},
        }
    },
    "changes": {"send": "changes", "streams": {"people": {"fields": FIELDS}, "leads": {}}},
    "changes of everything": {
        "send": "changes",
        "streams": {
            "people": {
                "identifiers": {"email": "e-mail", "crm-id": "crm_id"},
                "fields": FIELDS,
                "preferences": {"7": "vip"},
                "on_delete": "remove",
            },
            "leads": {"fields": {}, "address_book": None, "address_book_property": "book"},
        },
    },
    "changes of a mirror": {
        "send": "changes",
        "streams": {"people": {"fields": FIELDS, "sync_mode": "mirror"}, "leads": {}},
    },
    "changes of held opt-outs": {
        "send": "changes",
        "streams": {
            "people": {"fields": FIELDS, "opt_out": {"email": "vip"}},
            "leads": {"fields": {}, "resubscribe": True},
        },
    },
    "not validated": {"validate_records": False, "streams": {"people": {"fields": FIELDS}}},
}

TEXTS = st.sampled_from(
    (
        *("", " ", "Ada", "Grace Hopper", "x" * 501, "x" * 1001, "é" * 500, "\U0001f426" * 501),
        *("2024-02-29", "2023-02-29", "1980-05-17", "2026-01-31T10:00:00Z", "0000-01-01"),
        *("2026-01-31T10:00:00+00:00", "2026-01-31T10:00:00.120+00:00", "2026-01-31 10:00:00"),
        *("2026-01-31T10:00:00.000Z", "2026-01-31T23:59:60Z", "2026-01-31T10:00:00+02:00"),
        *("9999-12-31T23:59:59-01:00", "yes", "f", "12.50", "a\nb", "2026-01-31\n2026-01-31"),
        *("\ud83d", "line\u2028separator", "\x7f", '"', "\\", "</script>"),
    )
) | st.text(max_size=12)
NUMBERS = (
    st.integers(-(10**20), 10**20)
    | st.integers(-9, 500)
    | st.decimals(allow_nan=False, allow_infinity=False).map(lambda each: f"raw:{each:f}")
    | st.decimals(-999, 999, places=3).map(lambda each: f"raw:{each}")
    | st.sampled_from(("raw:-0", "raw:-0.0", "raw:1e3", "raw:1E+999999", "raw:0.10", "raw:7.000"))
    | st.sampled_from(("raw:NaN", "raw:1234567890123456789012", "raw:0.0000000001", "raw:-0.5"))
)
VALUES = TEXTS | NUMBERS | st.booleans() | st.none() | st.lists(st.integers(), max_size=2)
ADDRESSES = (
    st.integers(0, 12).map("person.{}@example.com".format)
    | st.sampled_from(
        (
            *("PERSON.1@Example.com", " person.2@example.com\n", "person.3@xn--bcher-kva.example"),
            *("person.3@bücher.example", "no address", "", " ", "a@b\nperson.4@example.com"),
            *("bu\u0308cher@bu\u0308cher.example", "person.3@XN--BCHER-KVA.example"),
            *("\uff41nn@example.com", "\u039f\u03a3@example.com", "ru\u017f@example.com"),
            *("\u212aelvin@example.com", "x@-a.example.com", "a..b@example.com", "a@example.c0m"),
            *("a@example.co.uk", '"a b"@example.com', f"{'a' * 64}@example.com", "İ@example.com"),
        )
    )
    | st.none()
    | st.emails()
)


LONG_DECIMALS = st.sampled_from(
    (
        *("raw:33.333333333333336", "raw:0.1234567895", "raw:1e-05", "raw:-0.0000000001"),
        *(f"raw:{Decimal(0.1)}", "raw:1.5E-12", "raw:0.99999999999", "raw:12e1"),  # noqa: RUF032
    )
)
RIGHT_ADDRESSES = st.integers(0, 12).map("Person.{}@example.com".format)
MARKS: st.SearchStrategy[Any] = st.sampled_from(
    (
        *(None, "", None, "", " ", False, 0, "raw:0.0", "2026-01-31T10:00:00Z", "2026-01-31"),
        *(True, 1, "null", "2026-02-30", {}, {"at": "2026-01-31"}, [], "half \ud83d"),
    )
)
METADATA = {
    "_sdc_lsn": st.integers(1, 9) | st.none(),
    "_sdc_extracted_at": st.sampled_from(("2026-01-31T10:00:00Z", None)),
    "_sdc_sequence": st.integers(1, 9),
}
MORE: dict[str, st.SearchStrategy[Any]] = {
    "consent": st.sampled_from(("I agree", "Mozilla/5.0 (X11)", " ", "", "x" * 600, None)),
    "url": st.sampled_from(
        (
            *(
                "https://example.com/?a=1",
                "https://example.com",
                "http://exämple.com/ü?%",
                "nowhere",
            ),
            *("https://a b", "http://[::1]/", "https://example.com/a%20b", "x://y z", None, " "),
        )
    ),
    "wish": st.sampled_from((True, False, None, True, "yes", "", " ", 1, "maybe")),
    "ip": st.sampled_from(("192.0.2.7", "255.255.255.255", "256.1.1.1", "::1", "fe80::1%a", None)),
    "book": st.sampled_from(
        (102, 102, "Book", "raw:102.0", [102, "Book"], [], True, None, "other")
    ),
    "person": st.sampled_from(
        (
            *({"name": "Ada", "id": 7, "points": 5}, {"name": None, "home": {"city": "Oslo"}}),
            *(
                {"home": None},
                {"name": "Ada", "home": {"city": 5}},
                {},
                None,
                "Ada",
                '{"name":"Eva"}',
            ),
            *({"id": "x7", "points": "raw:0.10"}, {"home": "{}", "points": None}, 5, []),
        )
    ),
}
"""Other properties, some of which are rarely what is wanted."""

OF_A_PERSON = {
    "name": {"type": ["string", "null"]},
    "id": {"type": ["string", "integer", "null"]},
    "points": {"type": ["number", "null"]},
    "home": {"type": ["null", "object"], "properties": {"city": {"type": ["string", "null"]}}},
}
DAYS = st.sampled_from(("2026-01-31", "2024-02-28T10:00:00Z", "2026-02-03T10:00:00.5+00:00"))


def right_values(name: str, kind: str) -> st.SearchStrategy[Any]:
    """Values as a property's definition and data field want them: the fast path takes them."""
    values: st.SearchStrategy[Any] = st.sampled_from(("Ada", "Grace", "yes"))
    if name == "birthday":
        values = DAYS
    elif name in {"mobile", "crm_id"}:
        values = st.integers(447400123100, 447400123105)
    elif name == "vip":
        values = st.booleans() if kind != "text" else st.just("yes")
    elif kind in {"whole", "small"}:
        values = st.integers(-5, 400)
    elif "number" in kind:
        values = st.decimals(-99, 99, places=2).map(lambda each: f"raw:{each}") | LONG_DECIMALS
    elif kind == "flag":
        values = st.booleans()
    if kind.endswith("text") and name in {"mobile", "crm_id"}:
        values = values.map(str) | st.sampled_from(("+447400123100", "07400123101", "6505551234"))
    has_null = kind in {"text", "whole", "number", "flag", "mixed", "either"}
    return values | values | st.none() if has_null else values


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """Lines of a tap: a SCHEMA or two, many RECORDs of two streams, STATE, and rubbish."""
    lines = []
    kinds: dict[str, dict[str, str]] = {}
    for stream in ("people", "leads"):
        kinds[stream] = {name: draw(st.sampled_from(usual)) for name, usual in USUAL.items()}
        if one_in(draw, 3):
            odd = draw(st.sampled_from(list(USUAL)))
            kinds[stream][odd] = draw(st.sampled_from([*TYPES, *OTHER_TYPES]))
        lines.append(draw(schema_line(stream, kinds[stream])))
    for _ in range(draw(st.integers(1, 40))):
        stream = draw(st.sampled_from(("people", "people", "people", "leads")))
        what = draw(
            st.sampled_from(
                ("RECORD",) * 80 + ("STATE", "STATE", "blank", "odd", "SCHEMA", "ACTIVATE_VERSION")
            )
        )
        if what == "ACTIVATE_VERSION":
            version = draw(st.sampled_from((1, 2, None)))
            active = {"type": what, "stream": stream, "version": version}
            lines.append(json.dumps(active).encode())
        elif what == "SCHEMA":
            lines.append(draw(schema_line(stream, kinds[stream])))
        elif what == "STATE":
            lines.append(json.dumps({"type": "STATE", "value": {"at": len(lines)}}).encode())
        elif what == "blank":
            lines.append(draw(st.sampled_from((b"", b" \r", b"\t"))))
        elif what == "odd":
            rubbish = (b"{", b"{}{}", b'{"type":"RECORD"}', b"\xff", b"5")
            lines.append(draw(st.sampled_from(rubbish)))
        else:
            lines.append(draw(record_line(stream, kinds[stream])))
    return lines


@st.composite
def schema_line(draw: st.DrawFn, stream: str, kinds: dict[str, str]) -> bytes:
    known = {**TYPES, **OTHER_TYPES}
    properties = {name: known[kind] for name, kind in kinds.items()}
    properties["e-mail"] = {"type": ["string", "null"]}
    properties["unmapped"] = {"type": "integer"}
    properties["_sdc_lsn"] = {"type": ["integer", "null"]}
    properties["_sdc_extracted_at"] = {"type": ["string", "null"], "format": "date-time"}
    text = {"type": ["string", "null"]}
    properties |= {"consent": text, "url": text, "ip": text}
    properties["wish"] = {"type": ["boolean", "string", "integer", "null"]}
    properties["book"] = draw(st.sampled_from(({}, {"type": ["integer", "string", "null"]})))
    person: dict[str, Any] = {"type": ["object", "null"], "properties": OF_A_PERSON}
    if one_in(draw, 3):
        person |= {"required": ["name"], "additionalProperties": False}
    properties["person"] = draw(
        st.sampled_from((person, person, {**person, "type": ["object", "string"]}))
    )
    schema = {"type": "object", "properties": properties}
    if "reference" in kinds.values():
        schema["definitions"] = {"name": {}}
    if one_in(draw, 4):
        required = (["first_name"], ["unmapped", "e-mail"], ["_sdc_lsn"], ["_sdc_sequence"])
        schema["required"] = draw(st.sampled_from(required))
    if one_in(draw, 4):
        schema["additionalProperties"] = draw(st.sampled_from((False, True, {"type": "integer"})))
    keys = draw(st.sampled_from(([], [], [], ["unmapped"], ["crm_id"], ["missing"], ["_sdc_lsn"])))
    message = {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys}
    return json.dumps(message).encode()


@st.composite
def record_line(draw: st.DrawFn, stream: str, kinds: dict[str, str]) -> bytes:
    message: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": draw(record(kinds))}
    if one_in(draw, 3):
        message["version"] = draw(st.sampled_from((1, 1, 1, 2, None, "x", [1], True)))
    if one_in(draw, 9):
        message = dict(reversed(message.items())) | {"version": 3, "time_extracted": "x"}
    text = json.dumps(message, ensure_ascii=draw(st.booleans()))
    line = raw_numbers(text).encode("utf-8", "surrogatepass")
    if one_in(draw, 60):
        broken = (line + line, line[:-2], line + b" ", line.replace(b'"', b"'", 1))
        line = draw(st.sampled_from(broken))
    return line.replace(b"unmapped", b"unmapped\xff") if one_in(draw, 60) else line


@st.composite
def record(draw: st.DrawFn, kinds: dict[str, str]) -> dict[str, Any]:
    is_wild = one_in(draw, 6)
    found: dict[str, Any] = {"e-mail": draw(ADDRESSES if is_wild else RIGHT_ADDRESSES)}
    for name, kind in kinds.items():
        if kind in {"strict text", "small", "strict number"} or not one_in(draw, 5):
            found[name] = draw(VALUES if is_wild else right_values(name, kind))
    usually = {"unmapped": st.integers(0, 9) | VALUES, **MORE}
    rarely = {"_sdc_deleted_at": MARKS, "person.name": st.just("whole")}
    rarely |= dict.fromkeys(METADATA, VALUES) if is_wild else METADATA
    for name, values in usually.items():
        if not one_in(draw, 9):
            found[name] = draw(values)
    for name, values in rarely.items():
        if one_in(draw, 20 if name == "person.name" else 4):
            found[name] = draw(values)
    return found


def one_in(draw: st.DrawFn, chances: int) -> bool:
    return draw(st.sampled_from(range(chances))) == chances - 1


def raw_numbers(text: str) -> str:
    """Write the numbers that Python would write otherwise as they are meant."""
    parts = text.split('"raw:')
    return parts[0] + "".join(part.replace('"', "", 1) for part in parts[1:])


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=list(CONFIGURATIONS))
@settings(max_examples=40, deadline=None, phases=set(Phase) - {Phase.shrink})
@given(lines=messages())
def test_both_ways_give_the_same(lines: list[bytes], configuration: dict[str, Any]) -> None:
    with patch.object(FastPath, "map", autospec=True, side_effect=FastPath.map) as fast_map:
        fast = result_of(lines, configuration, is_fast=True)
    taken = sum(len(each.args[1]) for each in fast_map.call_args_list)
    event(f"rows on the fast path: {'none' if not taken else 'some' if taken < 5 else 'many'}")
    slow = result_of(lines, configuration, is_fast=False)
    if slow.error is not None:
        # How far it had read when it failed: a row, or the rows that were read with it.
        fast, slow = (each._replace(counts=[], warnings=[]) for each in (fast, slow))
    if configuration.get("send") == "changes":
        # Rows that need not be decoded are not looked at for what would be rounded.
        fast, slow = (
            each._replace(warnings=[line for line in each.warnings if "rounded" not in line])
            for each in (fast, slow)
        )
    assert fast == slow


ODD_WORDS = [name for name in ODD_NAMES if name.strip(" .") and not name.startswith("_sdc_reject")]


@pytest.mark.parametrize("definition", ODD_DEFINITIONS, ids=str)
def test_no_definition_is_too_odd_for_a_fast_path_to_be_looked_for(definition: object) -> None:
    """Unvalidated, so that nothing else refuses it first: mapped, and as the tap's key."""
    properties = {"e-mail": {"type": "string"}, "first_name": definition, "id": definition}
    schema = {"type": "object", "properties": properties}
    record = {"e-mail": "person@example.com", "first_name": "Ada", "id": 5}
    lines = [
        {"type": "SCHEMA", "stream": "people", "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "people", "record": record},
    ]
    assert_same([json.dumps(each).encode() for each in lines], {"validate_records": False})


@pytest.mark.parametrize("name", ODD_WORDS, ids=ascii)
@pytest.mark.parametrize("part", ["field", "key", "required", "stream"])
def test_no_name_is_too_odd_for_a_fast_path_to_be_looked_for(name: str, part: str) -> None:
    text = {"type": "string"}
    schema: dict[str, Any] = {"type": "object", "properties": {"e-mail": text, name: text}}
    stream = name if part == "stream" else "people"
    fields = {"FIRSTNAME": name} if part == "field" else {}
    if part == "required":
        schema["required"] = [name]
    keys = [name] if part == "key" else []
    record = {"e-mail": "person@example.com", name: "Ada"}
    lines = [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys},
        {"type": "RECORD", "stream": stream, "record": record},
    ]
    configuration = {"streams": {stream: {"fields": fields, "identifiers": {"email": "e-mail"}}}}
    assert_same([json.dumps(each).encode() for each in lines], configuration)


@pytest.mark.parametrize(
    "stream_map", [None, {"first_name": "first_name"}], ids=["plain", "mapped"]
)
@pytest.mark.parametrize("mark", [None, ""], ids=repr)
def test_marks_that_are_common_and_none_stay_on_the_fast_path(
    mark: object, stream_map: dict[str, Any] | None
) -> None:
    """So do properties `_sdc_*` that are mapped."""
    properties = {"email": {"type": "string"}, "first_name": {}, "_sdc_lsn": {"type": "integer"}}
    record = {"email": "person@example.com", "_sdc_lsn": 5, "_sdc_deleted_at": mark}
    messages = [
        {"type": "SCHEMA", "stream": "people", "schema": {"properties": properties}},
        *[{"type": "RECORD", "stream": "people", "record": {**record, "first_name": "Ada"}}] * 9,
    ]
    lines = [json.dumps(each).encode() for each in messages]
    configuration: dict[str, Any] = {
        "streams": {"people": {"fields": {"LOYALTY_POINTS": "_sdc_lsn"}}},
        "stream_maps": {"people": stream_map} if stream_map is not None else {},
    }
    with patch.object(ContactSink, "receive") as receive:
        fast = result_of(lines, configuration, is_fast=True)
    assert fast.error is None
    assert "read 9 = imported 1 + rejected 0 + collapsed 8" in fast.counts[0]
    receive.assert_not_called()


@pytest.mark.parametrize(
    "stream_map",
    [
        {"first_name": "_sdc_extracted_at"},
        {"first_name": "str(_sdc_table_version)"},
        {"__filter__": "_sdc_extracted_at > '2021'"},
    ],
    ids=str,
)
def test_a_stream_map_reads_the_metadata_of_the_tap(stream_map: dict[str, Any]) -> None:
    """The SDK puts its own in their place later."""
    properties = {"email": {"type": "string"}, "first_name": {"type": "string"}}
    own = {"first_name": "Ada", "_sdc_extracted_at": "2020", "_sdc_table_version": 3}
    line = {"type": "RECORD", "stream": "people", "version": 5, "time_extracted": "2026-01-01"}
    messages = [
        {"type": "SCHEMA", "stream": "people", "schema": {"properties": properties}},
        {**line, "record": {"email": "person@example.com", **own}},
        {**line, "record": {"email": "ada@example.com", "first_name": "Ada"}},
    ]
    lines = [json.dumps(each).encode() for each in messages]
    maps = {"stream_maps": {"people": stream_map}, "add_record_metadata": True}
    assert_same(lines, {"streams": {"people": {}}, **maps})


def test_a_property_inside_an_object_is_not_what_a_stream_map_takes_away() -> None:
    address = {"type": "object", "properties": {"city": {"type": "string"}}}
    properties = {"email": {"type": "string"}, "address": address}
    record = {"email": "person@example.com", "address": {"city": "Rome"}}
    messages = [
        {"type": "SCHEMA", "stream": "people", "schema": {"properties": properties}},
        {"type": "RECORD", "stream": "people", "record": record},
        {"type": "RECORD", "stream": "people", "record": {**record, "address.city": "Oslo"}},
    ]
    configuration = {
        "streams": {"people": {"fields": {"CITY": "address.city"}}},
        "stream_maps": {"people": {"address.city": None}},
    }
    assert_same([json.dumps(each).encode() for each in messages], configuration)


def test_no_record_is_made_whole_for_the_properties_that_need_a_look() -> None:
    """Those that a stream map reads and makes, and those of which a decoder cannot check all."""
    properties = {
        "email": {"type": "string", "pattern": "@example"},
        "first_name": {"type": "string"},
        "crm_id": {"$ref": "#/definitions/id"},
    }
    schema = {"properties": properties, "definitions": {"id": {"type": "integer"}}}
    record = {"email": "person@example.com", "first_name": "Ada", "crm_id": 5}
    messages = [
        {"type": "SCHEMA", "stream": "people", "schema": schema, "key_properties": ["crm_id"]},
        *[{"type": "RECORD", "stream": "people", "record": record}] * 8,
        {"type": "RECORD", "stream": "people", "record": {**record, "email": "ada@elsewhere.com"}},
    ]
    stream_map = {
        "first_name": "self.upper()",
        "key": "first_name",
        "__key_properties__": ["crm_id", "key"],
    }
    configuration = {"stream_maps": {"people": stream_map}}
    with (
        patch.object(ContactSink, "_may_fit") as of_all,
        patch.object(ContactSink, "receive") as receive,
    ):
        result_of([json.dumps(each).encode() for each in messages], configuration, is_fast=True)
    of_all.assert_not_called()
    receive.assert_called_once()


def assert_same(lines: list[bytes], configuration: dict[str, Any]) -> None:
    fast = result_of(lines, configuration, is_fast=True)
    assert fast == result_of(lines, configuration, is_fast=False)
    assert fast.error is None or "TypeError" not in fast.error

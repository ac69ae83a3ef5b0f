"""Settings: all problems at once, by name and never by value, from files and the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from target_dotdigital.settings.schema import CONFIG_SCHEMA
from target_dotdigital.settings.stream_schema import CONSENT_KEYS
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.settings.settings import Settings

CANARY = "Zq7Canary"
CANARY_NUMBER = 987654321987
ACCESS = {
    "username": "apiuser-1@apiconnector.com",
    "password": "secret",
    "account_only": True,
}

LISTED = {**ACCESS, "account_only": False}
"""For settings with an address book."""


def settings_of(config: Mapping[str, Any]) -> Settings:
    target = TargetDotdigital(config=dict(config))
    target.run.close()
    return target.run.settings


def problems_of(config: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ConfigValidationError) as caught:
        settings_of(config)
    return caught.value.errors


def names_of(problems: list[str]) -> list[str]:
    return sorted(problem.partition(":")[0] for problem in problems)


WHOLE_CONSENT = dict.fromkeys(CONSENT_KEYS, "p")

# Defaults.


def test_defaults_are_those_of_the_contract() -> None:
    settings = settings_of(ACCESS)
    assert (settings.region, settings.api_url, settings.streams) == (None, None, None)
    assert (settings.sandbox_path, settings.rejects_path) == (None, None)
    assert settings.batch_size_rows == 10_000
    assert settings.batch_wait_limit_seconds == 300
    assert settings.max_active_imports == 20
    assert settings.import_timeout_seconds == 240 * 60
    assert settings.shutdown_grace_seconds == 20
    assert settings.max_reject_percent == 50
    stream = settings.stream("any")
    assert stream is not None
    assert (stream.address_book, stream.match_identifier) == (None, "email")
    assert (stream.merge_option, stream.resubscribe) == ("overwrite", False)
    assert stream.identifiers is stream.fields is None
    assert stream.email_type is stream.email_opt_in_type is None
    assert (stream.address_book_property, stream.preferences, stream.consent) == (None, {}, None)


def test_defaults_stand_in_the_schema_too() -> None:
    properties = CONFIG_SCHEMA["properties"]
    assert {
        name: definition["default"]
        for name, definition in properties.items()
        if "default" in definition and name != "validate_records"
    } == {
        "account_only": False,
        "create_address_book": False,
        "create_data_fields": False,
        "merge_option": "overwrite",
        "batch_size_rows": 10_000,
        "batch_wait_limit_seconds": 300,
        "max_active_imports": 20,
        "import_timeout_minutes": 240,
        "shutdown_grace_seconds": 20,
        "max_reject_percent": 50,
        "send": "all",
        "send_all_every_days": 7,
        "dry_run": False,
        "load_method": "upsert",
    }
    stream = properties["streams"]["additionalProperties"]["properties"]
    assert {name: one["default"] for name, one in stream.items() if "default" in one} == {
        "opt_out_new": "create",
        "match_identifier": "email",
        "sync_mode": "upsert",
        "max_removal_percent": 20,
        "mirror_shared": False,
        "resubscribe": False,
        "on_delete": "ignore",
        "exact_numbers": False,
        "skip": False,
    }
    assert [name for name, one in properties.items() if one.get("secret")] == [
        "password",
        "batch_config",
    ]


def test_null_means_not_set() -> None:
    nulls = dict.fromkeys([*CONFIG_SCHEMA["properties"], "unheard"])
    settings = settings_of({**nulls, **ACCESS, "streams": {"a": {"merge_option": None}}})
    assert settings.batch_size_rows == 10_000
    assert settings.streams == {"a": settings.default_stream}


def test_streams_take_over_what_they_do_not_set() -> None:
    config = {
        **LISTED,
        "address_book": "Customers",
        "merge_option": "overwriteIfEmpty",
        "streams": {"a": {}, "b": {"address_book": 7, "merge_option": "overwrite"}},
    }
    a, b = (settings_of(config).stream(name) for name in "ab")
    assert a is not None
    assert b is not None
    assert (a.address_book, a.merge_option) == ("Customers", "overwriteIfEmpty")
    assert (b.address_book, b.merge_option) == (7, "overwrite")
    assert settings_of(config).stream("c") is None


def test_preferences_and_consent_are_read_as_they_are_written() -> None:
    stream = {"preferences": {"7": "news", "012": "offers"}, "consent": WHOLE_CONSENT}
    found = settings_of({**ACCESS, "streams": {"a": stream}}).stream("a")
    assert found is not None
    assert (found.preferences, found.consent) == ({7: "news", 12: "offers"}, WHOLE_CONSENT)


def test_opt_outs_are_held_only_where_a_later_row_could_undo_one() -> None:
    out = {"opt_out": {"email": "p"}}
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"a": {}}, False),
        ({"a": out}, False),
        ({"a": {"resubscribe": True}}, False),
        ({"a": {**out, "resubscribe": True}}, True),
        ({"a": out, "b": {"resubscribe": True}}, True),
        ({"a": {**out, "opt_out_new": "skip"}}, True),
    ]
    for streams, is_held in cases:
        assert settings_of({**ACCESS, "streams": streams}).holds_opt_outs is is_held
    found = settings_of({**ACCESS, "streams": {"a": out}}).stream("a")
    assert found is not None
    assert (found.opt_out, found.opt_out_new) == ({"email": "p"}, "create")


def test_the_default_address_book_does_not_apply_where_rows_name_their_own() -> None:
    streams = {"a": {"address_book_property": "book"}, "b": {}}
    settings = settings_of({**LISTED, "address_book": "Customers", "streams": streams})
    a, b = (settings.stream(name) for name in "ab")
    assert a is not None
    assert b is not None
    assert (a.address_book, a.address_book_property) == (None, "book")
    assert (b.address_book, b.address_book_property) == ("Customers", None)


def test_all_that_a_consent_lacks_is_named_at_once() -> None:
    (problem,) = problems_of({**ACCESS, "streams": {"a": {"consent": {"text": "p", "url": "q"}}}})
    assert problem.startswith("streams.a.consent: ")
    assert problem.endswith("Missing: date_time_consented, ip_address, user_agent")


def test_the_callers_configuration_is_not_changed() -> None:
    config: dict[str, Any] = {**ACCESS, "region": None, "streams": {"a": {"fields": None}}}
    before = json.dumps(config)
    settings_of(config)
    assert json.dumps(config) == before


# Problems.


def test_problems_are_told_all_at_once() -> None:
    config = {
        "username": 5,
        "region": "r9",
        "api_url": "http://example.com",
        "address_book": "Test",
        "merge_option": "append",
        "batch_size_rows": 0,
        "max_active_imports": 26,
        "max_reject_percent": 101,
        "rejects_path": ["a"],
        "dry_run": "perhaps",
        "report_path": 5,
        "load_method": "append-only",
        "flattening_max_depth": "deep",
    }
    assert names_of(problems_of(config)) == sorted([*config, "password"])


def test_a_problem_in_one_stream_does_not_hide_those_of_another() -> None:
    streams = {
        "a": {"colour": "red", "merge_option": "append"},
        "b": {"sync_mode": "mirror"},
        "c": {"address_book": "all contacts"},
        "d": {"identifiers": {"mobileNumber": "phone"}},
    }
    problems = problems_of({**ACCESS, "streams": streams})
    assert sorted({name.split(".")[1] for name in names_of(problems)}) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "stream",
    [
        {"colour": 1},
        {"consent": {"colour": "x"}},
        {"consent": {}},
        {"consent": {key: "p" for key in CONSENT_KEYS if key != "url"}},
        {"consent": {**WHOLE_CONSENT, "url": ""}},
        {"consent": {**WHOLE_CONSENT, "url": None}},
        {"consent": {**WHOLE_CONSENT, "url": "_sdc_reject_reason"}},
        {"opt_out": {}},
        {"opt_out": {"email": ""}},
        {"opt_out": {"email": None}},
        {"opt_out": {"email": "_sdc_reject_code"}},
        {"opt_out": {"post": "p"}},
        {"opt_out": "out"},
        {"opt_out": {"email": "p"}, "opt_out_new": "ignore"},
        {"opt_out_new": "skip"},
        {"preferences": {"news": "p"}},
        {"preferences": {"": "p"}},
        {"preferences": {"0": "p"}},
        {"preferences": {"-1": "p"}},
        {"preferences": {"2147483648": "p"}},
        {"preferences": {"\u0667": "p"}},
        {"preferences": {"9" * 5000: "p"}},
        {"preferences": {"7": "p", "07": "q"}},
        {"preferences": {"7": ""}},
        {"preferences": {"7": 7}},
        {"preferences": {"7": "_sdc_reject_code"}},
        {"preferences": ["7"]},
        {"address_book_property": ""},
        {"address_book_property": "_sdc_reject_code"},
        {"address_book_property": ["book"]},
        {"address_book_property": "book", "address_book": 7},
        {"address_book_property": "book", "sync_mode": "mirror"},
        {"fields": ["FIRSTNAME"]},
        {"fields": {"FIRSTNAME": 5}},
        {"fields": {"FIRSTNAME": ""}},
        {"fields": {"FIRSTNAME": "_sdc_reject_code"}},
        {"fields": {"FIRSTNAME": "a", "firstName": "b"}},
        {"identifiers": {}},
        {"identifiers": {"mobileNumber": "phone"}},
        {"identifiers": {"email": ""}},
        {"match_identifier": ""},
        {"match_identifier": "mobileNumber", "identifiers": {"email": "email"}},
        {"email_type": "Html"},
        {"email_opt_in_type": "subscribed"},
        {"resubscribe": "yes"},
        {"sync_mode": "replace"},
        {"on_delete": "purge"},
        {"max_removal_percent": 101},
        {"address_book": 0},
        {"address_book": -1},
        {"address_book": True},
        {"address_book": ""},
        {"address_book": "  "},
        {"address_book": 7, "account_only": True},
        {"address_book_property": "book", "account_only": True},
        {"account_only": False},
        {"account_only": "yes"},
        {"skip": 1},
        {"address_book": " TEST "},
        "customers",
        ["customers"],
        None,
    ],
    ids=lambda stream: json.dumps(stream)[:80],
)
def test_a_problem_in_a_stream_is_named_by_its_path(stream: object) -> None:
    for name in names_of(problems_of({**ACCESS, "streams": {"customers": stream}})):
        assert name.startswith("streams.customers")


def test_a_name_that_no_address_book_can_have_is_told() -> None:
    settings_of({**LISTED, "address_book": "x" * 128})
    settings_of({**LISTED, "address_book": "9" * 129})
    for config in ({"address_book": "x" * 129}, {"streams": {"a": {"address_book": "x" * 129}}}):
        (problem,) = problems_of({**LISTED, **config})
        assert problem.endswith("a name has at most 128 characters")
        assert "xx" not in problem


def test_two_files_at_one_path_are_refused() -> None:
    (problem,) = problems_of({**ACCESS, "report_path": "a/b", "rejects_path": "./a/b"})
    assert problem.startswith("report_path, rejects_path:")


# Near misses.


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("adress_book", "address_book"),
        ("Address_Book", "address_book"),
        ("address_book_id", "address_book"),
        ("stream", "streams"),
        ("dryrun", "dry_run"),
        ("stream_map", "stream_maps"),
        ("flattening_enable", "flattening_enabled"),
    ],
)
def test_a_setting_that_is_close_to_a_known_one_is_an_error(name: str, meant: str) -> None:
    (problem,) = problems_of({**ACCESS, name: CANARY})
    assert problem == f"{name}: unknown. Did you mean '{meant}'?"


@pytest.mark.parametrize("name", ["colour", "hard_delete", "default_target_schema"])
def test_a_setting_that_is_clearly_another_is_warned_of(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings_of({**ACCESS, name: CANARY})
    assert f"The setting '{name}' is not known and has no effect. Remove it" in caplog.text


def test_a_stream_setting_at_the_top_level_is_told_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings_of({**ACCESS, "max_removal_percent": 5})
    assert "'max_removal_percent' has no effect here. Set it under streams.<name>" in caplog.text


@pytest.mark.parametrize(
    ("stream", "meant"),
    [
        ({"feilds": {"FIRSTNAME": "a"}}, "fields"),
        ({"adress_book": 7}, "address_book"),
        ({"on_delete": "removed"}, "remove"),
        ({"merge_option": "overwriteifnotempty"}, "overwriteIfNotEmpty"),
        ({"consent": {**WHOLE_CONSENT, "urls": "p"}}, "url"),
        ({"opt_out": {"whatsapp": "p"}}, "whatsApp"),
        ({"opt_out": {"e-mail": "p"}}, "email"),
        ({"optout": {"email": "p"}}, "opt_out"),
        ({"match_identifier": "Email"}, "email"),
        ({"match_identifier": "member-id", "identifiers": {"memberid": "p"}}, "memberid"),
    ],
    ids=str,
)
def test_what_a_stream_setting_nearly_is_is_named(stream: dict[str, Any], meant: str) -> None:
    problems = problems_of({**ACCESS, "streams": {"a": stream}})
    assert any(f"Did you mean '{meant}'?" in problem for problem in problems)


def test_a_custom_identifier_that_nearly_is_one_of_dotdigitals_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    streams = {"a": {"match_identifier": "mobile_number"}, "b": {"match_identifier": "crm-id"}}
    settings_of({**ACCESS, "streams": streams})
    assert caplog.text.count("Did you mean") == 1
    assert "streams.a: an identifier is not one of Dotdigital's own" in caplog.text


# Nothing to load, and no address book.


@pytest.mark.parametrize("streams", [{}, {"a": {"skip": True}}], ids=str)
def test_settings_that_load_nothing_are_a_problem(streams: dict[str, Any]) -> None:
    (problem,) = problems_of({**ACCESS, "streams": streams})
    assert problem.startswith("streams: ")
    assert "nothing was loaded" in problem


def test_a_stream_without_an_address_book_has_to_say_so() -> None:
    streams: dict[str, Any] = {"a": {}, "b": {"address_book_property": "p"}, "c": {"skip": True}}
    (problem,) = problems_of({**LISTED, "streams": streams})
    assert problem.startswith("streams.a: it has no address book. Set address_book, or account_on")
    for said in ({"account_only": True}, {"address_book": 7}, {"skip": True}):
        settings_of({**LISTED, "streams": {**streams, "a": said}})


def test_what_a_stream_says_of_address_books_goes_before_the_top_level() -> None:
    listed = settings_of({**ACCESS, "streams": {"a": {"address_book": 7}, "b": {}}})
    a, b = (listed.stream(name) for name in "ab")
    assert a is not None
    assert b is not None
    assert (a.address_book, a.account_only) == (7, False)
    assert (b.address_book, b.account_only) == (None, True)
    found = settings_of({**LISTED, "address_book": 7, "streams": {"a": {"account_only": True}}})
    a = found.stream("a")
    assert a is not None
    assert (a.address_book, a.account_only) == (None, True)
    (problem,) = problems_of({**ACCESS, "streams": {"a": {"account_only": False}}})
    assert problem.startswith("streams.a: it has no address book")


def test_an_address_book_and_none_exclude_each_other() -> None:
    (problem,) = problems_of({**ACCESS, "address_book": 7})
    assert problem.startswith("account_only, address_book:")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_address_book_that_is_empty_is_a_problem(text: str) -> None:
    (problem,) = problems_of({**LISTED, "address_book": text})
    assert problem.startswith("address_book: it is empty")


# Streams' names with dots.

NESTED: dict[str, Any] = {
    "public": {
        "skip": True,
        "customers": {"address_book": 7, "fields": {"AGE": "a.b"}},
        "audit": {"log": {"skip": True}},
    },
    "shop": {"orders": {}},
    "a.b": {"address_book": 8},
}


def test_streams_with_dots_are_read_as_meltano_nests_them() -> None:
    settings = settings_of({**ACCESS, "streams": NESTED})
    assert settings.skipped_streams == {"public", "public.audit.log"}
    assert settings.streams is not None
    assert set(settings.streams) == {"public.customers", "shop.orders", "a.b"}
    customers = settings.streams["public.customers"]
    assert (customers.address_book, customers.fields) == (7, {"AGE": "a.b"})


@pytest.mark.parametrize(
    ("streams", "name"),
    [
        ({"public": {"customers": {"fields": {"AGE": 5}}}}, "streams.public.customers.fields.AGE"),
        ({"public": {"customers": {"adress_book": 5}}}, "streams.public.customers"),
        ({"public": {"customers": {"fields": {}, "colour": 5}}}, "streams.public.customers"),
        ({"public": {"customers": {"colour": 5}}}, "streams.public"),
        ({"people": {"colour": {"FIRSTNAME": "a"}}}, "streams.people"),
        ({"people": {"field": {"address_book": "a"}}}, "streams.people"),
        ({"people": {"address_book": 7, "colour": {}}}, "streams.people"),
        ({"people": {"address_book": {"skip": True}}}, "streams.people.address_book"),
    ],
    ids=str,
)
def test_an_unknown_key_is_an_error_in_streams_with_dots_too(
    streams: dict[str, Any], name: str
) -> None:
    (problem,) = problems_of({**ACCESS, "streams": streams})
    assert problem.startswith(f"{name}: ")


# Who leaves, and what.


@pytest.mark.parametrize("stream", [{"sync_mode": "mirror"}, {"on_delete": "remove"}], ids=str)
def test_to_leave_an_address_book_there_must_be_one(stream: dict[str, Any]) -> None:
    (problem,) = problems_of({**ACCESS, "streams": {"a": stream}})
    assert problem.startswith(f"streams.a.{next(iter(stream))}:")
    for book in ({"address_book": 7}, {"address_book": "Customers"}):
        settings_of({**LISTED, **book, "streams": {"a": stream}})
        settings_of({**ACCESS, "streams": {"a": {**stream, **book}}})


@pytest.mark.parametrize("what", [{"sync_mode": "mirror"}, {"on_delete": "remove"}], ids=str)
def test_rows_that_name_their_address_books_leave_none(what: dict[str, Any]) -> None:
    stream = {"address_book_property": "books", **what}
    found = problems_of({**ACCESS, "address_book": 7, "streams": {"a": stream}})
    assert any(
        each.startswith("streams.a.address_book_property: it cannot be combined") for each in found
    )


def test_to_be_deleted_from_the_account_no_address_book_is_needed() -> None:
    settings_of({**ACCESS, "streams": {"a": {"on_delete": "delete"}}})


@pytest.mark.parametrize("other", [102, "102", " 0102 "], ids=repr)
def test_two_mirrors_of_one_address_book_have_to_say_so(other: int | str) -> None:
    mirror = {"sync_mode": "mirror", "address_book": other}
    shared = {**mirror, "mirror_shared": True}
    base = {**LISTED, "address_book": "102"}
    for a, b in ((mirror, mirror), (shared, mirror)):
        streams = {"a": a, "b": b, "c": {"sync_mode": "mirror"}, "d": {}}
        (problem,) = problems_of({**base, "streams": streams})
        assert problem.startswith("streams.a, streams.b, streams.c: ")
        assert "mirror_shared" in problem
    settings_of({**base, "streams": {"a": shared, "b": shared, "d": {}}})
    settings_of({**base, "streams": {"a": mirror, "b": {**mirror, "address_book": "102 x"}}})


def test_sharing_without_a_mirror_is_a_mistake() -> None:
    (problem,) = problems_of({**ACCESS, "streams": {"a": {"mirror_shared": True}}})
    assert problem.startswith("streams.a.mirror_shared:")


def test_defaults_of_what_is_not_available_yet_are_no_problem() -> None:
    stream = {"sync_mode": "upsert", "on_delete": "ignore", "max_removal_percent": 20}
    settings_of({**ACCESS, "report_path": "", "streams": {"a": stream}})


# Values are never repeated.

STREAM_NAMES = list(CONFIG_SCHEMA["properties"]["streams"]["additionalProperties"]["properties"])


@pytest.mark.parametrize("value", [CANARY, CANARY_NUMBER, [CANARY], {CANARY: CANARY}], ids=repr)
@pytest.mark.parametrize(
    "path", [*CONFIG_SCHEMA["properties"], *(f"streams.a.{name}" for name in STREAM_NAMES)]
)
def test_no_message_repeats_a_value(
    path: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stream: dict[str, Any] = {"identifiers": {"email": "email"}, "fields": {"AGE": "age"}}
    config: dict[str, Any] = {"username": "u", "region": "r9", "streams": {"a": stream}}
    (stream if path.startswith("streams.a.") else config)[path.rpartition(".")[2]] = value
    problems = problems_of(config)
    text = "\n".join([*problems, caplog.text])
    if isinstance(value, dict):
        text = text.replace(f"unknown: {CANARY}", "")  # a key is a setting's name, not a value
        text = text.replace(f".{CANARY}: ", ": ")
    assert CANARY not in text
    assert str(CANARY_NUMBER) not in text


@pytest.mark.parametrize("password", [12345678, 12345678.5, True, ["12345678"], {"p": "12345678"}])
def test_a_password_that_is_no_text_is_named_and_not_shown(password: object) -> None:
    problems = problems_of({"username": "u", "password": password})
    assert problems == ["password: must be of type string"]


def test_settings_show_nothing_of_themselves() -> None:
    settings = settings_of({**ACCESS, "password": CANARY})
    assert CANARY not in f"{settings} {settings!r}"


# Access.


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ["password", "username"]),
        ({"username": "u"}, ["password"]),
        ({"username": "", "password": ""}, ["password", "username"]),
        ({"sandbox_path": "s.db", "api_url": "https://example.com"}, ["sandbox_path, api_url"]),
        ({"sandbox_path": ""}, ["password", "username"]),
    ],
    ids=str,
)
def test_credentials_are_needed_unless_there_is_a_sandbox(
    config: dict[str, Any], names: list[str]
) -> None:
    assert names_of(problems_of(config)) == names
    assert settings_of({"sandbox_path": "s.db"}).username == ""


@pytest.mark.parametrize(
    "url",
    [
        *("https://proxy.example.com", "https://proxy.example.com:8443/dotdigital/"),
        *("HTTPS://Proxy.Example.com", "http://localhost:8025", "http://LOCALHOST"),
        *("http://127.0.0.1:8025/", "http://[::1]:8025", "https://192.0.2.1"),
    ],
)
def test_an_api_url_is_https_or_on_this_machine(url: str) -> None:
    assert settings_of({**ACCESS, "api_url": url}).api_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"),
        *("http://example.com#@localhost", "http://localhost@example.com", "http://10.0.0.1"),
        *("http://0.0.0.0:8025", "http://example.com\\@localhost", "//localhost", "localhost:8025"),
        *("ftp://localhost", "file:///etc/passwd", "https://", "https:///path", "https://:443"),
        *("https://user@example.com", "https://user:pass@example.com", "https://example.com:x"),
        *("https://example.com:99999", "https://example.com?x=1", "https://example.com#x"),
        *("https://example.com?", "https://example.com#", "https://[::1", "nonsense", " "),
    ],
)
def test_any_other_api_url_is_refused(url: str) -> None:
    assert names_of(problems_of({**ACCESS, "api_url": url})) == ["api_url"]


@pytest.mark.parametrize("name", ["rejects_path", "sandbox_path"])
def test_the_home_of_a_user_that_does_not_exist_is_a_problem(name: str) -> None:
    config = {**ACCESS, name: "~no-such-user-7/file"}
    assert names_of(problems_of(config)) == [name]


def test_a_stream_map_that_is_wrong_is_named() -> None:
    """The SDK's own schema of stream maps holds a text where a schema belongs."""
    assert names_of(problems_of({**ACCESS, "stream_maps": {"__else__": "x"}})) == [
        "stream_maps.__else__"
    ]


@pytest.mark.parametrize("name", ["Email", "MOBILENUMBER", "a b", "x" * 51])
def test_an_identifier_that_cannot_be_one_is_a_problem(name: str) -> None:
    stream = {"match_identifier": name, "identifiers": {name: "p"}}
    assert names_of(problems_of({**ACCESS, "streams": {"a": stream}})) == ["streams.a"]

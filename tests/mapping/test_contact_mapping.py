"""From a record to a contact: what is mapped, what is left out, and what ends the run."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import DotdigitalError, RowRejectedError, SettingsError
from target_dotdigital.mapping.contact_mapping import ContactMapping
from target_dotdigital.mapping.contacts.contact import Contact
from target_dotdigital.mapping.name_matching import match_property
from tests.support.builders import WILD_VALUES, attempt, contents, marked, stream_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = {
    "FIRSTNAME": "String",
    "LASTNAME": "String",
    "POSTCODE": "String",
    "AGE": "Numeric",
    "BIRTHDAY": "Date",
    "VIP": "Boolean",
}
CANARY = "Zq7Canary"
EMPTY: dict[str, Any] = {}


def mapping(
    *properties: str,
    data_fields: Mapping[str, str] = FIELDS,
    address_book_id: int | None = None,
    is_open: bool = False,
    **changes: Any,
) -> ContactMapping:
    schema = {"properties": dict.fromkeys(properties, EMPTY), "additionalProperties": is_open}
    return ContactMapping(stream_settings(**changes), schema, data_fields, address_book_id)


def fields_of(compiled: ContactMapping, **record: object) -> dict[str, Any]:
    body = contents(compiled.contact({"email": "ann@example.com", **record}))
    sent: dict[str, Any] = body.get("dataFields", {})
    return sent


def refusal(compiled: ContactMapping, record: Mapping[str, object]) -> RowRejectedError:
    with pytest.raises(RowRejectedError) as caught:
        compiled.contact(record)
    return caught.value


# By name.


@pytest.mark.parametrize(
    "name", ["FIRSTNAME", "firstname", "first_name", "First Name", "first-name", "_first.name_"]
)
def test_a_property_is_mapped_to_the_field_of_the_same_letters_and_digits(name: str) -> None:
    assert fields_of(mapping("email", name), **{name: "Ann"}) == {"FIRSTNAME": "Ann"}


@pytest.mark.parametrize("name", ["first", "firstname2", "fïrstname", "first_names"])
def test_a_property_of_other_letters_or_digits_is_not_mapped(name: str) -> None:
    assert fields_of(mapping("email", name), **{name: "Ann"}) == {}


def test_of_several_properties_the_one_spelled_like_the_field_is_mapped() -> None:
    compiled = mapping("email", "first_name", "firstName")
    assert fields_of(compiled, first_name="a", firstName="b") == {"FIRSTNAME": "b"}
    compiled = mapping("email", "firstname", "FIRSTNAME")
    assert fields_of(compiled, firstname="a", FIRSTNAME="b") == {"FIRSTNAME": "b"}


def test_of_several_fields_the_one_spelled_like_the_property_is_mapped() -> None:
    data_fields = {"FIRSTNAME": "String", "FIRST_NAME": "String"}
    compiled = mapping("email", "first_name", "firstname", data_fields=data_fields)
    assert fields_of(compiled, first_name="a", firstname="b") == {
        "FIRST_NAME": "a",
        "FIRSTNAME": "b",
    }


def test_clashes_are_all_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        mapping("email", "first_name", "first-name", "last name", "last.name")
    for name in ("first_name", "first-name", "FIRSTNAME", "last name", "last.name", "LASTNAME"):
        assert name in caught.value.message


@pytest.mark.parametrize("name", ["_sdc_reject_code", "_sdc_batched_at", "_sdc_deleted_at"])
def test_the_properties_of_the_sdk_are_never_mapped_by_name(name: str) -> None:
    data_fields = {name.strip("_").upper(): "String", name.replace("_", "").upper(): "String"}
    compiled = mapping("email", name, data_fields=data_fields)
    assert fields_of(compiled, **{name: "x"}) == {}


def test_an_identifier_is_not_a_field_as_well() -> None:
    compiled = mapping("E-mail", data_fields={"EMAIL": "String"})
    body = contents(compiled.contact({"E-mail": "ann@example.com"}))
    assert "dataFields" not in body


# By settings.


def test_listed_fields_are_mapped_and_nothing_else() -> None:
    compiled = mapping("email", "first_name", "n", fields={"age": "n"})
    assert fields_of(compiled, first_name="Ann", n=7) == {"AGE": 7}


def test_no_listed_field_means_that_none_is_mapped() -> None:
    assert fields_of(mapping("email", "first_name", fields={}), first_name="Ann") == {}


def test_one_property_may_fill_several_fields() -> None:
    compiled = mapping("email", "n", fields={"AGE": "n", "POSTCODE": "n"})
    assert fields_of(compiled, n=7) == {"AGE": 7, "POSTCODE": "7"}


def test_unknown_fields_and_properties_are_all_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        mapping(
            "email",
            "n",
            fields={"SHOE": "n", "HAT": "n", "AGE": "years", "VIP": "is_vip"},
            identifiers={"email": "email", "mobileNumber": "phone"},
        )
    for name in ("SHOE", "HAT", "'years'", "AGE", "'is_vip'", "VIP", "'phone'", "mobileNumber"):
        assert name in caught.value.message


def test_a_schema_that_names_no_properties_may_hold_any() -> None:
    compiled = ContactMapping(
        stream_settings(identifiers={"email": "mail"}, fields={"AGE": "n"}), {}, FIELDS, None
    )
    body = contents(compiled.contact({"mail": "ann@example.com", "n": 5}))
    assert body["dataFields"] == {"AGE": 5}


def test_a_schema_that_allows_other_properties_may_hold_any() -> None:
    compiled = mapping("email", is_open=True, fields={"AGE": "n"})
    assert fields_of(compiled, n=5) == {"AGE": 5}


def test_a_field_of_an_undocumented_type_ends_the_run() -> None:
    with pytest.raises(DotdigitalError, match="AGE"):
        mapping("email", "n", data_fields={"AGE": "Colour"}, fields={"AGE": "n"})


# Dotted properties.

DOTTED = {"POSTCODE": "address.postcode"}


@pytest.mark.parametrize(
    ("record", "sent"),
    [
        ({"address": {"postcode": "N1"}}, {"POSTCODE": "N1"}),
        ({"address": {"postcode": None}}, {"POSTCODE": None}),
        ({"address": {"postcode": ""}}, {"POSTCODE": ""}),
        ({"address": {}}, {}),
        ({"address": None}, {"POSTCODE": None}),
        ({}, {}),
    ],
    ids=["value", "null", "empty", "absent", "null parent", "absent parent"],
)
def test_a_dot_walks_into_an_object(record: dict[str, object], sent: dict[str, object]) -> None:
    assert fields_of(mapping("email", "address", fields=DOTTED), **record) == sent


@pytest.mark.parametrize("parent", ["text", "", 5, 0, False, [{"postcode": "N1"}], []], ids=repr)
def test_a_dot_does_not_walk_into_a_plain_value(parent: object) -> None:
    compiled = mapping("email", "address", fields=DOTTED)
    error = refusal(compiled, {"email": "ann@example.com", "address": parent})
    assert error.code == "field.type"
    assert "'address.postcode'" in error.reason


def test_a_property_under_the_whole_dotted_name_wins() -> None:
    compiled = mapping("email", "address", "address.postcode", fields=DOTTED)
    record = {"address": {"postcode": "nested"}, "address.postcode": "whole"}
    assert fields_of(compiled, **record) == {"POSTCODE": "whole"}
    assert fields_of(compiled, address={"postcode": "nested"}) == {}


def test_a_record_may_hold_the_whole_dotted_name_where_the_schema_does_not() -> None:
    compiled = mapping("email", "address", is_open=True, fields=DOTTED)
    record = {"address": {"postcode": "nested"}, "address.postcode": "whole"}
    assert fields_of(compiled, **record) == {"POSTCODE": "whole"}


def test_a_dot_walks_as_deep_as_it_is_told() -> None:
    compiled = mapping("email", "a", fields={"AGE": "a.b.c"})
    assert fields_of(compiled, a={"b": {"c": 5}}) == {"AGE": 5}
    assert fields_of(compiled, a={"b": None}) == {"AGE": None}


def test_a_nested_property_that_its_schema_lacks_is_named() -> None:
    """A typing error must not leave a field untouched for ever without a word."""
    address = {"type": ["object", "null"], "properties": {"postcode": EMPTY}}
    schema = {"properties": {"email": EMPTY, "address": address}}
    with pytest.raises(SettingsError, match=r"address\.poscode"):
        ContactMapping(
            stream_settings(fields={"POSTCODE": "address.poscode"}), schema, FIELDS, None
        )


# Null, absent, empty.


@pytest.mark.parametrize(
    ("merge_option", "value", "sent"),
    [
        ("overwrite", None, {"FIRSTNAME": None}),
        ("overwrite", "", {"FIRSTNAME": ""}),
        ("overwrite", [], {"FIRSTNAME": ""}),
        ("overwriteIfNotEmpty", None, {}),
        ("overwriteIfNotEmpty", "", {}),
        ("overwriteIfNotEmpty", [], {}),
        ("overwriteIfNotEmpty", [None], {}),
        ("overwriteIfEmpty", None, {}),
        ("overwriteIfEmpty", "", {}),
        ("overwriteIfEmpty", [], {}),
    ],
    ids=repr,
)
def test_nothing_in_a_value_by_merge_option(
    merge_option: str, value: object, sent: dict[str, object]
) -> None:
    compiled = mapping("email", "firstname", merge_option=merge_option)
    assert fields_of(compiled, firstname=value) == sent
    assert fields_of(compiled) == {}
    assert fields_of(compiled, firstname=" ") == {"FIRSTNAME": " "}


@pytest.mark.parametrize("merge_option", ["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"])
@pytest.mark.parametrize("value", [0, False, "0"], ids=repr)
def test_zero_and_false_are_values(merge_option: str, value: object) -> None:
    compiled = mapping("email", "v", fields={"VIP": "v"}, merge_option=merge_option)
    assert fields_of(compiled, v=value) == {"VIP": False}


@pytest.mark.parametrize("field", ["AGE", "BIRTHDAY", "VIP"])
def test_an_empty_text_is_no_number_date_or_boolean(field: str) -> None:
    record = {"email": "ann@example.com", "v": ""}
    assert refusal(mapping("email", "v", fields={field: "v"}), record).code == "field.type"
    compiled = mapping("email", "v", fields={field: "v"}, merge_option="overwriteIfNotEmpty")
    assert fields_of(compiled, v="") == {}


# Identifiers.


@pytest.mark.parametrize("value", [None, "", "  \n"], ids=repr)
def test_a_row_without_its_match_identifier_is_rejected(value: object) -> None:
    compiled = mapping("email")
    assert refusal(compiled, {"email": value}).code == "identifier.missing"
    assert refusal(compiled, {}).code == "identifier.missing"


def test_the_match_identifier_is_found_by_its_letters() -> None:
    compiled = mapping("mobile_number", match_identifier="mobileNumber")
    made = compiled.contact({"mobile_number": "+44 7400 123123"})
    assert contents(made)["identifiers"] == {"mobileNumber": "447400123123"}
    assert made.key == "mobileNumber:447400123123"


def test_several_properties_for_the_match_identifier_are_named() -> None:
    with pytest.raises(SettingsError, match="e_mail, e-mail"):
        match_property("email", {"e_mail": EMPTY, "e-mail": EMPTY})
    assert match_property("email", {"e_mail": EMPTY, "Email": EMPTY}) == "Email"
    assert match_property("email", {"mail": EMPTY}) is None


def test_other_identifiers_that_are_empty_are_left_out() -> None:
    identifiers = {"mobileNumber": "phone", "email": "email", "customerNumber": "number"}
    compiled = mapping("email", "phone", "number", identifiers=identifiers)
    for nothing in ({"phone": None}, {"phone": "", "number": " "}, {}):
        made = compiled.contact({"email": "ann@example.com", **nothing})
        assert contents(made)["identifiers"] == {"email": "ann@example.com"}
        assert made.other_identities == ()


def test_every_identifier_is_known_by_its_normal_form_the_matching_one_first() -> None:
    identifiers = {"contactId": "id", "mobileNumber": "phone", "email": "email"}
    compiled = mapping("email", "phone", "id", identifiers=identifiers)
    made = compiled.contact({"id": "07", "phone": 447400123123, "email": " Ann@Example.com"})
    assert made.identities == (
        "email:ann@example.com",
        "contactId:7",
        "mobileNumber:447400123123",
    )
    assert contents(made)["identifiers"] == {
        "email": "ann@example.com",
        "contactId": 7,
        "mobileNumber": "447400123123",
    }


def test_another_identifier_that_is_invalid_rejects_the_row() -> None:
    identifiers = {"email": "email", "mobileNumber": "phone"}
    compiled = mapping("email", "phone", identifiers=identifiers)
    error = refusal(compiled, {"email": "ann@example.com", "phone": CANARY})
    assert error.code == "identifier.invalid"


# What is the same in every contact.


def test_a_contact_holds_nothing_that_the_settings_do_not_ask_for() -> None:
    made = mapping("email").contact({"email": "ann@example.com"})
    assert contents(made) == {
        "matchIdentifier": "email",
        "identifiers": {"email": "ann@example.com"},
    }
    assert "example" not in repr(made)


@pytest.mark.parametrize(
    ("changes", "channel"),
    [
        ({"email_type": "html"}, {"emailType": "html"}),
        ({"email_opt_in_type": "single"}, {"optInType": "single"}),
        ({"resubscribe": True}, {"status": "subscribed"}),
        (
            {"email_type": "plainText", "email_opt_in_type": "double", "resubscribe": True},
            {"emailType": "plainText", "optInType": "double", "status": "subscribed"},
        ),
    ],
    ids=["type", "opt-in type", "resubscribe", "all"],
)
def test_a_status_is_sent_for_resubscribe_alone(
    changes: dict[str, Any], channel: dict[str, str]
) -> None:
    body = contents(mapping("email", **changes).contact({"email": "ann@example.com"}))
    assert body["channelProperties"] == {"email": channel}


def test_lists_are_integers() -> None:
    made = mapping("email", address_book_id=101).contact({"email": "ann@example.com"})
    assert contents(made)["lists"] == [101]
    assert b'"lists":[101]' in made.body


def test_a_number_is_sent_with_every_digit() -> None:
    made = mapping("email", "age").contact(
        {"email": "ann@example.com", "age": Decimal("123456789012345678.123456789")}
    )
    assert b'"AGE":123456789012345678.123456789' in made.body


@pytest.mark.parametrize("where", ["firstname", "number", "email"])
def test_half_a_surrogate_pair_rejects_the_row(where: str) -> None:
    identifiers = {"email": "email", "customerNumber": "number"}
    compiled = mapping("email", "firstname", "number", identifiers=identifiers)
    record = {"email": "ann@example.com", "number": "C1", where: f"{CANARY}\ud83d"}
    assert CANARY not in str(refusal(compiled, record))


# Any record at all.

WILD_RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "email": st.just("ann@example.com") | WILD_VALUES,
        "phone": st.just("+447400123123") | WILD_VALUES,
        "id": WILD_VALUES,
        "number": WILD_VALUES,
        "address": st.dictionaries(st.just("postcode"), WILD_VALUES) | WILD_VALUES,
        **dict.fromkeys(("first_name", "age", "birthday", "vip"), WILD_VALUES),
    },
)


def with_canaries(record: dict[str, object]) -> dict[str, object]:
    return {name: marked(value, CANARY) for name, value in record.items()}


WILD_IDENTIFIERS = {
    "email": "email",
    "mobileNumber": "phone",
    "contactId": "id",
    "customerNumber": "number",
}
WILD_FIELDS = {
    "FIRSTNAME": "first_name",
    "AGE": "age",
    "BIRTHDAY": "birthday",
    "VIP": "vip",
    "POSTCODE": "address.postcode",
}


@pytest.mark.parametrize("merge_option", ["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"])
@settings(max_examples=100, deadline=None)
@given(record=WILD_RECORDS | WILD_RECORDS.map(with_canaries))
def test_any_record_becomes_a_contact_or_a_reject(
    merge_option: str, record: dict[str, object]
) -> None:
    compiled = mapping(
        *("email", "phone", "id", "number", "first_name", "age", "birthday", "vip", "address"),
        merge_option=merge_option,
        identifiers=WILD_IDENTIFIERS,
        fields=WILD_FIELDS,
    )
    made = attempt(compiled.contact, record)
    if isinstance(made, Contact):
        body = json.loads(made.body)
        assert set(body) <= {"matchIdentifier", "identifiers", "dataFields"}
        assert set(body.get("dataFields", ())) <= set(WILD_FIELDS)
        return
    assert made.code in {"identifier.missing", "identifier.invalid", "field.type", "field.too_long"}
    assert CANARY not in f"{made} {made!r}"

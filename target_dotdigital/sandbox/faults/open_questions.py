"""What Dotdigital's documents leave open: the questions, and the positions that each allows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

IMPORT_PAGE = "developer.dotdigital.com/reference/importcontacts-1"
STATUS_PAGE = "developer.dotdigital.com/reference/getimportstatus"
SPECIFICATION = "the specification of contacts v3"
INSIGHT_SPECIFICATION = "the specification of insight data v3"
LIMITS_PAGE = "developer.dotdigital.com/docs/call-rate-limits"


def _switch(*positions: str, question: str, source: str) -> Any:  # noqa: ANN401 - as `field` does
    metadata = {"positions": positions, "question": question, "source": source}
    return field(default=positions[0], metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """A position for each open question; the first one that a switch lists is the default."""

    unknown_field: Literal["apiSchemaViolation", "dropped"] = _switch(
        "apiSchemaViolation",
        "dropped",
        question="a data field that the account lacks fails the contact, or is left out",
        source=f"{STATUS_PAGE} has no failure code for it",
    )
    field_case: Literal["ignored", "exact"] = _switch(
        "ignored",
        "exact",
        question="data fields are known in any case, or in upper case only",
        source=f"{SPECIFICATION} writes firstName, GET /v2/data-fields answers FIRSTNAME",
    )
    wrong_type: Literal["apiSchemaViolation", "dropped"] = _switch(
        "apiSchemaViolation",
        "dropped",
        question="a value of the wrong type fails the contact, or is left out",
        source=f"{STATUS_PAGE} does not say",
    )
    long_text: Literal["apiSchemaViolation", "cut"] = _switch(
        "apiSchemaViolation",
        "cut",
        question="a text of over 1,000 characters fails the contact, or is cut",
        source="the product's help names the limit, and not what happens beyond it",
    )
    date_only: Literal["taken", "refused"] = _switch(
        "taken",
        "refused",
        question="a Date field takes YYYY-MM-DD, or a date with its time only",
        source="developer.dotdigital.com/docs/data-handling says ISO 8601",
    )
    null_if_not_empty: Literal["keeps", "clears"] = _switch(
        "keeps",
        "clears",
        question="with overwriteIfNotEmpty, null keeps the value that is there, or clears it",
        source=f"{IMPORT_PAGE} says that null clears, and not how the two combine",
    )
    bad_contact: Literal["request", "contact"] = _switch(
        "request",
        "contact",
        question="a contact of the wrong structure refuses the whole request, or fails alone",
        source=f"answers seen are 400; {STATUS_PAGE} has InvalidContact for single contacts",
    )
    unknown_list: Literal["notWritten", "written", "refused"] = _switch(
        "notWritten",
        "written",
        "refused",
        question="a contact with an unknown list fails, is written without that list and "
        "reported, or refuses the whole request",
        source=f"{STATUS_PAGE} has InvalidAddressBookIds, and not what it means for the contact",
    )
    duplicates: Literal["first", "last"] = _switch(
        "first",
        "last",
        question="which of several entries for one contact in an import is written",
        source=f"{SPECIFICATION} says that duplicates are reported",
    )
    fresh_import: Literal["known", "notFound"] = _switch(
        "known",
        "notFound",
        question="an import's ID is known at once, or its first poll is answered 404",
        source=f"{STATUS_PAGE} does not say when an ID becomes known",
    )
    failure_codes: Literal["camelCase", "PascalCase"] = _switch(
        "camelCase",
        "PascalCase",
        question="how failure codes are spelled",
        source=f"{SPECIFICATION} writes invalidEmail, {STATUS_PAGE} InvalidEmail",
    )
    report_identifiers: Literal["asSent", "lowerCase"] = _switch(
        "asSent",
        "lowerCase",
        question="failures name e-mail addresses as they were sent, or in lower case",
        source=f"{SPECIFICATION} does not say",
    )
    report_lists: Literal["full", "summaryOnly"] = _switch(
        "full",
        "summaryOnly",
        question="a report lists contacts and failures, or has its summary only",
        source=f"in {SPECIFICATION} every part of a report is optional",
    )
    large_body: Literal["413", "400"] = _switch(
        "413",
        "400",
        question="the answer to a body of over 50 MB",
        source=f"{IMPORT_PAGE} names the limit, and not the answer",
    )
    reset_header: Literal["epoch", "seconds"] = _switch(
        "epoch",
        "seconds",
        question="X-RateLimit-Reset is a moment in epoch seconds, or the seconds until then",
        source=f"{LIMITS_PAGE} says epoch, a comment in the vendor's PHP SDK says seconds",
    )
    limit_body: Literal["json", "none"] = _switch(
        "json",
        "none",
        question="the answer over a rate limit has a v2 or v3 error as its body, or no body",
        source=f"{LIMITS_PAGE} shows headers only",
    )
    status_tier: Literal["high", "unlimited"] = _switch(
        "high",
        "unlimited",
        question="the rate limit tier of an import's status",
        source=f"{LIMITS_PAGE} puts status checks in High, and polling in Unlimited",
    )
    names: Literal["camel", "pascal"] = _switch(
        "camel",
        "pascal",
        question="names in answers of v2 are in camel case, or in Pascal case",
        source="two files of the vendor's describe one answer as id, status and as Id, Status",
    )
    created_field: Literal["body", "empty"] = _switch(
        "body",
        "empty",
        question="the answer to a data field that is created has the field as its body, or no body",
        source="the vendor's newer file has a body, the older one none",
    )
    created_list: Literal["201", "200"] = _switch(
        "201",
        "200",
        question="the answer to an address book that is created",
        source="the vendor's older file and its clients have 201, the newer file 200",
    )
    suppressed: Literal["updated", "refused"] = _switch(
        "updated",
        "refused",
        question="a contact whose status is suppressed is updated, or fails as globallySuppressed",
        source="the reference on unified contacts says updated, an older help page refused",
    )
    create_conflict: Literal["identifierConflict", "idAlreadyExists"] = _switch(
        "identifierConflict",
        "idAlreadyExists",
        question="the code of 409 when a contact is created that exists",
        source=f"clients wait for the first, {SPECIFICATION} has the second as its example",
    )
    two_owners: Literal["identifierConflict", "duplicate"] = _switch(
        "identifierConflict",
        "duplicate",
        question="how a contact fails whose identifiers belong to two contacts",
        source=f"{STATUS_PAGE} has no code for it",
    )
    conflict_sum: Literal["duplicateIdentifiers", "invalidEntries"] = _switch(
        "duplicateIdentifiers",
        "invalidEntries",
        question="the sum that counts a contact whose identifiers belong to two contacts",
        source=f"{STATUS_PAGE} does not say",
    )
    unknown_contact_id: Literal["invalidContactId", "created"] = _switch(
        "invalidContactId",
        "created",
        question="an unknown contactId with an e-mail address fails, or creates a contact",
        source=f"{IMPORT_PAGE} says that the ID is for matching, and not what an unknown one does",
    )
    invalid_consent: Literal["reported", "refused"] = _switch(
        "reported",
        "refused",
        question="an invalid consent record is reported and left out, or refuses the request",
        source=f"{SPECIFICATION} has consentRecordsNotApplied, and a schema for the records",
    )
    wrong_word: Literal["contact", "request"] = _switch(
        "contact",
        "request",
        question="an unknown word for a status or a type fails the contact, or the request",
        source=f"{STATUS_PAGE} has InvalidContactStatus, {SPECIFICATION} an enumeration",
    )
    word_case: Literal["ignored", "exact"] = _switch(
        "ignored",
        "exact",
        question="words for statuses and types are known in any case, or in camel case only",
        source=f"{SPECIFICATION} has camel case in its schema, and Html in an example",
    )
    answered_words: Literal["PascalCase", "camelCase"] = _switch(
        "PascalCase",
        "camelCase",
        question="how emailType and optInType are spelled in answers",
        source=f"{SPECIFICATION} has both",
    )
    empty_identifiers: Literal["contact", "request"] = _switch(
        "contact",
        "request",
        question="identifiers without any fail the contact, or the request",
        source=f"{STATUS_PAGE} has NoValidIdentifiers, the vendor's PHP SDK was answered 400",
    )
    unknown_preference: Literal["reported", "taken"] = _switch(
        "reported",
        "taken",
        question="a preference that the account lacks is reported and left out, or taken",
        source=f"{STATUS_PAGE} does not say",
    )
    insight_status: Literal["Finished", "Complete"] = _switch(
        "Finished",
        "Complete",
        question="the word for an import of insight data that is over",
        source=f"the schema in {INSIGHT_SPECIFICATION} has Complete, its example and the vendor's "
        "Magento extension Finished",
    )
    insight_collection: Literal["created", "notFound"] = _switch(
        "created",
        "notFound",
        question="one record for a collection that is not there creates it, or is answered 404",
        source=f"{INSIGHT_SPECIFICATION} has 404, the vendor's clients create none before",
    )
    unknown_list_filter: Literal["refused", "empty"] = _switch(
        "refused",
        "empty",
        question="~listId of an unknown list is answered 400, or with an empty page",
        source=f"{SPECIFICATION} does not say",
    )
    unknown_member: Literal["notFound", "removed"] = _switch(
        "notFound",
        "removed",
        question="the removal of an unknown contact from a list is answered 404, or 204",
        source="the vendor's file has 204 only",
    )
    used_identifier: Literal["inUse", "deleted"] = _switch(
        "inUse",
        "deleted",
        question="the deletion of a custom identifier that contacts have is answered 400, or "
        "takes it from them",
        source="the vendor's file has inUse, with segments and programs as its examples",
    )
    deleted_contact: Literal["200", "204"] = _switch(
        "200",
        "204",
        question="the answer to the deletion of one contact",
        source=f"{SPECIFICATION} has 200, Segment's test 204",
    )
    offset_times: Literal["taken", "refused"] = _switch(
        "taken",
        "refused",
        question="~created and ~modified take a time with an offset, or Z only",
        source="the vendor's Magento extension sends +00:00, the documents show Z",
    )
    no_content_type: Literal["taken", "refused"] = _switch(
        "taken",
        "refused",
        question="a body without Content-Type is read as JSON, or answered 415",
        source="developer.dotdigital.com/docs/data-handling asks for it, and not what happens",
    )
    byte_order_mark: Literal["refused", "taken"] = _switch(
        "refused",
        "taken",
        question="a byte order mark before the JSON makes it no JSON, or is skipped",
        source="nothing public",
    )
    gzip: Literal["refused", "taken"] = _switch(
        "refused",
        "taken",
        question="a body with Content-Encoding: gzip is answered 415, or unpacked",
        source="nothing public",
    )
    import_slots: Literal["shared", "separate"] = _switch(
        "shared",
        "separate",
        question="imports of v2 and v3 share the 25 slots, or have 25 each",
        source="both documents state the number 25",
    )
    file_limit: Literal["10", "50"] = _switch(
        "10",
        "50",
        question="the largest file that an import of v2 takes, in MB",
        source="an older document of the vendor's says 10, a newer one 50",
    )
    reports_kept: Literal["always", "hour"] = _switch(
        "always",
        "hour",
        question="an import's report stays, or is answered 404 an hour after the import finished",
        source="nothing public for v3; the list of faults of v2 stays about a week",
    )

    def __post_init__(self) -> None:
        """Refuse a position that its switch does not have.

        Raises:
            ValueError: The switch's name and its positions are in the text.
        """
        for one in fields(self):
            if getattr(self, one.name) not in one.metadata["positions"]:
                listed = ", ".join(one.metadata["positions"])
                message = f"the switch {spelled(one.name)} has the positions {listed}"
                raise ValueError(message)


def spelled(name: str) -> str:
    """Return a switch's name as it is written on a command line."""
    return name.replace("_", "-")

"""Files that v2 imports: forms and JSON, encodings, quotes, rows of the wrong length."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from target_dotdigital.sandbox.imports import NoEmailColumnError, UploadError, read_csv
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.v2_imports import ROUTE, csv_of, finish, send_json, sums, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests


def form(
    client: SandboxClient, body: bytes, content_type: str = "multipart/form-data; boundary=x"
) -> requests.Response:
    return client.call("POST", ROUTE, data=body, headers={"Content-Type": content_type})


def part(disposition: str, content: str) -> str:
    return f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n"


FILE = 'name="file"; filename="a.csv"'


def check_only_contact(client: SandboxClient, reply: requests.Response) -> None:
    assert sums(client, finish(client, reply)) == {"newContacts": 1}


def test_a_form_as_the_vendors_sample_sends_it_is_taken(sandbox: SandboxClient) -> None:
    # It begins with a line end, quotes the boundary and gives the part no type.
    body = "\r\n" + part(FILE, "Email\r\nsample@example.com") + "--x--\r\n"
    reply = form(sandbox, body.encode(), 'multipart/form-data; boundary="x"')
    check_only_contact(sandbox, reply)


def test_a_form_may_have_fields_beside_the_file(sandbox: SandboxClient) -> None:
    body = part('name="note"', "Hello") + part(FILE, "Email\nfields@example.com") + "--x--\r\n"
    check_only_contact(sandbox, form(sandbox, body.encode()))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (part('name="file"', "Email\n") + "--x--\r\n", "file must be valid"),
        (part('name="file"; filename=""', "Email\n") + "--x--\r\n", "file must be valid"),
        ("--x--\r\n", "file must be valid"),
        (part(FILE, "Email") * 2 + "--x--\r\n", "ERROR_MULTI_FILE_UPLOAD_NOT_ALLOWED"),
        (part('filename="a.csv"', "Email") + "--x--\r\n", "ERROR_MALFORMED_REQUEST"),
        ("no form", "ERROR_MALFORMED_REQUEST"),
    ],
)
def test_a_form_without_its_one_file_is_refused(
    sandbox: SandboxClient, body: str, message: str
) -> None:
    reply = form(sandbox, body.encode())
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(message)


def test_a_form_without_a_boundary_is_refused(sandbox: SandboxClient) -> None:
    reply = form(sandbox, b"--x--\r\n", "multipart/form-data")
    assert (reply.status_code, reply.json()["message"].split()[-1]) == (
        400,
        "ERROR_MALFORMED_REQUEST",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "file must be valid"),
        ({"fileName": "a.csv"}, "file must be valid"),
        ({"data": "RW1haWw="}, "file must be valid"),
        ({"fileName": "a.csv", "data": "RW1ha"}, "file must be valid"),
        ({"fileName": "a.csv", "data": "RW*haWw="}, "file must be valid"),
        ({"fileName": "a.csv", "data": "RW1haWw\u00e9"}, "file must be valid"),
        ({"fileName": "a.csv", "data": 5}, "ERROR_PARAMETER_INVALID"),
        ([], "ERROR_PARAMETER_INVALID"),
        ({"fileName": "a.pdf", "data": "RW1haWw="}, "ERROR_IMPORT_UNSUPPORTED_FORMAT"),
        ({"fileName": "a.csv", "data": ""}, None),
    ],
)
def test_json_without_a_file_is_refused(
    sandbox: SandboxClient, body: object, message: str | None
) -> None:
    reply = sandbox.call("POST", ROUTE, json=body)
    if message is None:
        finish(sandbox, reply, "InvalidFileFormat")
    else:
        assert reply.status_code == 400
        assert reply.json()["message"].endswith(message)


def test_base64_may_be_broken_into_lines(sandbox: SandboxClient) -> None:
    data = base64.encodebytes(csv_of(("Email", "FirstName"), ("lines@example.com", "x" * 200)))
    body = {"fileName": "A.CSV", "data": data.decode()}
    check_only_contact(sandbox, sandbox.call("POST", ROUTE, json=body))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_in_its_encoding(sandbox: SandboxClient, encoding: str) -> None:
    text = f"Email,FirstName\r\n{encoding}@example.com,Zoë\r\n"
    check_only_contact(sandbox, upload(sandbox, text.encode(encoding)))
    assert sandbox.fields(f"{encoding}@example.com") == {"FIRSTNAME": "Zoë"}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_quotes_keep_commas_quotes_and_line_ends(sandbox: SandboxClient, line_end: str) -> None:
    email = f"quoted{len(line_end)}{ord(line_end[0])}@example.com"
    text = line_end.join(["Email,FirstName", "", f'{email},"a, ""b""', 'c"', "", ""])
    check_only_contact(sandbox, upload(sandbox, text.encode()))
    assert sandbox.fields(email) == {"FIRSTNAME": f'a, "b"{line_end}c'}


def test_rows_may_be_too_short_or_too_long(sandbox: SandboxClient) -> None:
    text = "FirstName,Email,LastName\nA,long@example.com,B,C\nA,short@example.com\nA\n"
    import_id = finish(sandbox, upload(sandbox, text.encode()))
    assert sums(sandbox, import_id) == {"newContacts": 2, "invalidEntries": 1}
    assert sandbox.fields("long@example.com") == {"FIRSTNAME": "A", "LASTNAME": "B"}
    assert sandbox.fields("short@example.com") == {"FIRSTNAME": "A"}


def test_a_file_without_rows_comes_to_nothing(sandbox: SandboxClient) -> None:
    assert sums(sandbox, finish(sandbox, upload(sandbox, b"Email,FirstName\n"))) == {}


def test_a_file_without_a_column_for_the_address_is_refused(sandbox: SandboxClient) -> None:
    for content in (b"E-mail,FirstName\na@example.com,Ada\n", b"Email;FirstName\n", b"Email\tX\n"):
        reply = upload(sandbox, content)
        assert reply.status_code == 400
        assert reply.json()["message"].endswith(" ERROR_NO_EMAIL_COLUMN")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"\n\n", "a.csv"),
        (b",,\n", "a.csv"),
        (b"Email,FirstName\na@example.com,Zo\xeb\n", "a.csv"),
        (b"\xff\xfeE", "a.csv"),
        (b"Email\na@example.com\0\n", "a.csv"),
        (b'Email,FirstName\na@example.com,"Ada\n', "a.csv"),
        (b'Email,FirstName\na@example.com,"Ada"x\n', "a.csv"),
        (b"Email,EMAIL\na@example.com,b@example.com\n", "a.csv"),
        (b"Email,FirstName,FIRSTNAME\na@example.com,A,B\n", "a.csv"),
        (b"Email,FirstName\na@example.com," + b"x" * 200_000, "a.csv"),
        (b"PK\x03\x04", "a.xlsx"),
        (b"Email\na@example.com\n", "a.xls"),
    ],
)
def test_a_file_that_cannot_be_read_ends_as_one_of_the_wrong_format(
    sandbox: SandboxClient, content: bytes, name: str
) -> None:
    import_id = finish(sandbox, upload(sandbox, content, name=name), "InvalidFileFormat")
    reply = sandbox.get(f"{ROUTE}/{import_id}/report")
    assert reply.status_code == 404
    assert reply.json()["message"].endswith(" ERROR_IMPORT_REPORT_NOT_FOUND")


def rows_of(megabytes: int) -> bytes:
    """Return a file of so many MB, to the byte: a row of a name that is too long for any field."""
    head = b"Email,Shoe\n"
    row = b"," + b"x" * 998 + b"\n"
    rows = (megabytes * 1_000_000 - len(head)) // len(row)
    content = head + rows * row
    return content + b"\n" * (megabytes * 1_000_000 - len(content))


@pytest.mark.parametrize(
    ("assignments", "megabytes", "status"),
    [((), 10, 413), (("large-body=400",), 10, 400), (("file-limit=50",), 49, 202)],
)
def test_a_file_may_be_so_large(
    database: Path, assignments: tuple[str, ...], megabytes: int, status: int
) -> None:
    options = Options(database, slots=0, switches=read_switches(assignments))
    content = rows_of(megabytes)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        assert upload(client, content).status_code == 202
        assert upload(client, content + b"\n").status_code == status
        if megabytes == 10:
            assert send_json(client, content).status_code == 202
            assert send_json(client, content + b"\n").status_code == status


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(rows=st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
@settings(deadline=None)
def test_whatever_a_writer_of_csv_writes_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    columns, contacts = read_csv(csv_of(("Note", "Email"), *rows))
    assert columns == ["Note"]
    assert [(one.cells["Note"], one.email) for one in contacts] == rows


@given(content=st.one_of(st.binary(max_size=64), st.text('Email,"\n\r;a', max_size=40)))
@example('Email,"\r"\n,')
@settings(deadline=None, max_examples=300)
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes | str) -> None:
    try:
        columns, contacts = read_csv(content if isinstance(content, bytes) else content.encode())
    except (UploadError, NoEmailColumnError):
        return
    assert all(list(one.cells) == columns for one in contacts)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    database = tmp_path_factory.mktemp("fuzzed") / "dotdigital.db"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        yield client


PIECES = st.sampled_from(
    [
        "--x",
        "--x--",
        "\r\n",
        "\r\n\r\n",
        "Content-Disposition: form-data",
        '; name="file"',
        '; filename="a.csv"',
        ": ",
        "Email",
        "\0",
        "é",
    ]
)


@given(body=st.lists(PIECES, max_size=16).map("".join), boundary=st.text('x-/ ";=é', max_size=6))
@settings(deadline=None, max_examples=200, derandomize=True, database=None)
def test_whatever_a_form_holds_it_is_taken_or_refused(
    fuzzed: SandboxClient, body: str, boundary: str
) -> None:
    content_type = f"multipart/form-data; boundary={quote(boundary, safe='-/ =;')}"
    for each in ("multipart/form-data; boundary=x", content_type):
        assert form(fuzzed, body.encode(), each).status_code in {202, 400, 429}

"""CSV files: their dialects, their limits, and errors by line and column."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.table import MOST_BYTES, MOST_ROWS, CsvReading, LineError, read_csv
from include.subjects.identifiers import Identifier

TODAY = date(2026, 3, 1)
HEADER = "type,email,user_id\n"


def read(text: str) -> CsvReading:
    return read_csv(text.encode(), TODAY)


def broken(text: str | bytes) -> LineError:
    reading = read_csv(text if isinstance(text, bytes) else text.encode(), TODAY)
    assert reading.rows == ()
    [error] = reading.errors
    return error


def draft(email: str, user_id: str = "") -> Draft:
    pairs = ((IdentifierKind.EMAIL, email), (IdentifierKind.USER_ID, user_id))
    return Draft(RequestType.ERASURE, tuple(Identifier(kind, text) for kind, text in pairs if text), TODAY)


@pytest.mark.parametrize(
    "data",
    [
        b"type,email,user_id\nerasure,a@example.com,u1\nerasure,b@example.com,\n",
        b"\xef\xbb\xbftype;email;user_id\r\nerasure;a@example.com;u1\r\nerasure;b@example.com;\r\n",
        b'User_ID, Email ,TYPE,,\n"u1"," a@example.com ",Erasure,,\n\n,b@example.com,"erasure"\n,,,,\n',
        b"type,email,user_id,received_on,answer\rerasure,a@example.com,u1,2026-03-01,\rerasure,b@example.com,,,yes",
    ],
)
def test_the_dialects_of_spreadsheets_say_the_same(data: bytes) -> None:
    assert read_csv(data, TODAY) == CsvReading((draft("a@example.com", "u1"), draft("b@example.com")), ())


def test_good_rows_and_errors_come_side_by_side_with_line_and_column() -> None:
    reading = read(
        "type,email,user_id,received_on,answer\n"
        "erasure,a@example.com,,,\n"
        "\n"
        "erasure,planted,,2027-01-01,\n"
        '"erasure","b@example\n.com",,,\n'
        "other,,,,\n"
        "erasure,,u1,,\n"
        "erasure,c@example.com\n"
        "erasure,d@example.com,,,,planted\n"
    )
    assert [known.identifiers[0].value for known in reading.rows] == ["a@example.com", "u1"]
    assert [(error.line, error.message.split(":")[0]) for error in reading.errors] == [
        (4, "Column 'email'"),
        (4, "Column 'received_on'"),
        (5, "Column 'email'"),
        (7, "Column 'type'"),
        (7, "Nobody is named"),
        (9, "The row has 2 cells and the header 5"),
        (10, "The row has 6 cells and the header 5"),
    ]
    assert "planted" not in repr(reading.errors)
    assert "example.com" not in repr(reading.errors[1:])
    assert "example.com" not in repr(reading.rows)


def test_who_is_there_twice_is_named_by_the_line_of_the_first() -> None:
    reading = read(f"{HEADER}erasure,a@example.com,u1\nerasure, A@Example.com,\naccount_deletion,b@example.com,u1\n")
    assert len(reading.rows) == 1
    assert [(error.line, error.message) for error in reading.errors] == [
        (3, "Column 'email': It is the same as in line 2: one row per person."),
        (4, "Column 'user_id': It is the same as in line 2: one row per person."),
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+49 30 1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "-a@example.com"])
def test_formulas_of_spreadsheets_are_refused(cell: str) -> None:
    reading = read(f'{HEADER}erasure,,"{cell}"\n')
    assert reading.rows == ()
    assert "formula" in reading.errors[0].message


def test_a_user_id_may_begin_with_a_hyphen() -> None:
    assert read(f"{HEADER}erasure,,-NxYz_1\n").rows == (draft("", "-NxYz_1"),)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "file is empty"),
        ("\n\n", 1, "file is empty"),
        (HEADER, 1, "names nobody"),
        ("planted@example.com\nb@example.com\n", 1, "A column is not known here. The columns are"),
        ("\n\ntype,e-mail\nerasure,a@example.com\n", 3, "Is 'email' meant?"),
        ("type\temail\nerasure\ta@example.com\n", 1, "commas or semicolons"),
        ("type,email,email\nerasure,a@example.com,\n", 1, "twice"),
        ("email\na@example.com\n", 1, "'type' and at least one of"),
        ("type\nerasure\n", 1, "'type' and at least one of"),
        (f'{HEADER}erasure,"planted"x,\n', 2, "quotes"),
        (f'{HEADER}erasure,a@example.com,\nerasure,"planted,\n', 3, "quotes"),
        (HEADER.encode() + b"erasure,\xe4@example.com,\n", 2, "CSV UTF-8"),
        ("type,email\n".encode("utf-16"), 1, "CSV UTF-8"),
        (b" " * (MOST_BYTES + 1), 1, "larger than 5 MB"),
        (HEADER + "erasure,,u\n" * (MOST_ROWS + 1), MOST_ROWS + 2, f"more than {MOST_ROWS} rows"),
        (f"{HEADER}erasure,,{'u' * 200_000}\n", 2, "far too long"),
    ],
    ids=range(16),
)
def test_a_file_that_cannot_be_read_has_one_error_and_no_rows(text: str | bytes, line: int, words: str) -> None:
    error = broken(text)
    assert error.line == line
    assert words in error.message
    assert "planted" not in error.message


def test_the_largest_file_is_read() -> None:
    rows = "".join(f"erasure,person{number}@example.com,u{number}\n" for number in range(MOST_ROWS))
    reading = read(HEADER + rows)
    assert len(reading.rows) == MOST_ROWS
    assert reading.errors == ()


@given(st.binary() | st.text().map(lambda text: (HEADER + text).encode("utf-8", "replace")))
def test_any_bytes_are_either_read_or_refused_in_words(data: bytes) -> None:
    reading = read_csv(data, TODAY)
    assert reading.rows or reading.errors
    assert all(error.line >= 1 and error.message for error in reading.errors)


@given(
    st.lists(st.from_regex(r"\A[a-z][a-z0-9_.]{0,20}\Z"), unique=True, min_size=1, max_size=20), st.sampled_from(",;")
)
def test_what_a_csv_writer_writes_is_read_back(names: list[str], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["type", "user_id"])
    writer.writerows([["erasure", name] for name in names])
    reading = read(out.getvalue())
    assert [known.identifiers[0].value for known in reading.rows] == names
    assert reading.errors == ()

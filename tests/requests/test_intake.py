"""The form and the JSON body: what is taken, what is refused, and in which words."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import Refused
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import FIELDS, Draft, IntakeInvalid, read_form, read_json
from include.subjects.identifiers import Identifier

TODAY = date(2026, 3, 1)
EMAIL = Identifier(IdentifierKind.EMAIL, "Ann@Example.com")
USER = Identifier(IdentifierKind.USER_ID, "u1")


def said(fields: dict[str, str]) -> str:
    with pytest.raises(IntakeInvalid) as caught:
        read_form(fields, TODAY)
    return " ".join(map(str, caught.value.problems))


def test_a_full_form_and_a_short_one() -> None:
    full = {
        "type": "account_deletion",
        "email": " Ann@Example.com ",
        "user_id": "u1",
        "received_on": "2026-02-27",
        "answer": "false",
    }
    assert read_form(full, TODAY) == Draft(RequestType.ACCOUNT_DELETION, (EMAIL, USER), date(2026, 2, 27), False)
    short = {"type": "erasure", "email": "", "user_id": "u1", "received_on": ""}
    assert read_form(short, TODAY) == Draft(RequestType.ERASURE, (USER,), TODAY, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": ""}, "'type': Say what the person asked for: 'erasure' or 'account_deletion'."),
        ({"type": "everything"}, "'erasure' or 'account_deletion'"),
        ({"email": "", "user_id": ""}, "Nobody is named"),
        ({"email": "ann"}, "'email': It must be one address with one @"),
        ({"email": "*@example.com"}, "'email': Before the @"),
        ({"email": "ann@example"}, "'email': After the @ must be a domain"),
        ({"user_id": "ann@example.com"}, "'user_id': It looks like an e-mail address"),
        ({"user_id": "a/b"}, "'user_id'"),
        ({"received_on": "1.2.2026"}, "year-month-day"),
        ({"received_on": "2026-02-30"}, "year-month-day"),
        ({"received_on": "20260228"}, "year-month-day"),
        ({"received_on": "2026-03-02"}, "future"),
        ({"received_on": "2021-02-28"}, "more than 5 years ago"),
        ({"answer": "maybe"}, "'true'"),
        ({"e-mail": "ann@example.com"}, "A field is not known here. Is 'email' meant? The fields are 'type', 'email'"),
        ({"zzz": "1", "qqq": "2"}, "2 fields are not known here. The fields are"),
    ],
)
def test_each_mistake_is_named_in_a_sentence(change: dict[str, str], words: str) -> None:
    assert words in said({"type": "erasure", "user_id": "u1", **change})


def test_all_mistakes_are_told_at_once_and_none_repeats_what_was_written() -> None:
    wrong = dict.fromkeys(FIELDS, "planted%value") | {"planted name": "planted%value"}
    words = said(wrong)
    assert "planted" not in words
    assert all(f"'{name}': " in words for name in FIELDS)
    with pytest.raises(Refused) as caught:
        read_form(wrong, TODAY)
    assert "planted" not in str(caught.value) + repr(caught.value)


def test_the_oldest_day_is_taken_even_from_a_leap_day() -> None:
    assert read_form({"type": "erasure", "user_id": "u", "received_on": "2021-03-01"}, TODAY)
    read_form({"type": "erasure", "user_id": "u", "received_on": "2023-03-01"}, date(2028, 2, 29))
    with pytest.raises(IntakeInvalid):
        read_form({"type": "erasure", "user_id": "u", "received_on": "2023-02-28"}, date(2028, 2, 29))


def test_a_json_body_is_read_like_a_form() -> None:
    body = {"type": "erasure", "email": "Ann@Example.com", "user_id": None, "answer": False}
    assert read_json(body, TODAY) == Draft(RequestType.ERASURE, (EMAIL,), TODAY, False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be a JSON object"),
        ("planted", "must be a JSON object"),
        ({"type": "erasure", "user_id": 7}, "'user_id': It must be text in quotes."),
        ({"type": "erasure", "email": ["planted"]}, "'email': It must be text in quotes."),
        ({"type": "erasure", "user_id": "u", "answer": "true"}, "'answer': It must be true or false."),
        ({"type": "erasure", "user_id": "u", "planted": 1}, "A field is not known here."),
        ({"type": "erasure"}, "Nobody is named"),
    ],
)
def test_a_wrong_json_body_is_refused(body: object, words: str) -> None:
    with pytest.raises(IntakeInvalid) as caught:
        read_json(body, TODAY)
    assert words in str(caught.value)
    assert "planted" not in str(caught.value)


@given(st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text()), st.text()))
def test_anything_is_either_read_or_refused_in_words(fields: dict[str, str]) -> None:
    with contextlib.suppress(IntakeInvalid):
        assert read_form(fields, TODAY).identifiers
        assert set(fields) <= set(FIELDS)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json | st.dictionaries(st.sampled_from(FIELDS), json))
def test_any_json_is_either_read_or_refused_in_words(body: object) -> None:
    with contextlib.suppress(IntakeInvalid):
        assert read_json(body, TODAY).identifiers

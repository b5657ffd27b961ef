"""Whom a text names, and whom it does not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject
from include.systems.mentions import Mentions, addresses_in

EMAIL, UID = IdentifierKind.EMAIL, IdentifierKind.USER_ID


def mentions(**known):
    subjects = [
        Subject(ref, RequestType.ERASURE, tuple(Identifier(EMAIL if "@" in value else UID, value) for value in values))
        for ref, values in known.items()
    ]
    return Mentions(subjects, (EMAIL, UID))


@pytest.mark.parametrize(
    "text",
    [
        "ann@x.example",
        "<Ann@X.example>",
        "'ann@x.example'",
        'to="ann@x.example", cc',
        "mail to ann@x.example.",
        "is it ann@x.example's?",
        "mailto:ann@x.example?subject=hi",
        "email=ann@x.example&x=1",
        "GET /?to=ann%40x.example",
        "GET /?user%3Dann%40x.example%26b",
        "one\nann@x.example\ttwo",
        "joann@x.example and ann@x.example",
    ],
)
def test_an_address_is_found_wherever_it_stands_alone(text):
    assert mentions(a=["ann@x.example"]).refs({"event": [{"msg": text}]}) == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        "joann@x.example",
        "jo.ann@x.example",
        "jo+ann@x.example",
        "jo-ann@x.example",
        "o'ann@x.example",
        "ann@x.example.org",
        "ann@x.example-shop",
        "ann@xx.example",
        "ann@x.exampleshop",
        "ann@x@x.example",
        "ann+news@x.example",
        "ańn@x.example",
        "\u0430nn@x.example",
        "ann@\u212a.example",
        "ann at x.example",
        "",
    ],
)
def test_a_part_of_another_address_and_a_look_alike_are_somebody_else(text):
    assert mentions(a=["ann@x.example"], k=["ann@k.example"]).refs(text) == set()


@pytest.mark.parametrize("text", ["uid=Ab1", "/users/Ab1/files", '{"uid": "Ab1"}', "Ab1", "auth:Ab1,"])
def test_an_id_is_found_wherever_it_stands_alone(text):
    assert mentions(a=["Ab1"]).refs(text) == {"a"}


@pytest.mark.parametrize("text", ["ab1", "Ab12", "xAb1", "Ab1-2", "Ab_1", "Äb1", "Ab1é"])
def test_a_part_of_another_id_is_somebody_else(text):
    assert mentions(a=["Ab1"]).refs(text) == set()


@pytest.mark.parametrize(
    "value", ["auth0|5f", 'a "b" c', "a*b", "users/1", "x\\wy", "tenant:7", "*a*", "'a b'@x.example"]
)
def test_an_unusual_identifier_is_found_exactly(value):
    both = mentions(a=[value], b=["other"])
    assert both.refs([f"before ({value}) after"]) == {"a"}
    assert (
        both.refs([f"x{value}", f"{value}x", value.replace("a", "b", 1).replace("1", "2").replace("x", "z")]) == set()
    )


@pytest.mark.parametrize("value", ["", " ", "*", "%", "/", "..", '"', "\\", "?*", "@"])
def test_what_has_no_letter_and_no_digit_names_nobody(value):
    nobody = mentions(a=[value])
    assert not nobody
    assert nobody.refs([value, "anything", f"a {value} b"]) == set()


def test_keys_and_numbers_of_a_record_count_too():
    assert mentions(a=["Ab1"], b=["77"], c=["1"]).refs({"Ab1": {"n": 77, "f": True}}) == {"a", "b"}


def test_persons_who_share_an_address_are_both_named():
    assert mentions(a=["ann@x.example"], b=["ANN@x.example"]).refs("ann@x.example") == {"a", "b"}


def test_its_repr_shows_nobody():
    assert "ann" not in repr(mentions(a=["ann@x.example", "an|n"]))


words = st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=12)


@given(words, words, st.lists(words, max_size=4))
def test_a_longer_word_never_names_a_shorter_one(value, more, others):
    text = " ".join([value + more, more + value, *(other for other in others if other != value)])
    assert mentions(a=[value]).refs(text) == ({"a"} if value in text.split() else set())


@pytest.mark.timeout(60)
def test_a_long_text_without_spaces_takes_linear_time():
    """A pattern that tries again from each character would take hours."""
    text = "a" * 200_000 + "@" + "b." * 100_000 + "%41" * 1000
    assert mentions(a=["ann@x.example"]).refs(text) == set()


def test_every_address_of_a_record_is_given_as_it_is_written():
    record = {"a": ["Write to <Ann@X.example>.", {"b": "bob@x.example, c@x"}], "ann@x.example": 7}
    assert sorted(addresses_in(record)) == ["Ann@X.example", "ann@x.example", "bob@x.example"]

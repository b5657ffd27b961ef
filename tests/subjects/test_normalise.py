"""Canonical forms and the forms of vendors."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier
from include.subjects.normalise import canonical, google_analytics, linkedin, meta, twitter
from tests.subjects.kit import EMAIL, USER_ID, email

PHONE, EXTERNAL_ID = IdentifierKind.PHONE, IdentifierKind.EXTERNAL_ID

ATOM = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='@.*%"(),:;<>[]\\'), min_size=1
)
LABEL = st.from_regex(r"\A[a-zA-Z0-9äÖßκ]([a-zA-Z0-9ü-]{0,10}[a-zA-Z0-9])?\Z")
ADDRESSES = st.builds(
    "{}@{}.{}".format, st.lists(ATOM, min_size=1, max_size=3).map(".".join), LABEL, st.sampled_from(["com", "Example"])
)
SPACE = st.text(" \t\r\n\u00a0\u2003", max_size=3)


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("Ann.Lee+x@Example.COM", "ann.lee+x@example.com"),
        ("  ann@example.com\n", "ann@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("BÜCHER@BÜCHER.example", "bücher@bücher.example"),
        ("a/b@x.example", "a/b@x.example"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_compared_without_case_and_surrounding_space(given: str, form: str) -> None:
    assert canonical(EMAIL, given) == form


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "*",
        "*@example.com",
        "%@example.com",
        "ann%@example.com",
        "ann@*.com",
        "ann@%",
        "a@b@example.com",
        "ann lee@example.com",
        "ann@exam ple.com",
        "ann@example.com\nbcc@example.com",
        "ann@example.com,bob@example.com",
        "ann@example.com;bob@example.com",
        '"ann"@example.com',
        "Ann <ann@example.com>",
        "ann@example",
        "ann@[127.0.0.1]",
        "ann@example.com.",
        "ann@.example.com",
        "ann@-example.com",
        "ann@exam_ple.com",
        ".ann@example.com",
        "ann.@example.com",
        "a..b@example.com",
        "ann\u200b@example.com",
        "ann\u202e@example.com",
        "ann\0@example.com",
        "ann\uff20example.com",
        f"{'a' * 65}@example.com",
        f"{'a' * 60}@{'b' * 63}.{'c' * 63}.{'d' * 63}.example",
        f"ann@{'b' * 64}.example",
        "../ann@example.com/..",
    ],
)
def test_what_is_no_address_of_one_person_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical(EMAIL, given)
    shown = str(caught.value).replace("name@example.com", "")
    assert len(given) < 4 or given not in shown


@pytest.mark.parametrize("given", ["u1", "AbC_-9", "auth0|5f7c", "a.b:c~d+e=", "-NxYz", "u" * 128])
def test_user_ids_keep_their_case(given: str) -> None:
    assert canonical(USER_ID, f" {given} ") == given


@pytest.mark.parametrize(
    "given",
    ["", "*", "%", "a*", "a%", "a/b", "..", ".", "-", "a b", "a\\b", "a'b", "é", "a@b.c", "u" * 129, "a\0", "a\n b"],
)
def test_what_could_name_more_than_one_user_is_refused(given: str) -> None:
    with pytest.raises(Refused):
        canonical(USER_ID, given)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.com", "\u0430nn@example.com"),  # Cyrillic a
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("straße@example.com", "strasse@example.com"),
        ("\u212a@example.com", "k@example.com"),  # Kelvin sign
        ("ann.lee@gmail.com", "annlee@gmail.com"),
        ("ann+x@example.com", "ann@example.com"),
        (unicodedata.normalize("NFC", "é@example.com"), unicodedata.normalize("NFD", "é@example.com")),
        ("fi@example.com", "\ufb01@example.com"),
    ],
)
def test_look_alikes_stay_apart(one: str, other: str) -> None:
    assert canonical(EMAIL, one) != canonical(EMAIL, other)


@given(ADDRESSES, SPACE, SPACE)
@example("ǅ@example.com", "", "")
@example("İ@example.com", " ", "")
def test_the_form_is_found_again_and_never_empty(address: str, before: str, after: str) -> None:
    assume(len(address) <= 254 and len(address.rpartition("@")[0].encode()) <= 64)
    form = canonical(EMAIL, address)
    assert form
    assert canonical(EMAIL, form) == form
    assert canonical(EMAIL, before + address + after) == form


@given(ADDRESSES, ADDRESSES)
def test_two_forms_are_the_same_only_where_nothing_but_case_differs(one: str, other: str) -> None:
    with contextlib.suppress(Refused):
        if canonical(EMAIL, one) == canonical(EMAIL, other):
            assert len(one) == len(other)
            assert all(a in {b, b.lower(), b.upper()} for a, b in zip(one, other, strict=True))


@given(ADDRESSES, st.data())
def test_changing_the_case_of_letters_never_changes_who_is_meant(address: str, data: st.DataObject) -> None:
    assume(len(address) <= 254 and len(address.rpartition("@")[0].encode()) <= 60)
    flips = data.draw(st.lists(st.booleans(), min_size=len(address), max_size=len(address)))
    other = "".join(c.swapcase() if flip and c.isascii() else c for c, flip in zip(address, flips, strict=True))
    assert canonical(EMAIL, other) == canonical(EMAIL, address)


@given(st.sampled_from(list(IdentifierKind)), st.text())
def test_anything_has_a_form_or_is_refused(kind: IdentifierKind, text: str) -> None:
    with contextlib.suppress(Refused):
        form = canonical(kind, text)
        assert form
        assert canonical(kind, form) == form


@pytest.mark.parametrize(
    ("known", "form"),
    [
        (email("Ann.Lee@Example.com"), "ann.lee@example.com"),
        (email(" Ann.Lee+x@GMail.com "), "annlee+x@gmail.com"),
        (email("a.n.n@googlemail.com"), "ann@googlemail.com"),
        (email("a.n.n@notgmail.com"), "a.n.n@notgmail.com"),
        (Identifier(PHONE, "+1 (234) 567-8900"), "+12345678900"),
        (Identifier(PHONE, " +49 30 123456"), "+4930123456"),
    ],
)
def test_google_analytics_gets_its_own_form(known: Identifier, form: str) -> None:
    assert google_analytics(known) == form


@pytest.mark.parametrize(
    "known",
    [
        Identifier(PHONE, "030 123456"),
        Identifier(PHONE, "+"),
        Identifier(PHONE, "+1234567890123456"),
        Identifier(USER_ID, "u1"),
        email("*"),
    ],
)
def test_google_analytics_gets_nothing_that_it_does_not_know(known: Identifier) -> None:
    with pytest.raises(Refused) as caught:
        google_analytics(known)
    assert known.value not in str(caught.value).replace("begin with +", "")


MARY = "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"
"""What Meta's guide to custom audiences gives for ``mary@example.com``."""
NUMBER = "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e"
"""What it gives for ``15559876543``."""


@pytest.mark.parametrize("form", [meta, linkedin, twitter])
def test_an_address_is_hashed_without_its_case_and_the_space_around_it(form: Callable[[Identifier], str]) -> None:
    assert form(email(" Mary@Example.com ")) == form(email("mary@example.com")) == MARY
    assert form(email("m.ary@gmail.com")) != form(email("mary@gmail.com"))
    assert form(email("mary+x@example.com")) != MARY


@pytest.mark.parametrize("number", ["+1 555 987 6543", "+1 (555) 987-6543", " +15559876543 ", "+1.555.987.6543"])
def test_meta_gets_a_number_as_digits_with_its_country(number: str) -> None:
    assert meta(Identifier(PHONE, number)) == NUMBER


def test_x_gets_the_id_of_an_account_as_a_decimal_number() -> None:
    # X gives no hash of an id; this is SHA-256 of "143567", its example of one.
    assert twitter(Identifier(EXTERNAL_ID, "twitter:143567")) == sha256(b"143567").hexdigest()


@pytest.mark.parametrize(
    ("form", "known"),
    [
        (meta, Identifier(PHONE, "0555 987 6543")),
        (meta, Identifier(PHONE, "+0555 987 6543")),
        (meta, Identifier(PHONE, "+1 555 98x 6543")),
        (meta, Identifier(PHONE, "+1 555")),
        (meta, Identifier(USER_ID, "u1")),
        (meta, email("mary@")),
        (linkedin, Identifier(PHONE, "+15559876543")),
        (linkedin, email("*")),
        (twitter, Identifier(EXTERNAL_ID, "facebook:143567")),
        (twitter, Identifier(EXTERNAL_ID, "twitter:jack")),
        (twitter, Identifier(EXTERNAL_ID, "twitter:0143567")),
        (twitter, Identifier(USER_ID, "143567")),
        (twitter, email("a@b@c.example")),
    ],
)
def test_nothing_is_hashed_that_a_vendor_does_not_know(form: Callable[[Identifier], str], known: Identifier) -> None:
    with pytest.raises(Refused) as caught:
        form(known)
    assert known.value not in str(caught.value)

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused
from include.ledger.pseudonym import PATTERN, Pseudonymiser

KEY = bytes(range(32))
identifiers = st.text(st.characters(exclude_categories=["Cs"]))


@given(identifiers, identifiers)
def test_pseudonyms_have_one_form_and_differ_by_identifier_and_key(first: str, second: str) -> None:
    own, other = Pseudonymiser(KEY), Pseudonymiser(KEY[::-1])
    assert PATTERN.fullmatch(own.subject(first))
    assert own.subject(first) == Pseudonymiser(KEY).subject(first)
    assert own.subject(first) != other.subject(first)
    assert (own.subject(first) == own.subject(second)) == (own.subject(first + "x") == own.subject(second + "x"))


def test_a_pseudonym_is_the_start_of_a_keyed_hash_in_its_own_domain() -> None:
    digest = hmac.new(KEY, b"privacy-subject-v1\0user-7", hashlib.sha256).digest()
    expected = "sub_" + base64.b32encode(digest).decode().lower()[:26]
    assert Pseudonymiser(KEY).subject("user-7") == expected


def test_the_same_text_in_other_code_points_has_the_same_pseudonym() -> None:
    assert Pseudonymiser(KEY).subject("Ren\u00e9") == Pseudonymiser(KEY).subject("Rene\u0301")
    assert Pseudonymiser(KEY).subject("Rene") != Pseudonymiser(KEY).subject("rene")


def test_the_key_comes_from_a_connection() -> None:
    connection = Connection("privacy_pseudonyms", password=base64.b64encode(KEY).decode())
    assert Pseudonymiser.from_connection(connection).subject("x") == Pseudonymiser(KEY).subject("x")


@pytest.mark.parametrize("password", [None, "", "not base64!", base64.b64encode(KEY[:31]).decode()])
def test_a_weak_key_is_refused_without_showing_it(password: str | None) -> None:
    with pytest.raises(Refused, match="random bytes") as caught:
        Pseudonymiser.from_connection(Connection("privacy_pseudonyms", password=password))
    assert not password or password not in str(caught.value)


def test_a_key_file_is_made_once_and_hidden(tmp_path: Path) -> None:
    path = tmp_path / "pseudonyms"
    made = Pseudonymiser.from_file(path)
    assert Pseudonymiser.from_file(path).subject("x") == made.subject("x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() not in repr(made)
    assert repr(made) == "Pseudonymiser(key hidden)"
    path.chmod(0o604)
    with pytest.raises(Refused, match="Others may read"):
        Pseudonymiser.from_file(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(Refused):
        Pseudonymiser.from_file(link)

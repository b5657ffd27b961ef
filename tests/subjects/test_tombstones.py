"""What is recognised of an erased person, and what nobody can read from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects import tombstones
from include.subjects.identifiers import Identifier
from include.subjects.keys import Keyring
from include.subjects.rotation import rotate
from include.subjects.screening import CHUNK, Screened, screen
from include.subjects.vault import Vault
from tests.conftest import MASTER_KEY
from tests.subjects.kit import email, intake, user

ANN = (email("Ann@Example.com"), user("u1"))
PUSH = Identifier(IdentifierKind.PUSH_ID, "9f0c6f62-1b2c-4d5e-8f90-0123456789ab")


def buried(vault: Vault, *identifiers: Identifier, kept: tuple[str, ...] = (), days: int = 395) -> str:
    [one] = vault.open([intake(*identifiers[:1])])
    vault.add(one.id, identifiers[1:], "firestore")
    tombstones.bury(vault, {one.id: kept}, days=days)
    vault.destroy([one.id])
    return one.id


def reopened(vault: Vault, *identifiers: Identifier) -> str:
    [person] = {match.person for match in tombstones.returned(vault, identifiers, "sendgrid")}
    [one] = vault.open(
        [intake(*identifiers)],
        within=lambda connection, made: tombstones.reopen(connection, {person: made[0].id}),
    )
    return one.id


def test_an_erased_person_is_recognised_by_each_identifier_however_it_is_typed(vault: Vault) -> None:
    buried(vault, *ANN, PUSH)
    asked = [email(" ANN@example.com "), user("u1"), PUSH, email("ann@example.com.example"), user("U1"), email("x")]
    assert tombstones.erased(vault, asked) == [True, True, True, False, False, False]


def test_the_same_value_of_another_kind_is_nobody(vault: Vault) -> None:
    buried(vault, user("u1"))
    assert tombstones.erased(vault, [Identifier(IdentifierKind.CONTACT_ID, "u1")]) == [False]


def test_what_several_people_share_is_no_tombstone(vault: Vault) -> None:
    shared = (Identifier(IdentifierKind.WORKSPACE, "w1"), Identifier(IdentifierKind.ANALYTICS_CLIENT_ID, "1.2"))
    buried(vault, *ANN, *shared)
    assert tombstones.erased(vault, shared) == [False, False]


def test_a_tombstone_ends_on_its_day(vault: Vault) -> None:
    buried(vault, *ANN, days=395)
    start = vault.clock()
    vault.clock = lambda: start + timedelta(days=394)
    assert tombstones.expire(vault) == 0
    assert tombstones.erased(vault, ANN) == [True, True]
    vault.clock = lambda: start + timedelta(days=395)
    assert tombstones.erased(vault, ANN) == [False, False]
    assert tombstones.expire(vault) == 2
    assert _rows(vault) == 0


def test_writing_again_changes_nothing_and_a_request_without_its_key_is_left_out(vault: Vault) -> None:
    [one] = vault.open([intake(*ANN)])
    assert tombstones.bury(vault, {one.id: ()}, days=1) == 2
    assert tombstones.bury(vault, {one.id: ()}, days=1) == 2
    vault.destroy([one.id])
    assert tombstones.bury(vault, {one.id: ()}, days=1) == 0
    assert _rows(vault) == 2


def test_a_person_is_no_surprise_where_something_stays_on_a_ground(vault: Vault) -> None:
    buried(vault, *ANN, kept=("firestore",))
    assert tombstones.returned(vault, ANN, "firestore") == []
    assert len(tombstones.returned(vault, ANN, "sendgrid")) == 2
    assert tombstones.erased(vault, ANN) == [True, True]


def test_all_that_one_person_was_known_by_is_one_person(vault: Vault) -> None:
    buried(vault, *ANN)
    buried(vault, email("bob@example.com"), user("u2"))
    found = tombstones.returned(vault, [*ANN, email("bob@example.com")], "sendgrid")
    assert [match.person for match in found].count(found[0].person) == 2
    assert len({match.person for match in found}) == 2


@pytest.mark.parametrize("known", [ANN, (PUSH,)])
def test_nobody_gets_a_second_request_while_one_is_open(vault: Vault, known: tuple[Identifier, ...]) -> None:
    buried(vault, *known)
    person = tombstones.returned(vault, known, "sendgrid")[0].person
    assert tombstones.without_request(vault, {person: known}) == [person]
    ref = reopened(vault, *known)
    assert tombstones.without_request(vault, {person: known}) == []
    vault.destroy([ref])
    assert tombstones.without_request(vault, {person: known}) == [person]


def test_a_request_that_the_person_has_opened_counts_too(vault: Vault) -> None:
    buried(vault, *ANN)
    person = tombstones.returned(vault, ANN, "sendgrid")[0].person
    vault.open([intake(email("ann@example.com"))])
    assert tombstones.without_request(vault, {person: ANN}) == []


def test_a_person_who_came_back_on_purpose_is_known_no_more(vault: Vault) -> None:
    buried(vault, *ANN)
    buried(vault, user("u2"))
    ref = reopened(vault, ANN[0])
    assert tombstones.lift(vault, [ref]) == 2
    assert tombstones.lift(vault, [ref]) == 0
    assert tombstones.erased(vault, [*ANN, user("u2")]) == [False, False, True]


def test_a_new_master_key_changes_no_tombstone(vault: Vault) -> None:
    buried(vault, *ANN)
    fresh = bytes(reversed(MASTER_KEY))
    list(rotate(vault.engine, Keyring(fresh, [MASTER_KEY])))
    assert tombstones.erased(Vault(vault.engine, Keyring(fresh), vault.clock), ANN) == [True, True]


def test_nothing_of_a_person_and_no_request_is_in_the_table(vault: Vault) -> None:
    ref = buried(vault, *ANN)
    with vault.engine.connect() as connection:
        stored = "\n".join(connection.scalars(text("SELECT t::text FROM vault_tombstone t")))
    assert stored
    assert not [value for value in (ref, "example", "u1", "email", "user_id") if value.encode().hex() in stored]
    assert not [value for value in (ref, "example", "email", "user_id") if value in stored]
    assert "hidden" in repr(tombstones.Marks(bytes(32)))
    assert "Ann" not in repr(tombstones.returned(vault, ANN, "sendgrid"))


ADDRESSES = st.from_regex(r"[a-z]{1,6}@[a-z]{1,4}\.(com|org)", fullmatch=True)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gone=st.sets(ADDRESSES, max_size=5), asked=st.lists(ADDRESSES, max_size=12))
def test_exactly_the_erased_are_erased(vault: Vault, gone: set[str], asked: list[str]) -> None:
    for address in sorted(gone):
        buried(vault, email(address))
    answers = tombstones.erased(vault, [email(address) for address in [*asked, *sorted(gone)]])
    assert answers[len(asked) :] == [True] * len(gone)
    before = {address for address, known in zip(asked, answers, strict=False) if known}
    tombstones.expire(vault)
    assert gone & set(asked) <= before
    with vault.engine.begin() as connection:
        connection.execute(text("DELETE FROM vault_tombstone"))
    assert before == gone & set(asked)


def test_an_import_loses_exactly_the_rows_of_erased_people(vault: Vault) -> None:
    buried(vault, *ANN)
    rows = [{"mail": f"p{number}@example.com", "uid": f"x{number}", "n": number} for number in range(CHUNK + 5)]
    rows[3]["mail"], rows[CHUNK + 2]["uid"], rows[7]["mail"] = "ann@EXAMPLE.com", "u1", ""
    counts = Screened()
    columns = {"mail": IdentifierKind.EMAIL, "uid": IdentifierKind.USER_ID}
    left = list(screen(vault, iter(rows), columns, counts))
    assert [row["n"] for row in left] == [number for number in range(CHUNK + 5) if number not in (3, CHUNK + 2)]
    assert (counts.rows, counts.erased) == (CHUNK + 5, 2)


@pytest.mark.parametrize("columns", [{}, {"space": IdentifierKind.WORKSPACE}])
def test_a_screening_that_can_find_nobody_is_refused(vault: Vault, columns: dict[str, IdentifierKind]) -> None:
    with pytest.raises(Refused, match="Name the columns"):
        list(screen(vault, [{"space": "w1"}], columns))


def _rows(vault: Vault) -> int:
    with vault.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM vault_tombstone")) or 0)

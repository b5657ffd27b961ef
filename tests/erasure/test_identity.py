"""From one identifier to all, and a human where it is not one person."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.erasure.evidence import Match
from include.erasure.identity import resolve
from include.errors import Refused
from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject

EMAIL, UID, SPACE = IdentifierKind.EMAIL, IdentifierKind.USER_ID, IdentifierKind.WORKSPACE


class Records:
    """An identity root with records of its own; it compares e-mail addresses as stores do, without case."""

    def __init__(self, *records: tuple[Identifier, ...]) -> None:
        self.records = records
        self.calls = 0

    def profiles(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        self.calls += 1
        wanted = {(i.kind, i.value.lower()) for i in identifiers}
        return [record for record in self.records if wanted & {(i.kind, i.value.lower()) for i in record}]


def user(uid: str, *emails: str, space: str = "w1") -> tuple[Identifier, ...]:
    return (Identifier(UID, uid), *(Identifier(EMAIL, email) for email in emails), Identifier(SPACE, space))


def subject(*identifiers: Identifier, ref: str = "req_aaaaaaaaaaaaaaaa") -> Subject:
    return Subject(ref, RequestType.ERASURE, identifiers)


def test_one_address_leads_to_all_that_both_roots_know() -> None:
    profile = Records(user("u1", "New@x.test", "old@x.test"))
    account = Records((Identifier(UID, "u1"), Identifier(EMAIL, "other@x.test")))
    (found,) = resolve([subject(Identifier(EMAIL, "old@x.test"))], [profile, account])
    assert found.match is Match.ONE
    assert {i.value for i in found.people[0]} == {"u1", "New@x.test", "old@x.test", "other@x.test", "w1"}


def test_a_shared_workspace_makes_nobody_the_same_person() -> None:
    root = Records(user("u1", "a@x.test"), user("u2", "b@x.test"))
    (found,) = resolve([subject(Identifier(EMAIL, "a@x.test"))], [root])
    assert [p[0].value for p in found.people] == ["u1"]


def test_an_address_that_went_to_somebody_else_matches_several_people() -> None:
    root = Records(user("u1", "a@x.test", "info@x.test"), user("u2", "info@x.test"))
    (found,) = resolve([subject(Identifier(EMAIL, "info@x.test"))], [root])
    assert found.match is Match.SEVERAL
    assert [p[0].value for p in found.people] == ["u1", "u2"]


def test_a_stranger_matches_nobody() -> None:
    (found,) = resolve([subject(Identifier(EMAIL, "c@x.test"))], [Records(user("u1", "a@x.test"))])
    assert (found.match, found.people) == (Match.NONE, ())


def test_a_thousand_people_take_a_few_calls() -> None:
    root = Records(*(user(f"u{n}", f"p{n}@x.test") for n in range(1000)))
    people = [subject(Identifier(EMAIL, f"p{n}@x.test"), ref=f"req_{n:016}") for n in range(1000)]
    found = resolve(people, [root])
    assert [identity.people[0][0].value for identity in found] == [f"u{n}" for n in range(1000)]
    assert root.calls <= 2


def test_a_chain_without_end_is_refused_without_naming_anybody() -> None:
    root = Records(*(user(f"u{n}", f"p{n}@x.test", f"p{n + 1}@x.test") for n in range(50)))
    with pytest.raises(Refused) as caught:
        resolve([subject(Identifier(EMAIL, "p0@x.test"))], [root])
    assert "@" not in str(caught.value)


_PEOPLE = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=2, unique=True), min_size=1, max_size=6)


@given(_PEOPLE, st.sampled_from("abcdef"))
def test_people_are_never_mixed_and_never_lost(people: list[list[str]], given_address: str) -> None:
    records = [user(f"u{n}", *(f"{letter}@x.test" for letter in letters)) for n, letters in enumerate(people)]
    (found,) = resolve([subject(Identifier(EMAIL, f"{given_address}@x.test"))], [Records(*records)])
    for profile in found.people:
        assert tuple(profile) in records
    direct = {f"u{n}" for n, letters in enumerate(people) if given_address in letters}
    assert direct <= {profile[0].value for profile in found.people}


def test_an_identifier_that_is_in_no_record_of_the_person_is_put_to_a_human() -> None:
    root = Records(user("u1", "a@x.test"))
    mistyped = Identifier(EMAIL, "b@x.test")
    (found,) = resolve([subject(Identifier(UID, "u1"), mistyped)], [root])
    assert (found.match, found.strangers) == (Match.SEVERAL, (mistyped,))
    mine, foreign = found.chosen(0)
    assert ({i.value for i in mine}, foreign) == ({"u1", "a@x.test", "w1"}, (mistyped,))


def test_an_address_that_somebody_else_uses_now_stays_out_of_the_chosen_persons_request() -> None:
    root = Records(user("u1", "a@x.test", "info@x.test"), user("u2", "INFO@x.test"))
    (found,) = resolve([subject(Identifier(EMAIL, "info@x.test"))], [root])
    mine, foreign = found.chosen(0)
    assert {i.value for i in mine} == {"u1", "a@x.test", "w1"}
    assert foreign == (Identifier(EMAIL, "info@x.test"),)
    everything, nothing = found.chosen(None)
    assert {"u1", "u2"} <= {i.value for i in everything}
    assert nothing == ()


def test_different_letter_case_is_no_stranger() -> None:
    (found,) = resolve(
        [subject(Identifier(UID, "u1"), Identifier(EMAIL, "A@X.test"))], [Records(user("u1", "a@x.test"))]
    )
    assert found.match is Match.ONE

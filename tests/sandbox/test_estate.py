"""The estate: deterministic, of the wanted size, with ages that a first night finds something in."""

import re
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from include.policy.period import Period
from include.sandbox.estate import Estate

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
STREAMS = ["firestore", "objects", "accounts", "contact_index", "activity_index", "log_index", "cache"]


@pytest.fixture(scope="module")
def estate():
    return Estate(NIGHT)


def due(moments, period):
    moments = list(moments)
    cutoff = Period.parse(period).cutoff(NIGHT)
    assert all(moment < NIGHT for moment in moments)
    return sum(moment < cutoff for moment in moments) / len(moments)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_same_arguments_give_the_same_records(stream):
    first, again = (Estate(NIGHT, people=30, workspaces=3, seed=1) for _ in range(2))
    assert list(getattr(first, stream)()) == list(getattr(again, stream)()) == list(getattr(first, stream)())


@pytest.mark.parametrize("stream", STREAMS)
def test_another_seed_gives_other_records(stream):
    first, other = (Estate(NIGHT, people=30, workspaces=3, seed=seed) for seed in (1, 2))
    assert list(getattr(first, stream)()) != list(getattr(other, stream)())


def test_another_night_only_moves_the_times():
    later = datetime(2027, 1, 31, tzinfo=UTC)
    first, moved = Estate(NIGHT, people=30), Estate(later, people=30)
    pairs = zip(first.events(), moved.events(), strict=True)
    assert all(later - b.fields["at"] == NIGHT - a.fields["at"] and a.id == b.id for a, b in pairs)


def test_the_volumes_are_those_of_a_small_company(estate):
    groups = Counter(document.id.split("/")[-2] for document in estate.firestore())
    assert (groups["users"], groups["workspaces"], groups["contacts"], groups["events"]) == (2000, 40, 6000, 15_000)
    assert 11_000 < groups["interactions"] < 13_000
    assert 3_800 < sum(1 for _ in estate.objects()) < 4_200
    assert sum(1 for _ in estate.accounts()) == 2000
    assert 4_500 < sum(1 for _ in estate.cache()) < 5_500
    assert [sum(1 for _ in index()) for index in (estate.contact_index, estate.activity_index, estate.log_index)] == [
        6000,
        15_000,
        15_000,
    ]


def test_usual_rules_find_a_third_to_a_half_due(estate):
    shares = {
        "contacts": due((contact.last_contact_at for contact in estate.contacts()), "36 months"),
        "interactions": due((document.fields["at"] for document in estate.interactions()), "24 months"),
        "events": due((document.fields["at"] for document in estate.events()), "14 months"),
        "logs": due((document.fields["at"] for document in estate.log_index()), "6 months"),
        "inactive": due((person.last_login_at or person.created_at for person in estate.people), "24 months"),
    }
    assert {name: 0.30 <= share <= 0.55 for name, share in shares.items()} == dict.fromkeys(shares, True), shares


def test_nothing_is_older_than_its_source_or_younger_than_the_night(estate):
    for person in estate.people:
        ends = [moment for moment in (person.created_at, person.last_login_at, person.closed_at) if moment]
        assert all(earlier <= later for earlier, later in pairwise([*ends, NIGHT]))
    for contact in estate.contacts():
        assert contact.created_at <= contact.last_contact_at


def test_the_corners_that_rules_speak_of_are_there(estate):
    people = estate.people
    assert 0.05 < sum(person.closed_at is not None for person in people) / len(people) < 0.11
    assert sum(person.last_login_at is None for person in people) > 20
    assert sum(not person.verified for person in people) > 50
    assert sum("contract_ended_at" in document.fields for document in estate.workspaces()) == 3
    objects = list(estate.objects())
    held = [item for item in objects if item.temporary_hold]
    assert len(held) == 2
    assert all(item.custom_time for item in held)
    assert sum(item.noncurrent_since is not None for item in objects) > 50
    ttls = [entry.ttl for entry in estate.cache()]
    assert sum(ttl is None for ttl in ttls) > 50
    assert sum(ttl is not None and ttl > 86_400 for ttl in ttls) > 50
    assert sum(ttl is not None and ttl <= 86_400 for ttl in ttls) > len(ttls) * 0.8


def test_stores_belong_together(estate):
    uids = {person.uid for person in estate.people}
    assert {account.local_id for account in estate.accounts()} == uids
    assert {document.fields["owner"] for document in estate.contact_index()} <= uids
    named = {item.name for item in estate.user_objects()}
    assert {document.fields["path"] for document in estate.files()} == named
    assert {name.split("/")[1] for name in named} <= uids
    closed = {person.uid: person.closed_at for person in estate.people}
    assert all(item.custom_time == closed[item.name.split("/")[1]] for item in estate.user_objects())


def test_a_live_version_is_the_last_of_its_name(estate):
    last = {}
    for item in estate.objects():
        assert item.name not in last or last[item.name].noncurrent_since == item.time_created
        last[item.name] = item
    assert all(item.noncurrent_since is None for item in last.values())


def test_addresses_are_reserved_ones_and_names_have_many_scripts(estate):
    people = [*estate.people, *estate.contacts()]
    assert all(re.fullmatch(r"[a-z.0-9]+@([a-z0-9]+\.)?(example|test|example\.com)", person.email) for person in people)
    assert len({ord(letter) // 256 for person in people for letter in person.name}) > 8


def test_document_ids_say_nothing_about_people(estate):
    """A renamed, moved or older person would have the same id: ids come from a stream of their own."""
    ids = [document.id.split("/")[-1] for document in estate.firestore()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[A-Za-z0-9]{20}|[A-Za-z0-9]{28}", identifier) for identifier in ids)


def test_an_impossible_estate_is_refused():
    with pytest.raises(ValueError, match="at least one workspace"):
        Estate(NIGHT, workspaces=0)

"""The estate: deterministic, of the wanted size, with ages that a first night finds something in."""

import re
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from include.policy.period import Period
from include.sandbox.estate import Estate

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
STREAMS = ["posts", "firestore", "objects", "accounts", "contact_index", "activity_index", "log_index", "cache"]


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
    assert (groups["users"], groups["workspaces"], groups["contacts"], groups["events"]) == (2000, 40, 6020, 15_000)
    assert 11_000 < groups["interactions"] < 13_000
    assert 3_800 < sum(1 for _ in estate.objects()) < 4_200
    assert sum(1 for _ in estate.accounts()) == 2000
    assert 4_500 < sum(1 for _ in estate.cache()) < 5_500
    assert groups["posts"] == 2000
    assert [sum(1 for _ in index()) for index in (estate.contact_index, estate.activity_index, estate.log_index)] == [
        6020,
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


def test_people_are_known_by_more_than_an_address(estate):
    known = [estate.identities[person.uid] for person in estate.people]
    shares = {
        "second workspace": share(len(one.workspaces) == 2 for one in known),
        "past address": share(one.past_emails for one in known),
        "google token": share(any(token.startswith("google:1//0") for token in one.oauth_tokens) for one in known),
        "microsoft token": share(
            any(token.startswith("microsoft:M.C5") for token in one.oauth_tokens) for one in known
        ),
        "phone": share(one.phone for one in known),
        "provider": share(one.provider for one in known),
    }
    wanted = {"second workspace": 0.1, "past address": 0.15, "google token": 0.3, "microsoft token": 0.1}
    wanted |= {"phone": 0.1, "provider": 0.15}
    assert shares == pytest.approx(wanted, abs=0.025)
    for one in known:
        assert all(re.fullmatch(r"\d{9,10}\.\d{10}", client) for client in one.analytics_client_ids)
        assert len(one.analytics_client_ids) in (1, 2)
        assert all(re.fullmatch("[0-9a-f]{32}", instance) for instance in one.analytics_app_instance_ids)
        assert all(re.fullmatch(r"[\w-]{22}", installation) for installation in one.installation_ids)
        assert all(str(UUID(push)) == push for push in one.push_ids)


def test_no_two_people_are_known_by_the_same(estate):
    emails = [person.email for person in estate.people]
    for name in ("past_emails", "analytics_client_ids", "push_ids", "installation_ids", "oauth_tokens"):
        values = [value for one in estate.identities.values() for value in getattr(one, name)]
        assert len(set(values)) == len(values)
        assert not set(values) & set(emails)


def test_profiles_and_accounts_hold_what_people_are_known_by(estate):
    accounts = {account.local_id: account for account in estate.accounts()}
    for document in estate.users():
        uid = document.id.removeprefix("users/")
        known, account = estate.identities[uid], accounts[uid]
        assert document.fields["workspaces"][0] == document.fields["workspace"]
        assert document.fields["past_emails"] == known.past_emails
        assert account.initial_email == "".join(known.past_emails)
        assert account.phone_number == known.phone
        assert known.provider in [*account.providers, {}]


def test_one_user_in_a_hundred_is_a_contact_of_another_workspace(estate):
    users = {person.email: person for person in estate.people}
    both = [contact for contact in estate.contacts() if contact.email in users]
    assert len(both) == 20
    assert all(contact.workspace != users[contact.email].workspace for contact in both)
    assert sum(1 for contact in Estate(NIGHT, people=60, workspaces=4).contacts()) == 181
    assert sum(1 for contact in Estate(NIGHT, people=60, workspaces=1).contacts()) == 180


def test_posts_are_of_users_and_not_older_than_their_accounts(estate):
    made = {person.uid: person.created_at for person in estate.people}
    names = {person.uid: person.name for person in estate.people}
    for post in estate.posts():
        assert made[post.fields["author"]] <= post.fields["at"] <= NIGHT
        assert (post.fields["author_name"], post.fields["public"]) == (names[post.fields["author"]], True)


def share(found):
    found = list(found)
    return sum(map(bool, found)) / len(found)


def test_an_impossible_estate_is_refused():
    with pytest.raises(ValueError, match="at least one workspace"):
        Estate(NIGHT, workspaces=0)

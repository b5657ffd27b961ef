"""What people left at the social networks: the same each time, that of the company's people, and that of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.services import SERVICES

NIGHT = datetime(2026, 3, 31, tzinfo=UTC)
NETWORKS = ("facebook", "instagram", "linkedin", "twitter")


@pytest.fixture(scope="module")
def estate() -> Estate:
    return Estate(NIGHT, people=400, workspaces=6)


def filled(key: str, estate: Estate) -> list[tuple[str, dict[str, Any]]]:
    twin = SERVICES[key].build(Faults(), Journal(), lambda: NIGHT)
    SERVICES[key].fill(estate, twin)
    return list(twin.records())


@pytest.mark.parametrize("key", NETWORKS)
def test_the_same_company_leaves_the_same(key: str, estate: Estate) -> None:
    again = Estate(NIGHT, people=400, workspaces=6)
    other = Estate(NIGHT, people=400, workspaces=6, seed=8)
    assert filled(key, estate) == filled(key, again) != filled(key, other)


@pytest.mark.parametrize("key", NETWORKS)
def test_nothing_is_left_after_a_reset(key: str, estate: Estate) -> None:
    twin = SERVICES[key].build(Faults(), Journal(), lambda: NIGHT)
    SERVICES[key].fill(estate, twin)
    twin.reset()
    assert list(twin.records()) == []


@pytest.mark.parametrize("key", ["facebook", "linkedin", "twitter"])
def test_audiences_have_users_by_their_hashes_and_strangers(key: str, estate: Estate) -> None:
    known = {person.email for person in estate.people}
    known |= {email for one in estate.identities.values() for email in one.past_emails}
    members = [record["hash"] for name, record in filled(key, estate) if name == "audience_members"]
    hashes = {sha256(email.lower().encode()).hexdigest() for email in known}
    assert len(hashes & set(members)) > 0.2 * len(estate.people)
    assert set(members) - hashes


AUTHORS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "facebook": ("comments", lambda record: str(record["author"])),
    "instagram": ("comments", lambda record: str(record["author"])),
    "linkedin": ("page_messages", lambda record: str(record["member"])),
    "twitter": ("messages", lambda record: str(record["sender"])),
}


@pytest.mark.parametrize("key", NETWORKS)
def test_those_wrote_whose_account_is_known_and_others_beside_them(key: str, estate: Estate) -> None:
    accounts = {known for one in estate.identities.values() for known in one.external_ids}
    collection, author = AUTHORS[key]
    authors = {author(record) for name, record in filled(key, estate) if name == collection}
    known = {one for one in authors if f"{key}:{one}" in accounts}
    assert len(known) > 10
    assert key == "linkedin" or authors - known

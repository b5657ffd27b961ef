"""What the services that take in forms get from an estate: users, strangers who look like them, the same each time."""

from datetime import UTC, datetime

import pytest

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.services import SERVICES

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
TRACES = {
    "typeform": {"answers"},
    "wix": {"contacts", "members", "submissions", "conversations"},
    "hotjar": {"responses", "recordings"},
}


def filled(key, people=600):
    estate = Estate(NIGHT, people=people, workspaces=6)
    twin = SERVICES[key].build(Faults(), Journal(), lambda: NIGHT)
    SERVICES[key].fill(estate, twin)
    return estate, list(twin.records())


@pytest.mark.parametrize("key", TRACES)
def test_the_same_estate_fills_a_service_alike(key):
    assert filled(key)[1] == filled(key)[1]


@pytest.mark.parametrize("key", TRACES)
def test_users_and_strangers_are_in_it(key):
    estate, records = filled(key)
    assert {kind for kind, _ in records} == TRACES[key]
    text = str(records).lower()
    known = {person.email.lower() for person in estate.people}
    assert 2 < sum(f"'{email}'" in text for email in known) < 300
    assert any(f"jo{email}" in text or f"{email}.example" in text for email in known)


@pytest.mark.parametrize("key", TRACES)
def test_an_estate_without_people_fills_nothing(key):
    assert filled(key, people=0)[1] == []


def test_nothing_is_younger_than_the_night():
    for key in TRACES:
        for _, record in filled(key)[1]:
            assert all(value <= NIGHT for value in record.values() if isinstance(value, datetime)), key

"""What people left in the five services: shares, retention, strangers, and that connectors find exactly it."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests

from include.connection import Connection
from include.policy.persons import IdentifierKind, RequestType
from include.sandbox.app import Sandbox, connections
from include.sandbox.estate import Estate
from include.sandbox.traces import strangers
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import Means
from include.systems.registry import connect_erasing

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
SERVICES = ("sendgrid", "mailgun", "google_analytics", "loggly", "tawk_to")
EMAIL, UID = IdentifierKind.EMAIL, IdentifierKind.USER_ID


@pytest.fixture(scope="module")
def estate():
    return Estate(NIGHT, people=600, workspaces=10)


@pytest.fixture(scope="module")
def running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running, estate):
    running.company.seed(estate)
    return running


def records(sandbox, service, collection=None):
    company = sandbox.company
    names = [collection] if collection else company.counts(service)
    return [(name, record) for name in names for record in company.records(service, name)]


def mentioned(record, people):
    """Which of the people a record is about, by an exact address or id, whatever its case."""
    text = json.dumps(record, default=str).casefold()
    for sign in '"\\,:()[]{} \n':
        text = text.replace(sign, "\x00")
    words = {word.strip(".") for word in text.split("\x00")}
    return [person for person, known in people.items() if words & known]


def known_of(estate):
    known = {}
    for person in estate.people:
        emails = {person.email, *estate.identities[person.uid].past_emails}
        known[person.uid] = {value.casefold() for value in (*emails, person.uid)}
    return known


def share(records_, estate):
    """Of the users, how many a record is about."""
    words = {word: uid for uid, known in known_of(estate).items() for word in known}
    people = set()
    for record in records_:
        text = json.dumps(record[1], default=str).casefold().replace('"', " ").replace(",", " ")
        people |= {words[word] for word in text.split() if word in words}
    return len(people) / len(estate.people)


def test_the_same_estate_leaves_the_same_traces(sandbox, estate):
    first = [records(sandbox, service) for service in SERVICES]
    sandbox.company.seed(Estate(NIGHT, people=600, workspaces=10))
    assert [records(sandbox, service) for service in SERVICES] == first


def test_shares_are_those_of_a_company_like_this(sandbox, estate):
    wanted = {
        ("sendgrid", "contacts"): (0.70, 0.06),
        ("sendgrid", "activity"): (0.60, 0.06),
        ("sendgrid", "global_unsubscribes"): (0.05, 0.025),
        ("sendgrid", "group_unsubscribes"): (0.03, 0.02),
        ("sendgrid", "blocks"): (0.015, 0.012),
        ("mailgun", "members"): (0.20, 0.05),
        ("mailgun", "events"): (0.25, 0.05),
        ("mailgun", "unsubscribes"): (0.02, 0.015),
        ("loggly", "events"): (0.60, 0.06),
    }
    found = {place: share(records(sandbox, *place), estate) for place in wanted}
    assert {place: abs(found[place] - middle) <= width for place, (middle, width) in wanted.items()} == dict.fromkeys(
        wanted, True
    ), found
    assert sandbox.company.counts("google_analytics") == {}


def test_strangers_look_like_users_and_are_none(sandbox, estate):
    addresses = {address for _, address in strangers(estate)}
    known = set().union(*known_of(estate).values())
    assert len(addresses) > 5
    assert not addresses & known
    assert all(any(person.email in other or "+shop@" in other for person in estate.people) for other in addresses)
    for service in ("sendgrid", "mailgun", "loggly"):
        held = json.dumps([record for _, record in records(sandbox, service)], default=str).casefold()
        assert any(f'"{address}"' in held or f" {address}" in held for address in addresses), service


def test_retention_ends_what_services_keep(sandbox):
    company = sandbox.company
    before = {service: company.counts(service) for service in SERVICES}
    company.clock.set(NIGHT + timedelta(days=30, hours=1))
    assert company.counts("loggly") == {}
    assert "events" not in company.counts("mailgun")
    assert 0 < company.counts("sendgrid")["activity"] < before["sendgrid"]["activity"]
    company.clock.set(NIGHT + timedelta(days=37, hours=1))
    assert "activity" not in company.counts("sendgrid")
    assert company.counts("sendgrid")["contacts"] == before["sendgrid"]["contacts"]
    assert company.counts("tawk_to") == before["tawk_to"]


class Budgets:
    """Without limits."""

    def take(self, name, amount, limit, window):
        return amount

    def left(self, name, limit, window):
        return limit

    @contextmanager
    def pace(self, name, per_second):
        yield


def subject_of(estate, number):
    person = estate.people[number]
    emails = [person.email, *estate.identities[person.uid].past_emails]
    return Subject(
        f"req_{number:016}",
        RequestType.ERASURE,
        (*(Identifier(EMAIL, email) for email in emails), Identifier(UID, person.uid)),
    )


@pytest.mark.parametrize("service", ["sendgrid", "mailgun", "loggly", "tawk_to"])
def test_a_connector_finds_exactly_what_a_scan_finds(sandbox, estate, service):
    system = connect_erasing(
        Connection.from_env(service, connections(sandbox.endpoints)), Means(sandbox.company.clock, Budgets())
    )
    people = known_of(estate)
    held = set()
    for collection, record in records(sandbox, service):
        if (service, collection) != ("sendgrid", "activity"):
            held.update(mentioned(record, people))
    subjects = [subject_of(estate, number) for number in range(len(estate.people))]
    found = []
    for start in range(0, len(subjects), system.card.batch_size):
        found += system.find(subjects[start : start + system.card.batch_size])
    system.close()
    assert {estate.people[int(one.ref[4:])].uid for one in found if one.total} == held


def test_what_a_connector_erases_is_gone_and_nothing_else(sandbox, estate):
    person = next(
        number
        for number, one in enumerate(estate.people)
        if mentions_all(sandbox, estate, one, ("sendgrid", "contacts"), ("mailgun", "members"))
    )
    people = known_of(estate)
    uid = estate.people[person].uid
    for service in ("sendgrid", "mailgun"):
        kept = [r for r in records(sandbox, service) if uid not in mentioned(r[1], people)]
        system = connect_erasing(
            Connection.from_env(service, connections(sandbox.endpoints)), Means(sandbox.company.clock, Budgets())
        )
        subject = subject_of(estate, person)
        system.erase(system.find([subject]))
        sandbox.company.clock.set(NIGHT + timedelta(hours=2))
        assert [seen.remaining for seen in system.verify([subject], [])] == [0]
        system.close()
        after = records(sandbox, service)
        assert [record for record in after if uid not in mentioned(record[1], people)] == kept
        assert {name for name, record in after if uid in mentioned(record, people)} <= {"events"}


def mentions_all(sandbox, estate, person, *places):
    people = {person.uid: known_of(estate)[person.uid]}
    return all(any(mentioned(record, people) for _, record in records(sandbox, *place)) for place in places)


def test_settings_can_be_changed_by_the_admin_api(sandbox):
    admin = sandbox.endpoints["admin"]
    before = requests.get(f"{admin}/settings?service=sendgrid", timeout=5).json()
    assert before["erase_seconds"] == 3600
    changed = requests.post(f"{admin}/settings", json={"service": "sendgrid", "erase_seconds": 5}, timeout=5)
    assert changed.json() == {**before, "erase_seconds": 5}
    assert sandbox.company.sendgrid.settings.erase_seconds == 5
    requests.post(f"{admin}/settings", json={"service": "sendgrid", "erase_seconds": 3600}, timeout=5)


def test_a_person_deletes_by_hand_over_the_admin_api(sandbox):
    admin = sandbox.endpoints["admin"]
    chat = sandbox.company.records("tawk_to", "chats")[0]["id"]
    body = {"service": "tawk_to", "collection": "chats", "id": chat}
    assert [requests.post(f"{admin}/by-hand", json=body, timeout=5).status_code for _ in range(2)] == [200, 400]
    assert chat not in {record["id"] for record in sandbox.company.records("tawk_to", "chats")}

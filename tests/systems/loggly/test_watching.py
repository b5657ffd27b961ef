"""What is asked of Loggly every night: does the token work, is an address in a log, how long do events last."""

from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Refused
from include.sandbox.loggly import Event, LogglySandbox
from include.systems import loggly
from tests.sandbox.services.kit import NOW, running
from tests.systems.conformance.means import Clock, means_at
from tests.systems.persons import POLICY
from tests.systems.twins import claim

A13 = next(promise for promise in POLICY.promises if promise.id == "A13")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def server():
    with running("loggly", LogglySandbox) as server:
        yield server


@pytest.fixture
def logs(server, quick):
    server.fresh()
    system = loggly.connect_erasing(Connection("loggly", host=server.url, password="t"), means_at(Clock()))
    yield system
    system.close()


def event(number, text, hours=1):
    return Event(f"e{number}", NOW - hours * HOUR, {"message": text})


def test_addresses_in_the_events_of_the_last_day_are_counted_and_never_shown(server, logs):
    texts = ["session of u1", "sent to ann@x.example", "GET /join?to=bob%40x.example", "react@18.2.0 logo@2x.png"]
    server.twin.seed([*(event(number, text) for number, text in enumerate(texts)), event(9, "ann@x.example", 30)])
    checked = logs.check(claim("only_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (4, 2, True)
    assert "ann" not in checked.note


def test_a_sample_is_of_the_newest(server, logs, monkeypatch):
    monkeypatch.setattr(loggly, "SAMPLE", 60)
    server.twin.seed(event(number, "ann@x.example" if number == 0 else "ok", number / 10) for number in range(150))
    checked = logs.check(claim("no_identifiers"))
    assert (checked.looked, checked.violations) == (60, 1)


def test_another_claim_cannot_be_asked_here(server, logs):
    assert logs.check(claim("derived_from", "firestore")).asked is False
    assert server.journal.as_json() == []


@pytest.mark.parametrize(("days", "agrees"), [(7, True), (30, True), (31, False)])
def test_the_subscription_stands_beside_the_promise(server, logs, days, agrees):
    server.twin.settings.retention_days = days
    (expiry,) = logs.retention([A13])
    assert (expiry.configured, expiry.wanted, expiry.agrees) == (f"{days} days", "30 days", agrees)
    assert logs.retention([]) == []


def test_a_token_is_tried_on_the_account(server, logs):
    assert logs.access().missing == ()
    assert [call["operation"] for call in server.journal.as_json()] == ["GET /apiv2/customer"]
    server.faults.clear()
    server.twin.settings.retention_days = 0
    with pytest.raises(Refused):
        logs.access()

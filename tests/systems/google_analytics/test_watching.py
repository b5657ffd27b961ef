"""What is asked of Analytics every night without touching a user: access, dimensions, retention."""

import pytest

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.sandbox.google_analytics import GoogleAnalyticsSandbox
from include.systems.google_analytics import connect_erasing
from tests.discovery import discovery, watched
from tests.sandbox.services.kit import running
from tests.systems.conformance.means import Clock, means_at
from tests.systems.persons import POLICY
from tests.systems.twins import claim

W1 = next(promise for promise in POLICY.promises if promise.id == "W1")


@pytest.fixture(scope="module")
def server():
    with running("google_analytics", GoogleAnalyticsSandbox) as server:
        yield server


def analytics(server, *properties):
    extra = {"properties": list(properties or ("1001",)), "token": "sandbox", "calls_per_second": 1000}
    return connect_erasing(Connection("google_analytics", host=server.url, extra=extra), means_at(Clock()))


@pytest.fixture
def watch(server, quick):
    server.fresh()
    system = analytics(server)
    yield system
    system.close()


def test_a_key_is_tried_by_reading_settings(server, watch):
    assert watch.access().missing == ()
    assert {call["operation"].split()[0] for call in server.journal.as_json()} == {"GET"}
    other = analytics(server, "7")
    with pytest.raises(Refused):
        other.access()
    other.close()


def test_dimensions_of_internal_ids_hold_the_claim(watch):
    checked = watch.check(claim("only_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (3, 0, True)


@pytest.mark.parametrize(
    ("name", "values", "wrong"),
    [
        ("customUser:email", (), 1),
        ("customUser:user_email_hash", ("5f",), 1),
        ("customEvent:firstName", ("x",), 1),
        ("customEvent:label", ("plan a", "ann@x.example"), 1),
        ("customEvent:label", ("to=ann%40x.example",), 1),
        ("customEvent:label", ("@ann", "ann@home", "v@1.2.3"), 0),
        ("pagePathPlusQueryString", ("/join?email=ann@x.example",), 1),
    ],
)
def test_a_name_or_a_value_that_is_personal_contradicts_it(server, watch, name, values, wrong):
    server.twin.define(name, *values)
    checked = watch.check(claim("only_identifiers"))
    assert checked.violations == wrong
    assert "ann" not in checked.note


def test_which_events_had_an_identifier_cannot_be_asked(server, watch):
    assert watch.check(claim("no_identifiers")).asked is False
    assert server.journal.as_json() == []


def test_settings_stand_beside_the_period(server, watch):
    event, user, anew = watch.retention([W1])
    assert (event.configured, event.wanted, event.agrees) == ("14 months", "14 months", True)
    assert (user.agrees, anew.configured, anew.agrees) == (True, "on", False)
    server.twin.settings.event_retention = "FIFTY_MONTHS"
    server.twin.settings.user_retention = "TWO_MONTHS"
    server.twin.settings.reset_on_activity = False
    assert [each.agrees for each in watch.retention([W1])] == [False, True, True]
    server.twin.settings.event_retention = "FOREVER"
    assert watch.retention([W1])[0].agrees is False
    assert watch.retention([]) == []


def test_every_property_is_looked_at(server, quick):
    server.fresh()
    system = analytics(server, "1001", "1002")
    assert system.check(claim("only_identifiers")).looked == 6
    assert len(system.retention([W1])) == 6
    system.close()


def test_a_failure_says_nothing(server, watch):
    server.fail(FaultKind.STATUS, "runReport", status=503, times=99)
    with pytest.raises(Unavailable):
        watch.check(claim("only_identifiers"))


def test_calls_and_answers_are_those_of_the_discovery_documents(quick):
    seen, problems = [], []
    admin, data = discovery("analyticsadmin.v1alpha"), discovery("analyticsdata.v1beta")

    class Watched(GoogleAnalyticsSandbox):
        def handle(self, call):
            document = admin if call.path.startswith("/v1alpha/") else data
            return watched(super().handle, document, seen, problems)(call)

    with running("google_analytics", Watched) as server:
        server.twin.define("customEvent:label", "ann@x.example")
        system = analytics(server)
        system.access()
        system.check(claim("only_identifiers"))
        system.close()
    assert problems == []
    assert set(seen) == {
        "analyticsadmin.properties.getDataRetentionSettings",
        "analyticsdata.properties.getMetadata",
        "analyticsdata.properties.runReport",
    }

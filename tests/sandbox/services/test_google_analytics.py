"""The sandbox's Google Analytics, driven by plain requests: it takes requests to delete and can show no user."""

from datetime import timedelta

import pytest
import requests

from include.sandbox.faults import FaultKind
from include.sandbox.google_analytics import GoogleAnalyticsSandbox
from tests.discovery import discovery, watched
from tests.sandbox.services.kit import NOW, running

TOKEN = {"Authorization": "Bearer x"}


@pytest.fixture(scope="module")
def server():
    with running("google_analytics", GoogleAnalyticsSandbox) as server:
        yield server


@pytest.fixture
def analytics(server):
    return server.fresh()


def submit(analytics, body, number="1001", **more):
    path = f"/v1alpha/properties/{number}:submitUserDeletion"
    return analytics.call("POST", path, **{"headers": TOKEN, "json": body, **more})


def word(answer):
    return answer[0], answer[1]["error"]["status"]


@pytest.mark.parametrize("kind", ["userId", "clientId", "appInstanceId", "userProvidedData"])
def test_a_deletion_is_acknowledged_with_its_time(analytics, kind):
    assert submit(analytics, {kind: "u1"}) == (200, {"deletionRequestTime": "2026-11-22T12:00:00.000000Z"})
    assert analytics.records("deletions") == [
        {"property": "1001", "kind": kind, "value": "u1", "requested_at": NOW},
    ]


def test_a_repeated_deletion_moves_its_time(analytics):
    submit(analytics, {"userId": "u1"})
    analytics.now += timedelta(days=1)
    assert submit(analytics, {"userId": "u1"})[1]["deletionRequestTime"].startswith("2026-11-23")
    assert [record["requested_at"].day for record in analytics.records("deletions")] == [23]


@pytest.mark.parametrize("body", [{}, {"userId": ""}, {"userId": 1}, {"userId": "u", "clientId": "c"}, {"email": "e"}])
def test_exactly_one_identifier_is_taken(analytics, body):
    assert word(submit(analytics, body)) == (400, "INVALID_ARGUMENT")
    assert analytics.counts() == {}


def test_a_stranger_and_a_strange_property_are_refused(analytics):
    assert word(submit(analytics, {"userId": "u"}, headers={})) == (401, "UNAUTHENTICATED")
    assert word(submit(analytics, {"userId": "u"}, number="7")) == (403, "PERMISSION_DENIED")
    assert word(analytics.call("GET", "/v1alpha/properties/1001:submitUserDeletion", headers=TOKEN))[0] == 404
    assert analytics.counts() == {}


def test_a_property_takes_so_many_deletions_a_day(analytics):
    analytics.twin.settings.deletions_per_day = 2
    answers = [submit(analytics, {"userId": f"u{number}"})[0] for number in (1, 1, 2)]
    assert answers == [200, 200, 429]
    assert word(submit(analytics, {"userId": "u2"})) == (429, "RESOURCE_EXHAUSTED")
    assert submit(analytics, {"userId": "u2"}, number="1002")[0] == 200
    analytics.now += timedelta(days=1)
    assert submit(analytics, {"userId": "u2"})[0] == 200


def test_a_property_may_take_only_so_many_a_second(analytics):
    analytics.twin.settings.calls_per_second = 1.5
    assert 429 in {submit(analytics, {"userId": f"u{number}"})[0] for number in range(8)}
    assert analytics.counts()["deletions"] < 8


def test_settings_and_exports_can_be_read(analytics):
    status, body = analytics.call("GET", "/v1alpha/properties/1001/dataRetentionSettings", headers=TOKEN)
    assert (status, body["eventDataRetention"]) == (200, "FOURTEEN_MONTHS")
    assert analytics.call("GET", "/v1alpha/properties/1001/bigQueryLinks", headers=TOKEN) == (200, {})
    analytics.twin.settings.big_query = True
    (link,) = analytics.call("GET", "/v1alpha/properties/1001/bigQueryLinks", headers=TOKEN)[1]["bigqueryLinks"]
    assert link["dailyExportEnabled"]


def test_a_refused_call_does_nothing_and_a_lost_answer_does(analytics):
    analytics.fail(FaultKind.STATUS, ":submitUserDeletion", status=503)
    assert submit(analytics, {"userId": "u"})[0] == 503
    assert analytics.counts() == {}
    analytics.fail(FaultKind.LOST_ANSWER, ":submitUserDeletion")
    with pytest.raises(requests.ConnectionError):
        submit(analytics, {"userId": "u"})
    assert analytics.counts() == {"deletions": 1}


def test_calls_and_answers_are_those_of_the_discovery_document():
    seen, problems = [], []
    document = discovery("analyticsadmin.v1alpha")

    class Watched(GoogleAnalyticsSandbox):
        def handle(self, call):
            return watched(super().handle, document, seen, problems)(call)

    with running("google_analytics", Watched) as analytics:
        analytics.twin.settings.big_query = True
        submit(analytics, {"userId": "u"})
        submit(analytics, {})
        analytics.call("GET", "/v1alpha/properties/1001/dataRetentionSettings", headers=TOKEN)
        analytics.call("GET", "/v1alpha/properties/1001/bigQueryLinks?pageSize=5", headers=TOKEN)
    assert problems == []
    assert len(set(seen)) == 3

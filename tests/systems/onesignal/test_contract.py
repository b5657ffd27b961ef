"""Every call and every answer of the twin against the vendor's own description.

Two things in it are known to be otherwise: the path of the export holds its query (the vendor's page has it apart), and
a deletion of a user answers 202 (the description knows 200 and a default).
"""

from datetime import timedelta

import pytest

from include.policy.persons import IdentifierKind
from include.sandbox import onesignal
from include.sandbox.faults import Fault, FaultKind
from include.systems.onesignal import connect, connect_erasing
from tests.openapi import Description
from tests.systems.conformance.means import NOW, Somebody, means_at
from tests.systems.watched import selection, sweep, watched

UID, PUSH = IdentifierKind.USER_ID, IdentifierKind.PUSH_ID


def patch(document):
    export = document["paths"].pop("/players/csv_export?app_id={app_id}")
    export["post"]["parameters"][0]["in"] = "query"
    body = document["components"]["requestBodies"]["export_subscriptions_request_body"]
    export["post"]["requestBody"] = {"content": body["content"]}
    document["paths"]["/players/csv_export"] = export
    segments = document["paths"]["/apps/{app_id}/segments"]["get"]["responses"]
    segments["200"] = segments.pop("201")


@pytest.fixture
def twin(quick):
    with watched("onesignal", onesignal.SERVICE) as twin:
        for number in range(40):
            at = NOW - timedelta(days=number * 20)
            phone = onesignal.Subscription(f"5f1c7a0d-0000-4000-8000-{number:012}", "iOSPush", "t", at, at, number)
            user = f"aaaaaaaa-0000-4000-8000-{number:012}"
            twin.twin.seed([onesignal.User(user, f"u{number}" if number % 3 else "", {phone.id: phone})])
        yield twin


def test_every_call_and_every_answer_is_as_described(twin):
    description = Description("onesignal/onesignal-openapi.json", patch=patch)
    people = [Somebody(n, {UID: [f"u{n}"], PUSH: [f"5f1c7a0d-0000-4000-8000-{n:012}"]}) for n in range(6)]
    subjects = [person.subject() for person in people]
    system = connect_erasing(twin.connection(), means_at(twin.clock))
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, status=429, retry_after=1))
    twin.twin.settings.delete_looks = 1
    system.access()
    list(system.export(subjects))
    list(system.people())
    system.verify(subjects, system.erase(system.find(subjects)))
    system.close()
    ages = connect(twin.connection(calls_per_second=10**6, views_per_second=10**6))
    assert sweep(ages, selection("last_active", "external_user_id", 365))[0] > 0
    ages.close()
    twin.exchanges[:] = [each for each in twin.exchanges if not each.call.path.startswith("/csv_exports/")]
    assert twin.check(description) == {
        "GET /apps/{app_id}/segments",
        "GET /apps/{app_id}/users/by/{alias_label}/{alias_id}",
        "GET /apps/{app_id}/users/by/{alias_label}/{alias_id}/identity",
        "DELETE /apps/{app_id}/users/by/{alias_label}/{alias_id}",
        "GET /apps/{app_id}/subscriptions/{subscription_id}/user/identity",
        "POST /players/csv_export",
    }
    assert {call.headers["authorization"] for call in twin.calls()} == {"Key sandbox"}


def test_the_columns_of_the_export_are_those_that_the_vendor_names():
    description = Description("onesignal/onesignal-openapi.json")
    text = description.documents[0]["paths"]["/players/csv_export?app_id={app_id}"]["post"]["description"]
    for column in ("id", "last_active", "external_user_id", "session_count", "device_type"):
        assert f"| {column} |" in text

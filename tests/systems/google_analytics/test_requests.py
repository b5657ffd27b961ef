"""Every request and answer against Google's own description."""

import json

import pytest

from include.policy.persons import IdentifierKind
from include.systems.google_analytics import FIELDS, connect_erasing
from tests.discovery import discovery
from tests.loopback import serve
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.systems.google_analytics.vendor import AnalyticsVendor, connection

DOCUMENT = "analyticsadmin.v1alpha"
METHOD = "analyticsadmin.properties.submitUserDeletion"


@pytest.fixture
def calls():
    described = discovery(DOCUMENT)
    vendor = AnalyticsVendor()
    everything = Somebody(1, {kind: [f"{kind.value} 'ü' /..", "1.1"] for kind in IdentifierKind})
    with serve(vendor.app) as url:
        system = connect_erasing(connection(url, properties=["1001", "1002"]), means_at(Clock()))
        system.erase(system.find([everything.subject()]))
        system.close()
    assert len(vendor.calls) == 12
    return described, vendor.calls


def test_every_request_is_the_one_method_with_its_own_members(calls):
    described, sent = calls
    assert {described.check_call(call)["id"] for call in sent} == {METHOD}


def test_every_body_has_one_identifier_and_never_an_address(calls):
    described, sent = calls
    members = [tuple(json.loads(call.body)) for call in sent]
    assert {len(body) for body in members} == {1}
    assert {name for (name,) in members} == set(FIELDS.values())
    known = described.document["schemas"]["GoogleAnalyticsAdminV1alphaSubmitUserDeletionRequest"]["properties"]
    assert set(known) - set(FIELDS.values()) == {"userProvidedData"}


def test_the_scope_and_the_host_are_googles(calls):
    from include.systems.google_analytics import deletions

    described, _ = calls
    (method,) = [method for method in described.methods if method["id"] == METHOD]
    assert method["scopes"] == [deletions._SCOPE]
    assert described.document["rootUrl"] == f"{deletions._BASE}/"


def test_the_receipt_is_where_it_is_read(calls):
    described, _ = calls
    schema = described.document["schemas"]["GoogleAnalyticsAdminV1alphaSubmitUserDeletionResponse"]
    assert set(schema["properties"]) == {"deletionRequestTime"}

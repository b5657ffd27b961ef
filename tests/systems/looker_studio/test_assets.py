"""Reports follow their source, what people own is left to a human, and whether data sources are live is asked."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.looker_studio import Asset
from include.systems.erasing import Did
from include.systems.looker_studio import connect_erasing
from tests.systems.conformance.means import means_at
from tests.systems.twins import NOW, Clock, Somebody, claim, connected, twin

UID, EMAIL, CLIENT = IdentifierKind.USER_ID, IdentifierKind.EMAIL, IdentifierKind.ANALYTICS_CLIENT_ID
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example"], CLIENT: ["12.34"]})
UNTIL = NOW + timedelta(days=64)
FROM_ANALYTICS = claim("derived_from", "google_analytics")


@pytest.fixture(scope="module")
def server():
    with twin("looker_studio") as server:
        yield server


@pytest.fixture
def looker(server, quick):
    server.fresh()
    with connected(server) as system:
        yield system


def asset(name, owner="analyst@x.example", kind="REPORT", title="Numbers", **more):
    return Asset(name, kind, title, owner, NOW, **more)


def source(name, title, **more):
    return asset(name, kind="DATA_SOURCE", title=title, **more)


def outcome(system, person):
    found = system.find([person.subject()])
    receipts = system.erase(found)
    return found[0], receipts[0], system.verify([person.subject()], receipts)[0]


def test_whom_analytics_can_know_follows_it(server, looker):
    server.twin.seed([asset("r1"), asset("r2", "joann@x.example")])
    found, receipt, seen = outcome(looker, ANN)
    assert (found.counts, found.clean_at) == ({"identifiers": 2}, UNTIL)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.DERIVED, 0, UNTIL)
    assert (seen.remaining, seen.until, seen.proved) == (0, UNTIL, False)


def test_whom_it_cannot_know_is_absent_and_the_inventory_proves_it(server, looker):
    server.twin.seed([asset("r1")])
    found, receipt, seen = outcome(looker, Somebody(1, {EMAIL: ["bob@x.example"]}))
    assert (found.counts, receipt.did, seen.proved) == ({}, Did.ABSENT, True)


def test_what_somebody_owns_is_handed_over_by_hand(server, looker):
    server.twin.seed(
        [asset("r1", "Ann@X.example"), source("d1", "S", owner="ann@x.example"), asset("r2", "bob@x.example")]
    )
    found, receipt, seen = outcome(looker, ANN)
    assert (found.counts["assets"], receipt.did, seen.remaining) == (2, Did.MANUAL, 2)
    assert "2 asset(s)" in receipt.next_action


def test_the_trash_is_a_list_of_its_own(server, looker):
    server.twin.seed([asset("r1", "ann@x.example", trashed=True)])
    assert outcome(looker, ANN)[0].counts["assets"] == 1


def test_all_pages_are_read(server, looker):
    server.twin.settings.most = 7
    server.twin.seed(asset(f"r{number}", "ann@x.example") for number in range(30))
    assert outcome(looker, ANN)[0].counts["assets"] == 30


def test_a_title_can_accuse_a_data_source(server, looker):
    server.twin.seed([source("d1", "Analytics"), source("d2", "Extract of users"), source("d3", "users.csv upload")])
    checked = looker.check(FROM_ANALYTICS)
    assert (checked.looked, checked.violations, checked.asked) == (3, 2, True)


def test_titles_that_say_nothing_prove_nothing(server, looker):
    server.twin.seed([source("d1", "Analytics")])
    checked = looker.check(FROM_ANALYTICS)
    assert (checked.looked, checked.violations, checked.asked) == (1, 0, False)
    assert "live_data_sources" in checked.note


def test_what_an_operator_confirmed_is_live_and_what_is_new_is_not(server):
    server.fresh().twin.seed([source("d1", "Analytics"), source("d2", "Analytics 2"), asset("r1")])
    with connected(server, extra={"live_data_sources": ["d1"]}) as system:
        checked = system.check(FROM_ANALYTICS)
        assert (checked.looked, checked.violations, checked.asked) == (2, 1, True)
        server.twin.remove("d2")
        assert system.check(FROM_ANALYTICS).violations == 0


def test_another_claim_cannot_be_asked_here(looker):
    assert looker.check(claim("no_identifiers")).asked is False


def test_an_account_outside_of_a_workspace_is_refused(server, looker):
    server.twin.settings.in_workspace = False
    with pytest.raises(Refused):
        looker.access()


def test_a_failure_is_no_proof(server, looker):
    server.fail(FaultKind.STATUS, status=500, times=99)
    with pytest.raises(Unavailable):
        looker.verify([ANN.subject()], [])


@pytest.fixture(scope="module")
def key():
    made = rsa.generate_private_key(65537, 2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"client_email": "robot@clique.test", "token_uri": "https://oauth2.googleapis.com/token"}
    return {"type": "service_account", "private_key": pem, **account}


def test_a_service_account_needs_somebody_to_ask_for(key):
    extra = {"keyfile_dict": key}
    with pytest.raises(Refused):
        connect_erasing(Connection("looker_studio", extra=extra), means_at(Clock()))
    connect_erasing(
        Connection("looker_studio", extra={**extra, "subject": "ann@clique.test"}), means_at(Clock())
    ).close()


def test_a_list_of_live_data_sources_is_a_list(server):
    with pytest.raises(Refused), connected(server, extra={"live_data_sources": "d1"}):
        pass

"""What is deleted at Firebase, what its answers mean, and until when nothing is proved."""

from datetime import timedelta

import pytest

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.firebase_performance import Installation
from include.systems.erasing import Did
from include.systems.firebase_performance import ERASING_CARD
from tests.systems.twins import NOW, Clock, Somebody, claim, connected, twin

FID, OTHER = "c" + "Aa-_9" * 4 + "x", "d" + "Bb-_8" * 4 + "y"
ANN = Somebody(1, {IdentifierKind.INSTALLATION_ID: [FID]})
HORIZON = timedelta(days=180)


@pytest.fixture(scope="module")
def server():
    with twin("firebase_performance") as server:
        yield server


@pytest.fixture
def firebase(server, quick):
    server.fresh().twin.seed(Installation(fid, "WEB", NOW, 1) for fid in (FID, OTHER))
    with connected(server) as system:
        yield system


def erase(system, person):
    return system.erase(system.find([person.subject()]))[0]


def fids(server):
    return {record["fid"] for record in server.records("installations")}


def test_an_installation_goes_and_its_data_within_the_vendors_time(server, firebase):
    receipt = erase(firebase, ANN)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ACCEPTED, 1, NOW + HORIZON)
    assert fids(server) == {OTHER}
    (seen,) = firebase.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, NOW + HORIZON, False)


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=400)])
def test_one_that_is_gone_or_unknown_is_done_and_not_counted_again(server, firebase, later):
    erase(firebase, ANN)
    server.now += later
    receipt = erase(firebase, ANN)
    assert (receipt.did, receipt.gone) == (Did.ACCEPTED, 0)
    assert receipt.until == NOW + HORIZON


def test_what_is_no_installation_id_is_not_sent_and_the_others_go(server, firebase):
    person = Somebody(1, {IdentifierKind.INSTALLATION_ID: ["c" * 22 + ":APA91b", "*", FID]})
    receipt = erase(firebase, person)
    assert (receipt.did, receipt.gone) == (Did.FAILED, 1)
    assert receipt.next_action.startswith("2 installation id(s)")
    assert fids(server) == {OTHER}
    assert len(server.journal.as_json()) == 1


def test_an_id_that_firebase_refuses_is_told_to_a_person(server, firebase):
    server.fail(FaultKind.STATUS, "DELETE", status=400)
    assert erase(firebase, ANN).did is Did.FAILED


def test_somebody_without_an_installation_is_absent_and_nothing_is_asked(server, firebase):
    nobody = Somebody(2, {IdentifierKind.EMAIL: ["a@b.example"], IdentifierKind.INSTALLATION_ID: [" "]})
    found = firebase.find([nobody.subject()])
    receipts = firebase.erase(found)
    assert (found[0].counts, receipts[0].did) == ({}, Did.ABSENT)
    assert firebase.verify([nobody.subject()], receipts)[0].proved
    assert server.journal.as_json() == []


def test_an_old_instance_id_has_eleven_characters(server, firebase):
    server.twin.seed([Installation("Ab-_1234567", "ANDROID", NOW, 1)])
    assert erase(firebase, Somebody(1, {IdentifierKind.INSTALLATION_ID: ["Ab-_1234567"]})).gone == 1


def test_a_project_of_somebody_else_is_refused(server, firebase):
    with connected(server, extra={"project": "another"}) as other:
        for question in (other.access, lambda: erase(other, ANN)):
            with pytest.raises(Refused):
                question()
    assert fids(server) == {FID, OTHER}


def test_the_key_is_tried_on_the_project_alone(server, firebase):
    assert firebase.access().shown is False
    assert [call["operation"] for call in server.journal.as_json()] == ["GET /v1beta1/projects/clique-sandbox"]


def test_what_is_measured_cannot_be_asked_for(firebase):
    assert firebase.check(claim("no_identifiers")).asked is False


def test_a_deletion_that_the_account_may_not_make_is_refused(server, firebase):
    server.twin.settings.may_delete = False
    with pytest.raises(Refused):
        erase(firebase, ANN)


def test_the_date_counts_from_the_deletion(server):
    server.fresh()
    clock = Clock()
    clock.now += timedelta(days=3)
    with connected(server, clock) as system:
        assert erase(system, ANN).until == clock.now + ERASING_CARD.horizon


@pytest.mark.parametrize("extra", [{"project": ""}, {"calls_per_second": 0}, {"calls_per_second": True}])
def test_a_connection_that_lacks_something_is_refused(server, extra):
    with pytest.raises(Refused), connected(server, extra=extra):
        pass

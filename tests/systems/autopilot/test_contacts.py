"""How a person is found in Autopilot, what goes, and what is said of it."""

from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind
from include.sandbox import autopilot
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.rest import Reply, Routes
from include.subjects.identifiers import Identifier
from include.systems.autopilot.legacy import connect_erasing
from include.systems.erasing import Did
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.watched import watched

EMAIL = IdentifierKind.EMAIL
ANN = Somebody(1, {EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})


@pytest.fixture(scope="module")
def served():
    with watched("autopilot", autopilot.SERVICE) as twin:
        yield twin


@pytest.fixture
def twin(served, quick):
    served.reset()
    return served


@pytest.fixture
def system(twin):
    system = connect_erasing(twin.connection(), means_at(twin.clock))
    yield system
    system.close()


def put(twin, *addresses):
    for address in addresses:
        contact = autopilot.Contact(f"person_{twin.number()}", address, "A", "B", NOW - timedelta(days=9))
        twin.twin.seed([contact])


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    return found, receipts, system.verify(subjects, receipts)


def test_contacts_of_all_addresses_go_by_their_id(twin, system):
    put(twin, "Ann@X.example", "old.ann@x.example", "joann@x.example", "bob@x.example")
    found, receipts, seen = run(system, ANN)
    assert (found[0].counts, receipts[0].did, receipts[0].gone) == ({"contacts": 2}, Did.GONE, 2)
    assert (seen[0].remaining, seen[0].proved) == (0, True)
    assert sorted(record["email"] for record in twin.held()) == ["bob@x.example", "joann@x.example"]
    assert all("@" not in call.path and "%40" not in call.path for call in twin.calls("DELETE"))


def test_a_small_list_is_read_instead_of_asking_for_each_address(twin, system):
    put(twin, "ann@x.example", *(f"p{number}@x.example" for number in range(150)))
    assert [found.total for found in system.find([ANN.subject(), BOB.subject()])] == [1, 0]
    assert [call.path for call in twin.calls()][:1] == ["/v1/contacts"]
    assert len(twin.calls()) == 2


def test_of_a_long_list_only_the_first_page_is_read(twin, system):
    put(twin, "bob@x.example", *(f"p{number}@x.example" for number in range(350)))
    assert system.find([BOB.subject()])[0].total == 1
    assert [call.path for call in twin.calls()] == ["/v1/contacts", "/v1/contact/bob%40x.example"]


def test_both_spellings_are_asked_for(twin, system):
    put(twin, *(f"p{number}@x.example" for number in range(450)))
    system.find([Somebody(1, {EMAIL: ["Ann@X.example"]}).subject()])
    asked = {call.segments[-1] for call in twin.calls("GET", "/contact/")}
    assert asked == {"Ann@X.example", "ann@x.example"}


def test_another_address_than_asked_for_is_nobody(twin, system, monkeypatch):
    """A service that finds by a part of an address, or by another one, is not believed."""
    put(twin, *(f"p{number}@x.example" for number in range(250)))
    other = autopilot.Contact("person_x", "jobob@x.example", "A", "B", NOW)
    monkeypatch.setattr(twin.twin, "_found", lambda key: other)
    assert system.find([BOB.subject()])[0].total == 0


def test_a_contact_whose_id_could_be_an_address_stops_everything(twin, system):
    twin.twin.seed([autopilot.Contact("bob@x.example", "bob@x.example", "A", "B", NOW)])
    with pytest.raises(Inconsistent):
        system.find([BOB.subject()])


def test_a_contact_that_is_gone_meanwhile_is_not_counted(twin, system):
    put(twin, "bob@x.example")
    found = system.find([BOB.subject()])
    twin.twin.reset()
    (receipt,) = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.ABSENT, 0)


def test_two_requests_of_one_person_delete_once(twin, system):
    put(twin, "bob@x.example")
    twice = Somebody(3, BOB.known)
    _, receipts, _ = run(system, BOB, twice)
    assert [receipt.did for receipt in receipts] == [Did.GONE, Did.GONE]
    assert len(twin.calls("DELETE")) == 1


def test_a_contact_that_may_not_be_deleted_is_for_a_human_and_the_others_go(twin, system):
    put(twin, "ann@x.example", "old.ann@x.example", "bob@x.example")
    twin.twin.settings.protected = "ann@x.example"
    _, receipts, seen = run(system, ANN, BOB)
    assert [(receipt.did, receipt.gone) for receipt in receipts] == [(Did.FAILED, 1), (Did.GONE, 1)]
    assert receipts[0].next_action.endswith(".")
    assert [each.remaining for each in seen] == [1, 0]


def test_a_form_of_address_that_is_never_sent_is_for_a_human(twin, system):
    odd = Somebody(1, {EMAIL: ['"bob"@x.example', "bob@x.example"]})
    put(twin, "bob@x.example")
    _, receipts, _ = run(system, odd)
    assert (receipts[0].did, receipts[0].gone) == (Did.FAILED, 1)
    assert "bob" not in receipts[0].next_action


def test_who_has_no_address_is_not_asked_for(twin, system):
    run(system, Somebody(1, {IdentifierKind.USER_ID: ["u1"]}))
    assert twin.exchanges == []


def test_an_export_has_each_contact_whole(twin, system):
    put(twin, "ann@x.example", "old.ann@x.example", "bob@x.example")
    ann, nobody = system.export([ANN.subject(), Somebody(9, {EMAIL: ["no@x.example"]}).subject()])
    assert [contact["Email"] for contact in ann.records["contacts"]] == ["ann@x.example", "old.ann@x.example"]
    assert ann.records["contacts"][0]["FirstName"] == "A"
    assert nobody.records == {"contacts": []}
    assert "ann" not in repr(ann)


def test_everybody_is_listed_over_all_pages(twin, system):
    put(twin, *(f"P{number}@x.example" for number in range(230)))
    listed = list(system.people())
    assert set(listed) == {Identifier(EMAIL, f"p{number}@x.example") for number in range(230)}
    assert len(listed) == 230


def test_the_key_is_tried_without_reading_a_contact(twin, system):
    put(twin, "ann@x.example")
    assert system.access().missing == ()
    assert [call.path for call in twin.calls()] == ["/v1/account"]
    twin.faults.add(Fault("autopilot", FaultKind.STATUS, status=401))
    with pytest.raises(Refused):
        system.access()


def test_a_list_that_does_not_advance_is_no_proof(twin, system, monkeypatch):
    def again(ask, bookmark=""):
        return Reply(body={"contacts": [], "total_contacts": 150, "bookmark": "person_same"})

    monkeypatch.setattr(twin.twin, "_routes", Routes({"GET /v1/contacts": again, "GET /v1/contacts/{}": again}))
    with pytest.raises(Inconsistent):
        list(system.people())


@pytest.mark.parametrize("lacking", [{"password": None}, {"extra": {"calls_per_second": 0}}])
def test_a_connection_that_lacks_something_is_refused(lacking):
    known = {"host": "https://a.example", "password": "key", **lacking}
    with pytest.raises(Refused):
        connect_erasing(Connection("autopilot", **known), means_at(Clock()))

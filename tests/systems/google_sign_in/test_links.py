"""Links of accounts to Google: exactly the person's go, the account and its other links stay."""

import pytest

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.google import Answer, Call
from include.systems.erasing import Did
from tests.discovery import discovery
from tests.systems.conformance.means import Somebody

UID, RAW = IdentifierKind.USER_ID, IdentifierKind.FEDERATED_ID
ANN = Somebody(1, {UID: ["ann"], RAW: ["google.com:105"]})
GOOGLE, LINKEDIN, PASSWORD = ("google.com", "105"), ("oidc.linkedin", "l1"), ("password", "ann")


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    seen = system.verify(subjects, receipts)
    system.close()
    return found, receipts, seen


def test_the_link_goes_and_the_account_stays_with_its_others(firebase):
    firebase.add("ann", GOOGLE, LINKEDIN, PASSWORD, display_name="Ann", email="ann@x.example")
    (found,), (receipt,), (seen,) = run(firebase.system(), ANN)
    assert (dict(found.counts), receipt.did, receipt.gone, seen.remaining) == ({"links": 1}, Did.GONE, 1, 0)
    (account,) = firebase.twin.accounts()
    assert (account.display_name, account.email) == ("Ann", "ann@x.example")
    assert firebase.links() == {"ann": {LINKEDIN, PASSWORD}}


def test_an_account_is_found_by_the_id_at_google_alone(firebase):
    firebase.add("unknown", GOOGLE)
    firebase.add("other", ("google.com", "1055"))
    assert run(firebase.system(), Somebody(1, {RAW: ["google.com:105"]}))[1][0].did is Did.GONE
    assert firebase.links() == {"unknown": set(), "other": {("google.com", "1055")}}


def test_ids_at_other_providers_find_nothing(firebase):
    firebase.add("ann", ("google.com", "l1"))
    person = Somebody(1, {RAW: ["oidc.linkedin:l1", "google.com:", "google.com", "l1", "GOOGLE.COM:l1"]})
    assert run(firebase.system(), person)[1][0].did is Did.ABSENT
    assert firebase.wire.exchanges == []


def test_an_account_that_is_deleted_meanwhile_has_no_link(firebase):
    firebase.add("ann", GOOGLE)
    system = firebase.system()
    found = system.find([ANN.subject()])
    firebase.twin.reset()
    assert system.erase(found)[0].did is Did.GONE
    assert system.verify([ANN.subject()], [])[0].remaining == 0
    system.close()


def test_any_other_refusal_of_an_update_is_an_error(firebase):
    firebase.add("ann", GOOGLE)
    firebase.faults.add(Fault("identitytoolkit", FaultKind.STATUS, ":update", status=400))
    with pytest.raises(Refused):
        run(firebase.system(), ANN)
    assert firebase.links() == {"ann": {GOOGLE}}


def test_tenants_are_looked_at_where_the_connection_names_them(firebase):
    firebase.add("ann", GOOGLE, tenant="t1")
    firebase.add("ben", ("google.com", "106"))
    assert run(firebase.system(), ANN)[1][0].did is Did.ABSENT
    assert run(firebase.system(tenants=["t1"]), ANN)[1][0].did is Did.GONE
    assert firebase.links("t1") == {"ann": set()}
    assert firebase.links() == {"ben": {("google.com", "106")}}


def test_a_hundred_identifiers_are_looked_up_in_one_call(firebase):
    people = [Somebody(n, {UID: [f"u{n}"], RAW: [f"google.com:{n}"]}) for n in range(1, 121)]
    for n in range(1, 121):
        firebase.add(f"u{n}", ("google.com", str(n)))
    run(firebase.system(), *people)
    assert len(firebase.wire.asked("accounts:lookup")) == 2 * 3
    assert len(firebase.wire.asked("accounts:update")) == 120
    assert firebase.budgets.paced == {"firebase_auth/updates": 120}
    assert not any(firebase.links().values())


def test_everybody_who_is_linked_is_listed_over_all_pages(firebase):
    for n in range(1200):
        firebase.add(f"u{n:04}", *([("google.com", f"g{n}")] if n % 3 == 0 else [LINKEDIN]))
    firebase.add("t-ann", GOOGLE, tenant="t1")
    people = list(firebase.system(tenants=["t1"]).people())
    assert {one.value for one in people if one.kind is UID} == {f"u{n:04}" for n in range(0, 1200, 3)} | {"t-ann"}
    assert "google.com:105" in {one.value for one in people if one.kind is RAW}
    assert len(people) == 802


def test_an_export_gives_out_the_link_and_nothing_of_the_account(firebase):
    firebase.add("ann", GOOGLE, LINKEDIN, display_name="Ann")
    system = firebase.system()
    (exported,) = system.export([ANN.subject()])
    system.close()
    assert exported.records == {"links": [{"providerId": "google.com", "rawId": "105", "email": "a@x.example"}]}


def test_access_counts_and_shows_nobody(firebase):
    firebase.add("ann", GOOGLE)
    system = firebase.system()
    assert system.access().shown is False
    system.close()
    (asked,) = firebase.wire.exchanges
    assert (asked.sent, asked.got) == ({"returnUserInfo": False}, {"recordsCount": "1"})


def test_access_to_another_project_is_refused(firebase):
    system = firebase.system(project="another")
    with pytest.raises(Refused):
        system.access()
    system.close()


def test_all_calls_and_answers_are_as_the_discovery_document_says(firebase):
    document = discovery("identitytoolkit.v1")
    firebase.add("ann", GOOGLE)
    firebase.add("ann", GOOGLE, tenant="t1")
    system = firebase.system(tenants=["t1"])
    system.access()
    assert list(system.people())
    run(system, ANN)
    seen = set()
    for each in firebase.wire.exchanges:
        call = Call(each.method, each.path, each.query, each.headers, each.body, "")
        seen.add(document.check_call(call)["id"])
        document.check_answer(call, Answer(each.status, each.answer, {"content-type": each.media}))
    assert {name.rpartition(".")[2] for name in seen} == {"lookup", "update", "query", "batchGet"}
    assert any(".tenants." in name for name in seen)


@pytest.mark.parametrize("extra", [{"project": ""}, {"tenants": "t1"}, {"updates_per_second": 0}])
def test_a_connection_that_lacks_something_is_refused_before_any_call(firebase, extra):
    with pytest.raises(Refused):
        firebase.system(**extra)

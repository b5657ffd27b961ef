"""Whose a lead or a result is, what of it goes, and what a person has to do."""

from datetime import timedelta

import pytest

from include.errors import Inconsistent, Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.phantombuster import ALL, Edition, Lead, LeadList, Run
from include.systems.erasing import Did
from tests.systems.twins import NOW, Somebody, claim, connected, twin

EMAIL, ACCOUNT = IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID
ANN = Somebody(1, {EMAIL: ["ann@x.example"], ACCOUNT: ["facebook:annlee", "linkedin:annlee"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server():
    with twin("phantombuster") as server:
        yield server


@pytest.fixture
def buster(server, quick):
    server.fresh()
    with connected(server) as system:
        yield system


def lead(number, slug="", work=(), home=()):
    slug = slug or f"slug-{number}"
    return Lead(str(number), slug, "A", "B", "C", (Edition(NOW - number * DAY, "1"),), tuple(work), tuple(home))


def run(number, *rows, agent="77"):
    return Run(f"run{number}", agent, NOW - number * DAY, rows)


def row(url="", **more):
    return {"profileUrl": url, **more}


def ids(server, collection="leads"):
    return {record["id"] for record in server.records(collection)}


def outcome(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    return found, system.erase(found), system.verify(subjects, [])


def test_leads_go_by_address_and_by_profile(server, buster):
    mine = [lead(1, work=["Ann@X.example"]), lead(2, home=["z@x.example", "ann@x.example"]), lead(3, slug="AnnLee")]
    other = [lead(4, work=["joann@x.example", "ann@x.example.org"]), lead(5, slug="annlee2"), lead(6, slug="ann-lee")]
    server.twin.seed([*mine, *other, lead(7, work=["bob@x.example"])])
    found, receipts, seen = outcome(buster, ANN, BOB)
    assert [each.counts for each in found] == [{"leads": 3}, {"leads": 1}]
    assert [(receipt.did, receipt.gone) for receipt in receipts] == [(Did.GONE, 3), (Did.GONE, 1)]
    assert [(each.remaining, each.proved) for each in seen] == [(0, True), (0, True)]
    assert ids(server) == {"4", "5", "6"}


def test_a_lead_of_two_persons_is_deleted_once(server, buster):
    server.twin.seed([lead(1, work=["ann@x.example", "bob@x.example"])])
    _, receipts, _ = outcome(buster, ANN, BOB)
    assert [receipt.did for receipt in receipts] == [Did.GONE, Did.GONE]
    assert sum("delete-many" in call["operation"] for call in server.journal.as_json()) == 1


def test_leads_are_read_and_deleted_by_the_hundred(server, buster):
    server.twin.seed(lead(number, work=[f"p{number}@x.example"]) for number in range(1, 251))
    people = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(1, 241)]
    _, receipts, _ = outcome(buster, *people)
    assert {receipt.did for receipt in receipts} == {Did.GONE}
    assert len(ids(server)) == 10
    operations = [call["operation"] for call in server.journal.as_json()]
    assert sum("delete-many" in each for each in operations) == 3
    assert sum("by-list" in each for each in operations) == 3 + 1


def test_results_that_name_a_person_are_left_to_a_human_and_leads_go_all_the_same(server, buster):
    server.twin.seed([lead(1, work=["ann@x.example"])])
    server.twin.seed(runs=[run(1, row("https://www.linkedin.com/in/AnnLee/?x=1")), run(2, row(email="bob@x.example"))])
    found, receipts, seen = outcome(buster, ANN, BOB)
    assert [each.counts for each in found] == [{"leads": 1, "result_files": 1}, {"result_files": 1}]
    assert [(receipt.did, receipt.gone) for receipt in receipts] == [(Did.MANUAL, 1), (Did.MANUAL, 0)]
    assert "1 Phantom(s)" in receipts[0].next_action
    assert "77" in receipts[0].next_action
    assert [each.remaining for each in seen] == [1, 1]
    server.twin.remove_results("77")
    assert [each.remaining for each in buster.verify([ANN.subject()], receipts)] == [0]


@pytest.mark.parametrize(
    "text",
    [
        "https://linkedin.com/in/annlee2",
        "https://linkedin.com/in/xannlee",
        "https://linkedin.com/company/annlee",
        "annlee",
        "joann@x.example",
        "ann@x.example.org",
    ],
)
def test_results_about_somebody_alike_are_nobodys(server, buster, text):
    server.twin.seed(runs=[run(1, row(text))])
    assert outcome(buster, ANN)[1][0].did is Did.ABSENT


def test_runs_of_all_pages_are_read_and_those_without_results_are_passed_over(server, buster):
    server.twin.settings.most = 10
    runs = [run(number, row("https://www.linkedin.com/in/other")) for number in range(1, 35)]
    server.twin.seed(runs=[*runs, Run("none", "77", NOW, None), run(40, row("https://www.linkedin.com/in/annlee"))])
    assert outcome(buster, ANN)[0][0].counts == {"result_files": 1}


def test_a_list_with_conditions_proves_nothing_and_is_refused(server, buster):
    for condition in (
        {"__global_search__": "a"},
        {"filter": {"companyName": {"operator": "equals", "valueToCompare": "C"}}},
        {"and": [{"filter": {"companyName": {"operator": "contains", "valueToCompare": "C"}}}]},
        {"or": []},
    ):
        server.twin.seed(lists=[LeadList(ALL, "All leads", condition)])
        assert buster.access().missing
        for question in (lambda: outcome(buster, ANN), lambda: list(buster.people())):
            with pytest.raises(Refused):
                question()


@pytest.mark.parametrize(
    "condition", [{}, {"and": []}, {"and": [{"filter": {"firstName": {"operator": "contains", "valueToCompare": ""}}}]}]
)
def test_a_list_of_everything_is_one(server, buster, condition):
    server.twin.seed(lists=[LeadList(ALL, "All leads", condition)])
    assert buster.access().missing == ()


def test_a_list_that_is_not_there_is_refused(server):
    server.fresh()
    with connected(server, extra={"list_id": "7"}) as system, pytest.raises(Refused):
        system.access()


def test_a_deletion_of_which_a_part_failed_is_told(server, buster):
    server.twin.seed(lead(number, work=["ann@x.example"]) for number in range(1, 5))
    server.fail(FaultKind.PARTIAL, "delete-many")
    with pytest.raises(Unavailable) as error:
        outcome(buster, ANN)
    assert "2 are still there" in error.value.next_step
    assert outcome(buster, ANN)[1][0].did is Did.GONE


def test_leads_that_vanish_while_they_are_read_make_no_proof(server, buster, monkeypatch):
    server.twin.seed(lead(number) for number in range(1, 251))
    original, calls = server.twin._found, []

    def shrinking(number):
        calls.append(number)
        found = original(number)
        return found if len(calls) == 1 else found[1:]

    monkeypatch.setattr(server.twin, "_found", shrinking)
    with pytest.raises(Unavailable):
        outcome(buster, ANN)


def test_what_is_held_of_a_person_is_given_out(server, buster):
    server.twin.seed([lead(1, work=["ann@x.example"]), lead(2)])
    server.twin.seed(runs=[run(1, row("https://www.linkedin.com/in/annlee"), row("https://www.linkedin.com/in/bob"))])
    ann, bob = buster.export([ANN.subject(), BOB.subject()])
    assert [record["id"] for record in ann.records["leads"]] == ["1"]
    assert [record["profileUrl"] for record in ann.records["results"]] == ["https://www.linkedin.com/in/annlee"]
    assert bob.records == {}


def test_everybody_is_listed(server, buster):
    server.twin.seed([lead(1, slug="annlee", work=["a@x.example"], home=["b@x.example"])])
    assert {(known.kind, known.value) for known in buster.people()} == {
        (EMAIL, "a@x.example"),
        (EMAIL, "b@x.example"),
        (ACCOUNT, "linkedin:annlee"),
    }


def test_addresses_of_leads_and_in_lists_contradict_the_claim(server, buster):
    search = LeadList("1002", "erasure", {"__global_search__": "ann@x.example"})
    server.twin.seed([lead(1, work=["a@x.example"]), lead(2)], lists=[search, LeadList("1003", "CTOs", {"and": []})])
    checked = buster.check(claim("only_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (5, 2, True)
    assert "ann" not in checked.note


def test_a_lead_without_an_id_is_a_surprise(server, buster, monkeypatch):
    server.twin.seed([lead(1)])
    monkeypatch.setattr(Lead, "shown", lambda self: {"linkedinProfileSlug": "a"})
    with pytest.raises(Inconsistent):
        outcome(buster, ANN)


@pytest.mark.parametrize("lacking", [{"password": None}, {"extra": {"list_id": ""}}])
def test_a_connection_that_lacks_something_is_refused(server, lacking):
    with pytest.raises(Refused), connected(server, **lacking):
        pass

"""Who is written into a container, what its tags pass on, and what a refusal of Tag Manager means."""

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.tag_manager import Item
from include.systems.erasing import Did
from tests.systems.twins import Somebody, claim, connected, twin

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})


@pytest.fixture(scope="module")
def server():
    with twin("tag_manager") as server:
        yield server


@pytest.fixture
def tags(server, quick):
    server.fresh()
    with connected(server) as system:
        yield system


def constant(number, value, **more):
    return Item("variable", str(number), f"V{number}", "c", {"value": value}, **more)


def reader(number, name, key):
    return Item("variable", str(number), name, "v", {"name": key})


def event(number, *rows, **more):
    return Item(
        "tag", str(number), "T", "gaawe", {"eventName": "email_opened", "eventSettingsTable": list(rows)}, **more
    )


def row(name, value="x"):
    return {"parameter": name, "parameterValue": value}


def test_entries_of_a_person_are_counted_once_wherever_they_are(server, tags):
    server.twin.seed(
        [
            constant(1, "Ann@X.example"),
            constant(2, "old.ann@x.example", live=False),
            constant(3, "joann@x.example"),
            event(1, row("tester", "u-ann"), draft=False),
            event(2, row("tester", "u-ann-2")),
        ]
    )
    subjects = [ANN.subject(), BOB.subject()]
    found = tags.find(subjects)
    assert [each.counts for each in found] == [{"tags": 1, "variables": 2}, {}]
    receipts = tags.erase(found)
    assert [receipt.did for receipt in receipts] == [Did.MANUAL, Did.ABSENT]
    assert "3 entries (accounts/6001/containers/7001/" in receipts[0].next_action
    assert [(seen.remaining, seen.proved) for seen in tags.verify(subjects, receipts)] == [(3, True), (0, True)]


def test_a_container_that_was_never_published_is_read_by_its_workspace(server, tags):
    server.twin.settings.published = False
    server.twin.seed([constant(1, "ann@x.example", live=False)])
    assert tags.find([ANN.subject()])[0].counts == {"variables": 1}


def test_all_pages_are_read(server, tags):
    server.twin.seed(constant(number, f"p{number}@x.example", live=False) for number in range(120))
    person = Somebody(1, {EMAIL: ["p119@x.example"]})
    assert tags.find([person.subject()])[0].counts == {"variables": 1}


def test_only_internal_ids_are_passed_on(server, tags):
    server.twin.seed([reader(1, "User ID", "user.id"), event(1, row("user_id", "{{User ID}}")), event(2, row("plan"))])
    checked = tags.check(claim("only_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (3, 0, True)


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ([reader(1, "Who", "user.email")], 1),
        ([reader(1, "Who", "user.email"), event(1, row("who", "{{Who}}"))], 2),
        ([reader(1, "Who", "profile.firstName")], 1),
        ([reader(1, "Who", "customer_first_name")], 1),
        ([event(1, row("e-mail", "{{Click URL}}"))], 1),
        ([event(1, row("phone_number"))], 1),
        ([constant(1, "ann@x.example")], 1),
        ([event(1, row("who", "mailto:ann%40x.example"))], 1),
        ([reader(1, "E-mail of nobody", "user.id")], 0),
        ([event(1, row("plan", "logo@2x.png"))], 0),
    ],
)
def test_what_is_called_an_address_or_a_name_contradicts_it(server, tags, items, wrong):
    server.twin.seed(items)
    assert tags.check(claim("only_identifiers")).violations == wrong


def test_a_container_without_data_of_visitors_has_no_address_in_it(server, tags):
    server.twin.seed([reader(1, "Who", "user.email"), constant(2, "ann@x.example"), constant(3, "react@18.2.0")])
    checked = tags.check(claim("no_identifiers"))
    assert (checked.looked, checked.violations) == (3, 1)
    assert "ann" not in checked.note


def test_another_claim_cannot_be_asked_here(tags):
    assert tags.check(claim("derived_from", "google_analytics")).asked is False


def test_an_exhausted_quota_is_a_wait_although_it_comes_as_403(server, tags):
    server.twin.settings.calls_per_window = 1
    tags.access()
    with pytest.raises(Throttled) as throttled:
        tags.access()
    assert throttled.value.retry_after == 100


def test_a_missing_right_is_a_matter_for_a_person(server, tags):
    server.fail(FaultKind.STATUS, "GET", status=403)
    with pytest.raises(Refused):
        tags.find([ANN.subject()])
    with connected(server, extra={"containers": ["accounts/6001/containers/9"]}) as other, pytest.raises(Refused):
        other.access()


def test_a_failure_is_no_proof(server, tags):
    server.fail(FaultKind.STATUS, "workspaces", status=500, times=99)
    with pytest.raises(Unavailable):
        tags.verify([ANN.subject()], [])


def test_nobody_to_look_for_costs_no_call(server, tags):
    assert tags.find([Somebody(1, {EMAIL: ["*"]}).subject()])[0].counts == {}
    assert server.journal.as_json() == []


@pytest.mark.parametrize(
    "containers", [None, [], "accounts/1/containers/2", ["accounts/1"], ["accounts/1/containers/2/x"]]
)
def test_a_connection_without_containers_is_refused(server, containers):
    with pytest.raises(Refused), connected(server, extra={"containers": containers}):
        pass

"""A person is erased from SendGrid: from the account and its subusers, and nobody else is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.systems import registry
from include.systems.erasing import Did, Found
from include.systems.sendgrid import ERASING_CARD
from tests.systems.people import NOW, means, person
from tests.systems.sendgrid.account import Held
from tests.systems.sendgrid.conftest import Service
from tests.vendor import Reply

ANN, PAST, BOB = "ann@example.com", "ann.old@example.org", "joann@example.com"
SUB = "events"
UNTIL = NOW + timedelta(days=37)


def fill(held: Held) -> None:
    """Ann everywhere, under both addresses, and Bob, whose address ends with hers."""
    held.contact(1, ANN.upper())
    held.contact(2, "x@example.net", PAST)
    held.contact(3, BOB)
    for name in held.lists:
        held.lists[name] = [BOB, "Ann@Example.com", f"{ANN}.au"]
    held.lists["blocks"].append(PAST)
    held.lists["global"] = [BOB, ANN]
    held.groups = {"7": [BOB, ANN], "8": [BOB]}


@pytest.fixture
def full(service: Service) -> Service:
    service.twin.accounts[SUB] = Held()
    for held in service.twin.accounts.values():
        fill(held)
    return service


def test_everything_of_a_person_is_found_and_counted(full: Service) -> None:
    [found] = full.system().find([person(ANN, PAST)])
    assert found.counts == {
        "blocks": 4,
        "bounces": 2,
        "contacts": 4,
        "global_unsubscribes": 2,
        "group_unsubscribes": 2,
        "invalid_emails": 2,
        "spam_reports": 2,
    }
    assert found.clean_at == UNTIL
    assert found.stays == ()


def test_a_person_is_erased_from_the_account_and_all_subusers_and_nobody_else(full: Service) -> None:
    system, ann = full.system(), person(ANN, PAST)
    [receipt] = system.erase(system.find([ann]))
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ACCEPTED, 18, UNTIL)
    for held in full.twin.accounts.values():
        assert held.everything() == {BOB, f"{ANN}.au"}
        assert [sorted(job) for job in held.erased] == [sorted([ANN, PAST])]
    [seen] = system.verify([ann], [receipt])
    assert (seen.remaining, seen.until, seen.pending, seen.proved) == (0, UNTIL, False, True)
    full.clock.now = UNTIL
    [later] = system.verify([ann], [receipt])
    assert (later.remaining, later.until, later.proved) == (0, None, True)


def test_the_vendors_erasure_comes_first_and_suppressions_last(full: Service) -> None:
    system = full.system()
    found = system.find([person(ANN, PAST)])
    before = len(full.calls)
    system.erase(found)
    own = [call for call in full.calls[before:] if "on-behalf-of" not in call.headers]
    changes = [call.path.split("/")[2] for call in own if call.method == "DELETE" or "erasejob" in call.path]
    assert changes[:2] == ["recipients", "marketing"]
    assert set(changes[2:]) == {"suppression", "asm"}


def test_the_job_names_what_the_vendor_gave(full: Service) -> None:
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN)]))
    assert receipt.job is not None
    kinds = [part.split(":")[0] for part in receipt.job.split("+")]
    assert kinds == ["erase", "contacts", "contacts", "erase"]


def test_addresses_are_erased_where_nothing_is_found(service: Service) -> None:
    """Messages may be kept that no search shows."""
    system = service.system()
    found = system.find([person(ANN)])
    assert found[0].counts == {}
    [receipt] = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.ACCEPTED, 0)
    assert service.twin.own.erased == [[ANN]]


def test_a_person_without_an_address_is_absent_without_a_call(service: Service) -> None:
    system, nobody = service.system(), person()
    found = system.find([nobody])
    [receipt] = system.erase(found)
    [seen] = system.verify([nobody], [receipt])
    assert (found[0].counts, found[0].clean_at, receipt.did, seen.remaining) == ({}, None, Did.ABSENT, 0)
    assert service.calls == []


def test_lists_that_the_policy_keeps_stay_with_their_ground(full: Service) -> None:
    system, ann = full.system(keep=frozenset({"global_unsubscribes", "group_unsubscribes"})), person(ANN)
    [found] = system.find([ann])
    assert {(stays.what, stays.count, stays.ground) for stays in found.stays} == {
        ("global_unsubscribes", 2, "A proof."),
        ("group_unsubscribes", 2, "A proof."),
    }
    [receipt] = system.erase([found])
    for held in full.twin.accounts.values():
        assert ANN in held.lists["global"]
        assert ANN in held.groups["7"]
        assert "Ann@Example.com" not in held.lists["bounces"]
    [seen] = system.verify([ann], [receipt])
    assert seen.remaining == 0


def test_a_list_that_does_not_exist_can_not_be_kept(service: Service) -> None:
    with pytest.raises(Refused, match="unsubscribed"):
        service.system(keep=frozenset({"unsubscribed"}))


def test_a_second_erasure_finds_nothing_more_to_remove(full: Service) -> None:
    system, ann = full.system(), person(ANN, PAST)
    system.erase(system.find([ann]))
    [found] = system.find([ann])
    [receipt] = system.erase([found])
    assert (found.counts, receipt.did, receipt.gone) == ({}, Did.ACCEPTED, 0)


def test_what_another_hand_removed_meanwhile_is_no_error(full: Service) -> None:
    system = full.system()
    found = system.find([person(ANN, PAST)])
    full.twin.faults[("DELETE", "/suppression/")] = [Reply(404, {"errors": []})]
    full.twin.faults[("DELETE", "/asm/")] = [Reply(404, {"errors": []})]
    assert system.erase(found)[0].did is Did.ACCEPTED


def test_each_of_a_batch_gets_the_own_counts(service: Service) -> None:
    people = [person(f"p{number}@example.com", ref=f"req_{number:016}") for number in range(250)]
    for number in range(250):
        service.twin.own.contact(number, f"p{number}@example.com")
        if number % 2:
            service.twin.own.lists["bounces"].append(f"p{number}@example.com")
    system = service.system()
    found = system.find(people)
    assert [each.ref for each in found] == [each.ref for each in people]
    assert [each.total for each in found] == [1 + number % 2 for number in range(250)]
    receipts = system.erase(found)
    assert [receipt.gone for receipt in receipts] == [1 + number % 2 for number in range(250)]
    assert service.twin.own.everything() == set()
    assert len(service.twin.own.erased) == 1


def test_erasures_are_split_where_the_vendor_draws_the_line(service: Service) -> None:
    long = [f"{number:05}{'x' * 55}@{'y' * 40}.example.com" for number in range(6000)]
    service.system().erase(_only(service, long))
    sizes = [len(job) for job in service.twin.own.erased]
    assert sum(sizes) == 6000
    assert max(sizes) * 118 < 256_000
    service.twin.own.erased.clear()
    service.system().erase(_only(service, [f"{number}@b.cd" for number in range(6000)]))
    assert [len(job) for job in service.twin.own.erased] == [5000, 1000]


def _only(service: Service, emails: list[str]) -> list[Found]:
    """What ``find`` would hand over, without the searches."""
    from include.systems.sendgrid.system import _Records

    return [Found("req_a", {}, records=_Records(tuple(emails), False, {}))]


def test_exactly_the_addresses_that_the_vendor_calls_invalid_are_left_out(full: Service) -> None:
    full.twin.invalid = {ANN}
    system = full.system()
    people = [person(ANN, ref="req_ann"), person("carl@example.com", ref="req_carl"), person(ANN, BOB, ref="req_both")]
    for held in full.twin.accounts.values():
        held.contacts.clear()
        held.groups.clear()
        for name in held.lists:
            held.lists[name] = []
    ann, carl, both = system.erase(system.find(people))
    assert (ann.did, ann.job) == (Did.ABSENT, None)
    assert carl.did is Did.ACCEPTED
    assert both.did is Did.ACCEPTED
    assert full.twin.own.erased == [["carl@example.com", BOB]]


def test_an_invalid_address_of_which_nothing_is_held_does_not_stop_the_others_of_the_person(full: Service) -> None:
    full.twin.invalid = {"ann.typo@example.com"}
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN, "ann.typo@example.com")]))
    assert receipt.did is Did.ACCEPTED
    assert full.twin.own.erased == [[ANN]]


def test_the_jobs_of_many_subusers_are_named_as_far_as_there_is_room(full: Service) -> None:
    full.twin.accounts |= {f"sub{number}": Held() for number in range(20)}
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN)]))
    assert receipt.job is not None
    assert 200 < len(receipt.job) <= 250
    kinds = [part.split(":")[0] for part in receipt.job.split("+")]
    assert kinds == ["erase", "contacts", "contacts", *["erase"] * 4]


def test_an_invalid_address_of_which_something_is_held_needs_a_human(full: Service) -> None:
    full.twin.invalid = {ANN}
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN)]))
    assert receipt.did is Did.FAILED
    assert receipt.gone > 0
    assert receipt.next_action is not None
    assert ANN not in receipt.next_action
    assert "Ann@Example.com" not in full.twin.own.lists["bounces"]


def test_a_refusal_that_names_nobody_is_not_repeated_for_ever(service: Service) -> None:
    service.twin.faults[("POST", "erasejob")] = [Reply(400, {"errors": [{"message": "no", "field": None}]})]
    system = service.system()
    with pytest.raises(Refused, match="named no address"):
        system.erase(system.find([person(ANN)]))
    assert service.twin.own.erased == []


def test_one_invalid_address_does_not_hide_the_contacts_of_others(service: Service) -> None:
    service.twin.invalid = {"p13@example.com", "p77@example.com"}
    people = [person(f"p{number}@example.com", ref=f"req_{number}") for number in range(100)]
    for number in range(100):
        service.twin.own.contact(number, f"p{number}@example.com")
    found = service.system().find(people)
    assert [each.total for each in found] == [0 if number in (13, 77) else 1 for number in range(100)]


def test_an_address_too_long_for_one_search_is_looked_for_with_the_other(service: Service) -> None:
    long = f"{'x' * 60}@{'y' * 60}.example.com"
    service.twin.own.contact(1, long)
    [found] = service.system().find([person(long)])
    assert found.counts == {"contacts": 1}


def test_a_contact_job_that_lasts_is_left_to_verify(service: Service) -> None:
    service.twin.job_state = "pending"
    service.twin.own.contact(1, ANN)
    system, ann = service.system(), person(ANN)
    [receipt] = system.erase(system.find([ann]))
    assert (receipt.did, receipt.gone) == (Did.ACCEPTED, 0)
    assert 5 < sum(service.waits) < 15
    [seen] = service.system().verify([ann], [receipt])
    assert (seen.remaining, seen.pending) == (1, True)
    service.twin.own.contacts.clear()
    service.twin.own.jobs.clear()
    [seen] = service.system().verify([ann], [receipt])
    assert (seen.remaining, seen.pending) == (0, False)


def test_the_jobs_of_many_people_are_waited_for_together_and_looked_at_once_each(service: Service) -> None:
    service.twin.job_state = "pending"
    people = [person(f"p{number}@example.com", ref=f"req_{number}") for number in range(250)]
    for number in range(250):
        service.twin.own.contact(number, f"p{number}@example.com")
    receipts = service.system().erase(service.system().find(people))
    assert 5 < sum(service.waits) < 15, "three jobs, and not three times the patience"
    before = len(service.calls)
    seen = service.system().verify(people, receipts)
    assert all(each.pending for each in seen)
    looks = [call for call in service.calls[before:] if "/contacts/imports/" in call.path]
    assert len(looks) == 3


@pytest.mark.parametrize("state", ["completed", "errored"])
def test_a_contact_that_outlives_its_job_is_a_residual(service: Service, state: str) -> None:
    service.twin.job_state = "pending"
    service.twin.own.contact(1, ANN)
    system, ann = service.system(), person(ANN)
    [receipt] = system.erase(system.find([ann]))
    service.twin.own.jobs = dict.fromkeys(service.twin.own.jobs, state)
    [seen] = system.verify([ann], [receipt])
    assert (seen.remaining, seen.pending) == (1, False)


def test_a_failed_job_is_asked_for_again(service: Service) -> None:
    service.twin.job_state = "failed"
    service.twin.own.contact(1, ANN)
    system = service.system()
    with pytest.raises(Unavailable, match="failed"):
        system.erase(system.find([person(ANN)]))


def test_a_key_without_the_right_is_found_out_before_anything_is_planned(service: Service) -> None:
    service.twin.scopes = ["mail.send"]
    with pytest.raises(Refused, match=r"recipients\.erasejob\.create"):
        service.system().find([person(ANN)])
    assert [call.path for call in service.calls] == ["/v3/scopes"]


def test_rights_and_subusers_are_read_once(full: Service) -> None:
    system, ann = full.system(), person(ANN)
    found = system.find([ann])
    system.verify([ann], system.erase(found))
    assert len(full.server.asked("GET", "/v3/scopes")) == len(full.server.asked("GET", "/v3/subusers")) == 1


def test_subusers_that_can_not_be_listed_are_not_passed_over(service: Service) -> None:
    service.twin.faults[("GET", "subusers")] = [Reply(403, {"errors": []})]
    with pytest.raises(Refused, match="subusers"):
        service.system().find([person(ANN)])
    service.calls.clear()
    assert service.system(subusers=False).find([person(ANN)])[0].counts == {}
    assert service.server.asked("GET", "subusers") == []


def test_many_subusers_are_all_looked_at(service: Service) -> None:
    service.twin.accounts |= {f"sub{number:04}": Held() for number in range(501)}
    service.twin.accounts["sub0500"].lists["bounces"] = [ANN]
    [found] = service.system().find([person(ANN)])
    assert found.counts == {"bounces": 1}


@pytest.mark.parametrize(
    ("listed", "people", "pages", "single"), [(499, 1, 1, 0), (500, 1, 1, 1), (1200, 5, 3, 0), (5000, 3, 3, 3)]
)
def test_a_list_costs_at_most_twice_the_fewest_calls(
    service: Service, listed: int, people: int, pages: int, single: int
) -> None:
    emails = [f"p{number}@example.com" for number in range(people)]
    service.twin.own.lists["bounces"] = [f"other{number}@example.com" for number in range(listed - 1)] + emails[:1]
    found = service.system().find([person(*emails)])
    assert found[0].counts == {"bounces": 1}
    asked = service.server.asked("GET", "/suppression/bounces")
    assert len([call for call in asked if call.query]) == pages
    assert len([call for call in asked if not call.query]) == single


def test_a_large_group_is_searched_and_not_read(service: Service) -> None:
    people = [person(f"p{number}@example.com", ref=f"req_{number}") for number in range(5)]
    service.twin.own.groups = {"7": ["p3@example.com"]}
    service.twin.faults[("GET", "asm/groups")] = [
        Reply(200, [{"id": 7, "name": "g", "description": "", "unsubscribes": 10**6}])
    ]
    found = service.system().find(people)
    assert [each.total for each in found] == [0, 0, 0, 1, 0]
    assert len(service.server.asked("POST", "suppressions/search")) == 1


def test_the_minute_of_all_tasks_together_is_kept(service: Service) -> None:
    service.budget.left_over = 0
    system = service.system()
    found = system.find([person(ANN)])
    with pytest.raises(Throttled) as caught:
        system.erase(found)
    assert caught.value.retry_after == 30
    assert service.budget.wishes == [("sendgrid.erasejob", 1, 100, timedelta(minutes=1))]
    assert service.twin.own.erased == []


def test_nothing_is_known_when_a_search_fails(service: Service) -> None:
    service.twin.faults[("GET", "spam_reports")] = [Reply(500)] * 9
    with pytest.raises(Unavailable, match="spam_reports"):
        service.system().find([person(ANN)])


def test_throttling_is_waited_for(full: Service) -> None:
    busy = Reply(429, {"errors": [{"field": None, "message": "too many requests"}]}, {"X-RateLimit-Reset": "4"})
    full.twin.faults = {("POST", "erasejob"): [busy], ("POST", "search/emails"): [busy], ("DELETE", "contacts"): [busy]}
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN, PAST)]))
    assert receipt.did is Did.ACCEPTED
    assert [wait for wait in full.waits if wait == 4.0] == [4.0] * 3


def test_the_registry_knows_the_module() -> None:
    assert registry.erasing_card("sendgrid") is ERASING_CARD


def test_a_connection_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package would take it from the environment."""
    from include.connection import Connection

    monkeypatch.setenv("SENDGRID_API_KEY", "SG.other")
    with pytest.raises(Refused, match="API key"):
        registry.connect_erasing(Connection("sendgrid"), means())

"""Whom Hotjar has shown to know, what it is told, and that nobody is ever written to."""

from datetime import UTC, datetime, timedelta

import pytest

from include.errors import Inconsistent, Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.systems.erasing import Did, Receipt
from include.systems.hotjar import ERASING_CARD, connect_erasing
from tests.systems.conformance.case import POLICY
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.systems.hotjar.people import ANN, BOB, DAY, EMAIL, LEAVING, UID, ids, recording, reports, response

MONTH = timedelta(days=30)
CLAIM = next(claim for claim in POLICY.systems["hotjar"].claims if claim.id == "hotjar.no_identifiers")


def look(system, *persons):
    return system.find([person.subject() for person in persons])


def erase(system, *persons):
    return system.erase(look(system, *persons))


@pytest.fixture
def connected(wire, clock):
    """Clients of a test's own."""
    built = []

    def build(**extra):
        built.append(connect_erasing(wire.connection(**extra), means_at(clock)))
        return built[-1]

    yield build
    for system in built:
        system.close()


def test_answers_that_name_a_person_are_counted(wire, system):
    wire.twin.seed(
        [
            response("typed", email="Ann@X.example"),
            response("said", "Write to <old.ann@x.example>", survey=LEAVING),
            response("known", user_id="u-ann"),
            response("bob", email="bob@x.example"),
        ]
    )
    ann, bob = look(system, ANN, BOB)
    assert (ann.counts, bob.counts) == ({"survey_answers": 3}, {"survey_answers": 1})


def test_an_address_inside_another_one_and_a_word_like_an_id_are_somebody_elses(wire, system):
    wire.twin.seed([response("joann", "joann@x.example or ann@x.example.org"), response("word", "u-ann 10 true")])
    odd = Somebody(3, {UID: ["10", "true", "hello", "word", "2001"]})
    assert [found.counts for found in look(system, ANN, odd)] == [{}, {}]


def test_nobody_is_ever_written_to(wire, system):
    wire.twin.seed([response("a", email="ann@x.example"), response("b", user_id="u-bob")])
    subjects = [ANN.subject(), BOB.subject()]
    system.verify(subjects, system.erase(system.find(subjects)))
    system.access()
    system.check(CLAIM)
    list(system.people())
    list(system.export(subjects))
    assert reports(wire) == []
    assert all(call.json["delete_all_hits"] is True for call in wire.asked("POST", "user-lookup"))


def test_only_an_erasure_asks_about_a_person(wire, system):
    wire.twin.seed([response("a", email="ann@x.example")])
    receipts = [Receipt(ANN.ref, Did.MANUAL)]
    look(system, ANN)
    system.verify([ANN.subject()], receipts)
    system.check(CLAIM)
    list(system.people())
    list(system.export([ANN.subject()]))
    assert wire.asked("POST", "user-lookup") == []


def test_recordings_of_those_whom_hotjar_knows_go(wire, system):
    wire.twin.seed(
        [response("a", email="Ann@X.example"), response("b", user_id="u-ann")],
        [
            recording("tied", email="ann@x.example"),
            recording("by-id", user_id="u-ann"),
            recording("bob", email="bob@x.example"),
            recording("nobody"),
        ],
    )
    (receipt,) = erase(system, ANN)
    assert ids(wire, "recordings") == ["bob", "nobody"]
    assert ids(wire, "responses") == ["a", "b"]
    assert (receipt.did, receipt.gone) == (Did.MANUAL, 0)
    assert receipt.next_action == f"To delete: 2 survey answers (a, b). {ERASING_CARD.instructions}"


def test_hotjar_is_told_of_nobody_whom_it_does_not_know(wire, system):
    wire.twin.seed([response("a", "old.ann@x.example")], [recording("tied", email="ann@x.example")])
    ann, bob = erase(system, ANN, BOB)
    assert (ann.did, bob.did) == (Did.MANUAL, Did.ABSENT)
    (asked,) = wire.asked("POST", "user-lookup")
    assert asked.json == {"data_subject_email": "old.ann@x.example", "delete_all_hits": True}


def test_a_request_names_one_address_or_one_user_of_one_site(wire, system):
    wire.twin.seed([response("a", "ann@x.example, old.ann@x.example", user_id="u-ann")])
    erase(system, ANN)
    assert [call.json for call in wire.asked("POST", "user-lookup")] == [
        {"data_subject_email": "ann@x.example", "delete_all_hits": True},
        {"data_subject_email": "old.ann@x.example", "delete_all_hits": True},
        {"data_subject_site_id_to_user_id_map": {"1401": "u-ann"}, "delete_all_hits": True},
    ]


@pytest.mark.parametrize("known", [{}, {"email": ""}, {"user": ("", "u-ann")}, {"user": ("1401", "")}])
def test_a_deletion_that_names_nobody_is_never_sent(wire, system, known):
    with pytest.raises(Refused):
        system._calls.delete_hits("140", **known)
    assert wire.calls == []


def test_without_an_organization_no_deletion_is_asked_for(wire, connected):
    wire.twin.seed([response("a", email="ann@x.example")])
    (receipt,) = erase(connected(organization_id=None), ANN)
    assert receipt.did is Did.MANUAL
    assert wire.asked("POST", "user-lookup") == []


def test_answers_that_are_deleted_by_hand_are_gone_a_month_later(wire, system, clock):
    wire.twin.seed([response("a", email="ann@x.example")])
    (receipt,) = erase(system, ANN)
    (seen,) = system.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.proved) == (1, True)
    wire.twin.remove("responses", "a")
    (seen,) = system.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, clock.now + MONTH, True)
    recorded, first = Receipt(ANN.ref, Did.MANUAL, until=seen.until), clock.now
    clock.now = first + DAY / 48
    assert system.verify([ANN.subject()], [recorded])[0].until == first + MONTH


def test_a_plan_without_surveys_leaves_each_person_to_be_looked_for_by_hand(wire, connected):
    system = connected(survey_export=False, sites=None)
    (found,) = look(system, ANN)
    (receipt,) = system.erase([found])
    (seen,) = system.verify([ANN.subject()], [receipt])
    assert (found.counts, receipt.did, seen.proved) == ({}, Did.MANUAL, False)
    assert receipt.next_action == f"Nothing could be looked at. {ERASING_CARD.instructions}"
    assert system.check(CLAIM).asked is False
    assert wire.calls == []


def test_long_lists_are_read_to_their_end(wire, system):
    wire.twin.seed(response(f"r{number:03}") for number in range(250))
    wire.twin.seed([response("a", email="ann@x.example")])
    assert look(system, ANN)[0].counts == {"survey_answers": 1}
    assert len(wire.asked("GET", "responses")) == 3 + 1


def test_a_token_is_used_as_long_as_it_lasts(wire, system, clock):
    look(system, ANN)
    look(system, ANN)
    assert len(wire.asked("POST", "token")) == 1
    wire.later, clock.now = DAY, clock.now + DAY
    look(system, ANN)
    assert len(wire.asked("POST", "token")) == 2


def test_the_claim_is_checked_by_counting_what_can_be_asked(wire, system):
    wire.twin.seed([response("a", "hello"), response("b", "I am bob@x.example"), response("c", user_id="u-ann")])
    checked = system.check(CLAIM)
    assert (checked.claim, checked.looked, checked.violations, checked.asked) == ("hotjar.no_identifiers", 3, 2, True)
    assert "bob" not in repr(checked)
    assert "u-ann" not in repr(checked)


def test_an_account_gives_out_a_persons_answers(wire, system):
    wire.twin.seed([response("a", "hello", email="ann@x.example")])
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    assert [record["id"] for record in ann.records["survey_answers"]] == ["a"]
    assert bob.records["survey_answers"] == []


def test_everybody_who_can_be_seen_is_listed(wire, system):
    wire.twin.seed([response("a", "(bob@x.example)"), response("b", user_id="u-ann")])
    assert {(one.kind, one.value) for one in system.people()} == {(EMAIL, "bob@x.example"), (UID, "u-ann")}


def test_a_key_is_tried_without_reading_an_answer(wire, connected):
    wire.twin.seed([response("a", email="ann@x.example")])
    access = connected(key_expires_on="2027-03-01").access()
    assert (access.missing, access.expires_at) == ((), datetime(2027, 3, 1, tzinfo=UTC))
    assert wire.asked("GET", "responses") == []


def test_a_plan_that_is_too_small_is_named(wire, system):
    wire.twin.settings.survey_export = False
    assert system.access().missing == (ERASING_CARD.scopes[1],)


def test_a_vendor_that_is_down_proves_nothing(wire, system):
    wire.fail(FaultKind.STATUS, "responses", status=503, times=99)
    with pytest.raises(Unavailable):
        look(system, ANN)


def test_a_deletion_whose_answer_is_lost_is_no_success(wire, system):
    wire.twin.seed([response("a", email="ann@x.example")])
    found = look(system, ANN)
    wire.fail(FaultKind.LOST_ANSWER, "user-lookup", times=1)
    with pytest.raises(Unavailable):
        system.erase(found)
    assert len(wire.asked("POST", "user-lookup")) == 1


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [], "access_token": None}])
def test_an_answer_without_a_list_is_no_proof(wire, system, monkeypatch, body):
    class Answered:
        json = body

    monkeypatch.setattr(system._calls, "sign_in", dict)
    monkeypatch.setattr(system._calls._http, "call", lambda *_, **__: Answered)
    if body.get("results") is None:
        with pytest.raises(Inconsistent):
            look(system, ANN)
    else:
        assert look(system, ANN)[0].counts == {}


def test_calls_wait_for_their_turn_in_the_shared_pace(wire):
    means = means_at(Clock())
    system = connect_erasing(wire.connection(), means)
    look(system, ANN)
    system.close()
    assert means.budgets.paced["hotjar/calls_per_second"] == len(wire.calls)


@pytest.mark.parametrize(
    "extra",
    [{"sites": None}, {"sites": "1401"}, {"sites": ["a/b"]}, {"key_expires_on": "soon"}, {"calls_per_second": 0}],
)
def test_a_connection_that_lacks_something_is_refused(connected, extra):
    with pytest.raises(Refused):
        connected(**extra)


def test_the_policy_says_that_nothing_is_sent():
    assert POLICY.systems["hotjar"].identifiers == ()

"""Whose answers are found, what is deleted, and what is said while the vendor takes its time."""

import pytest

from include.errors import Inconsistent, Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.systems.erasing import Did, Exporting, Receipt
from include.systems.typeform import calls, connect_erasing
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.systems.typeform.answers import ANN, BOB, DAY, DEMO, EMAIL, EVENT, FEEDBACK, UID, answer, ids


def look(system, *persons):
    return system.find([person.subject() for person in persons])


def erase(system, *persons):
    return system.erase(look(system, *persons))


def test_answers_are_found_by_every_place_that_can_name_a_person(wire, system):
    wire.twin.seed(
        [
            answer("typed", email="Ann@X.example"),
            answer("said", form=FEEDBACK, text="Write to <old.ann@x.example>, please."),
            answer("sent-along", form=EVENT, hidden={"email": "ann@x.example"}),
            answer("by-id", form=EVENT, hidden={"user_id": "u-ann"}),
            answer("other", email="bob@x.example"),
        ]
    )
    ann, bob = look(system, ANN, BOB)
    assert (ann.counts, bob.counts) == ({"answers": 4}, {"answers": 1})
    assert [receipt.did for receipt in erase(system, ANN)] == [Did.GONE]
    assert ids(wire) == ["other"]


def test_answers_that_were_never_sent_off_are_found_too(wire, system):
    wire.twin.seed(
        [answer("partial", sent=False, email="ann@x.example"), answer("begun", sent=False, hidden={"user_id": "u-ann"})]
    )
    assert look(system, ANN)[0].counts == {"answers": 2}
    erase(system, ANN)
    assert ids(wire) == []


def test_an_address_inside_another_one_is_somebody_elses(wire, system):
    wire.twin.seed(
        [
            answer("joann", email="joann@x.example"),
            answer("longer", text="ann@x.example.org and my-ann@x.example"),
            answer("plus", hidden={"email": "ann+shop@x.example"}),
        ]
    )
    assert look(system, ANN)[0].counts == {}
    assert [receipt.did for receipt in erase(system, ANN)] == [Did.ABSENT]
    assert len(ids(wire)) == 3


def test_a_user_id_counts_as_a_whole_hidden_value_alone(wire, system):
    wire.twin.seed([answer("word", text="0 and true and u-ann"), answer("longer", hidden={"user_id": "u-ann-2"})])
    odd = Somebody(3, {UID: ["0", "true", "aB3dEmo1", "completed", ""]})
    assert [found.counts for found in look(system, ANN, odd)] == [{}, {}]


def test_the_vendors_own_erasure_and_search_are_never_used(wire, system):
    wire.twin.seed([answer("a", email="ann@x.example")])
    system.verify([ANN.subject()], erase(system, ANN))
    assert not [call for call, _, _ in wire.calls if "rtbf" in call.path or "query" in dict(call.query)]


def test_a_deletion_names_its_answers_each_time(wire, system):
    wire.twin.seed([answer("a", email="ann@x.example")])
    erase(system, ANN, BOB)
    erase(system, BOB)
    (deletion,) = wire.asked("DELETE")
    assert dict(deletion.query) == {"included_response_ids": "a"}
    assert deletion.path == f"/forms/{DEMO}/responses"


@pytest.mark.parametrize("bad", ["", "a,b", "*", "a b", "\u0661"])
def test_an_id_that_could_mean_more_is_never_sent(wire, system, bad):
    with pytest.raises(Refused):
        system._calls.delete(DEMO, [bad])
    assert wire.calls == []


def test_no_ids_are_no_call(wire, system):
    assert system._calls.delete(DEMO, []) == set()
    assert wire.calls == []


def test_many_share_the_calls_of_one(wire, system):
    people = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(450)]
    wire.twin.seed(answer(f"a{number}", email=f"p{number}@x.example") for number in range(450))
    receipts = erase(system, *people)
    assert {receipt.did for receipt in receipts} == {Did.GONE}
    assert len(wire.asked("DELETE")) == -(-450 // calls.CHUNK)
    assert ids(wire) == []


@pytest.mark.parametrize("shown", [0, 3])
def test_what_is_carried_out_within_seconds_is_gone(wire, system, shown):
    wire.twin.settings.shown_after_deletion = shown
    wire.twin.seed([answer("a", email="ann@x.example")])
    (receipt,) = erase(system, ANN)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.GONE, 1, None)


def test_what_takes_longer_is_accepted_then_pending_then_gone(wire, system, clock):
    wire.twin.settings.shown_after_deletion = len(calls.POLLS) + 2
    wire.twin.seed([answer("a", email="ann@x.example")])
    (receipt,) = erase(system, ANN)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ACCEPTED, 0, clock.now + DAY)
    (seen,) = system.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.pending, seen.until) == (0, True, receipt.until)
    for _ in range(2):
        (seen,) = system.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.pending, seen.proved) == (0, False, True)


def test_what_is_there_after_the_date_remains(wire, system, clock):
    wire.twin.seed([answer("a", email="ann@x.example")])
    receipt = Receipt(ANN.ref, Did.ACCEPTED, until=clock.now)
    (seen,) = system.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.pending) == (1, False)


def test_long_lists_are_read_to_their_end(wire, system):
    wire.twin.seed(answer(f"a{number:04}", text="hello") for number in range(2100))
    wire.twin.seed([answer("a", days=900, email="ann@x.example")])
    assert look(system, ANN)[0].counts == {"answers": 1}
    assert len(wire.asked("GET", DEMO)) == 3


def test_a_list_that_does_not_advance_is_no_proof(wire, system, monkeypatch):
    monkeypatch.setattr(calls, "PAGE", 1)
    wire.twin.seed([answer("a"), answer("b")])
    page = system._calls._page
    monkeypatch.setattr(system._calls, "_page", lambda form, params: page(form, {"page_size": 1}))
    with pytest.raises(Inconsistent):
        look(system, ANN)


def test_a_form_that_vanished_since_it_was_listed_holds_nothing(wire, system):
    wire.fail(FaultKind.STATUS, f"GET /forms/{DEMO}/responses", status=404, times=1)
    assert look(system, ANN)[0].counts == {}


def test_an_account_gives_out_everything_about_a_person(wire, system):
    wire.twin.seed([answer("a", email="ann@x.example", text="hello"), answer("b", form=EVENT, email="bob@x.example")])
    assert isinstance(system, Exporting)
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    assert [record["form_id"] for record in ann.records["answers"]] == [DEMO]
    assert ann.records["answers"][0]["answers"][0]["email"] == "ann@x.example"
    assert [record["response_id"] for record in bob.records["answers"]] == ["b"]
    assert "ann" not in repr(ann)


def test_everybody_is_listed(wire, system):
    wire.twin.seed(
        [
            answer("a", email="ann@x.example"),
            answer("b", form=EVENT, text="(bob@x.example).", hidden={"user_id": "u-bob", "source": ""}),
        ]
    )
    assert {(known.kind, known.value) for known in system.people()} == {
        (EMAIL, "ann@x.example"),
        (EMAIL, "bob@x.example"),
        (UID, "u-bob"),
    }


def test_a_token_is_tried_without_reading_an_answer(wire, system):
    wire.twin.seed([answer("a", email="ann@x.example")])
    access = system.access()
    assert (access.missing, access.shown) == ((), False)
    assert not any("ann@x.example" in str(body) for _, _, body in wire.calls)
    assert not wire.asked("DELETE")


@pytest.mark.parametrize("missing", ["forms:read", "responses:read"])
def test_a_scope_that_is_missing_is_named(wire, system, missing):
    wire.twin.settings.scopes = tuple(scope for scope in wire.twin.settings.scopes if scope != missing)
    assert system.access().missing == (missing,)


def test_a_token_that_may_not_delete_is_refused(wire, system):
    wire.twin.seed([answer("a", email="ann@x.example")])
    wire.twin.settings.scopes = ("accounts:read", "forms:read", "responses:read")
    with pytest.raises(Refused):
        erase(system, ANN)


def test_a_vendor_that_is_down_proves_nothing(wire, system):
    wire.fail(FaultKind.STATUS, "GET /forms", status=503, times=99)
    with pytest.raises(Unavailable):
        look(system, ANN)


def test_calls_wait_for_their_turn_in_the_shared_pace(wire):
    means = means_at(Clock())
    system = connect_erasing(wire.connection(), means)
    look(system, ANN)
    system.close()
    assert means.budgets.paced["typeform/calls_per_second"] == len(wire.calls) == 4


@pytest.mark.parametrize("rate", [0, -1, True, "2"])
def test_a_rate_that_is_none_is_refused(wire, rate):
    with pytest.raises(Refused):
        connect_erasing(wire.connection(calls_per_second=rate), means_at(Clock()))


def test_a_connection_without_a_token_is_refused(wire):
    connection = wire.connection()
    with pytest.raises(Refused):
        connect_erasing(type(connection)("typeform", host=connection.host), means_at(Clock()))

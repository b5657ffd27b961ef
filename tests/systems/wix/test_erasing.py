"""Who is found where, in which order it goes, what can never be sent, and what is left for a person to do."""

import pytest

from include.errors import Inconsistent, Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.systems.erasing import Did, Exporting, Receipt
from include.systems.wix import ERASING_CARD, connect_erasing, contacts
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.systems.wix.people import ANN, BOB, DAY, EMAIL, contact, conversation, ids, member, submission


def look(system, *persons):
    return system.find([person.subject() for person in persons])


def erase(system, *persons):
    return system.erase(look(system, *persons))


@pytest.fixture
def without_inbox(wire, clock):
    system = connect_erasing(wire.connection(inbox=False), means_at(clock))
    yield system
    system.close()


def test_members_contacts_and_submissions_of_a_person_are_found_and_go(wire, system):
    wire.twin.seed(
        [
            contact("ann", "ann@x.example"),
            contact("past", "else@x.example", "old.ann@x.example"),
            contact("bob", "bob@x.example"),
            member("ann", "ann@x.example"),
            submission("typed", values={"email_1": "Ann@X.example"}),
            submission("said", values={"message_2": "Write to <old.ann@x.example>."}),
            submission("tied", values={"first_name": "Ann"}, contact="contact-ann"),
            submission("signed-in", values={"first_name": "Ann"}, member="member-ann"),
            submission("other", values={"email_1": "bob@x.example"}),
        ]
    )
    ann, bob = look(system, ANN, BOB)
    assert ann.counts == {"members": 1, "contacts": 2, "submissions": 4}
    assert bob.counts == {"contacts": 1, "submissions": 1}
    (receipt,) = erase(system, ANN)
    assert receipt.gone == 7
    assert ids(wire) == ["contact-bob", "submission-other"]


def test_an_address_inside_another_one_is_somebody_elses(wire, system):
    wire.twin.seed(
        [
            contact("joann", "joann@x.example"),
            contact("longer", "ann@x.example.org"),
            submission("plus", values={"email_1": "ann+shop@x.example"}),
        ]
    )
    assert look(system, ANN)[0].counts == {}
    assert [receipt.did for receipt in erase(system, ANN)] == [Did.ABSENT]
    assert len(ids(wire)) == 3


def test_a_search_that_gives_more_than_was_asked_for_deletes_nobody_else(wire, system, monkeypatch):
    """As the vendor may do with a filter that it does not understand."""
    monkeypatch.setattr("include.sandbox.wix.api.matches", lambda *_: True)
    wire.twin.seed([contact("bob", "bob@x.example"), member("bob", "bob@x.example")])
    assert look(system, ANN)[0].counts == {}


def test_submissions_go_past_the_trash(wire, system):
    wire.twin.seed([submission("a", values={"email_1": "ann@x.example"})])
    erase(system, ANN)
    (deletion,) = wire.asked("DELETE", "submissions")
    assert deletion.query == [("permanent", "true")]
    assert ids(wire, "trash") == []


def test_what_visitors_sent_is_asked_for_and_not_only_what_the_key_wrote(wire, system):
    look(system, ANN)
    assert all(call.json["onlyYourOwn"] is False for call in wire.asked("POST", "submissions"))


def test_the_call_that_makes_a_conversation_is_never_made(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example"), conversation("c", "ann", "ann@x.example")])
    system.verify([ANN.subject()], erase(system, ANN))
    list(system.people())
    assert wire.asked("POST", "inbox") == []
    assert ids(wire) == ["conversation-c"]


def test_whoever_had_a_contact_is_looked_for_in_the_inbox_by_hand(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example"), submission("bob", values={"email_1": "bob@x.example"})])
    ann, bob = erase(system, ANN, BOB)
    assert (ann.did, ann.gone, ann.next_action) == (Did.MANUAL, 1, ERASING_CARD.instructions)
    assert (bob.did, bob.gone) == (Did.GONE, 1)
    seen = system.verify([ANN.subject(), BOB.subject()], [ann, bob])
    assert [(one.remaining, one.proved) for one in seen] == [(0, False), (0, True)]


def test_what_is_left_by_hand_is_known_before_the_contact_goes(wire, system, without_inbox):
    wire.twin.seed([contact("ann", "ann@x.example"), submission("bob", values={"email_1": "bob@x.example"})])
    assert [one.by_hand for one in look(system, ANN, BOB)] == [ERASING_CARD.instructions, None]
    assert [one.by_hand for one in look(without_inbox, ANN, BOB)] == [None, None]


def test_a_site_without_an_inbox_leaves_nothing_to_do(wire, without_inbox):
    wire.twin.seed([contact("ann", "ann@x.example")])
    (receipt,) = erase(without_inbox, ANN)
    assert (receipt.did, receipt.gone, receipt.next_action) == (Did.GONE, 1, None)
    (seen,) = without_inbox.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.proved) == (0, True)


def test_a_single_contact_needs_no_job(wire, without_inbox):
    wire.twin.seed([contact("ann", "ann@x.example")])
    erase(without_inbox, ANN)
    assert wire.asked("POST", "bulk") == []


def test_many_contacts_share_a_job_which_is_tried_out_by_a_search(wire, without_inbox):
    people = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(250)]
    wire.twin.seed(contact(f"p{number}", f"p{number}@x.example") for number in range(250))
    found = look(without_inbox, *people)
    wire.calls.clear()
    assert {receipt.did for receipt in without_inbox.erase(found)} == {Did.GONE}
    jobs = wire.asked("POST", "bulk")
    tried = [call.json["query"]["filter"] for call in wire.asked("POST", "query")]
    assert len(jobs) == 3
    assert all(call.json["filter"] in tried for call in jobs)
    assert all(set(call.json) == {"filter"} and list(call.json["filter"]) == ["id"] for call in jobs)
    assert ids(wire) == []


def test_a_filter_that_lets_through_more_is_never_used_to_delete(wire, without_inbox, monkeypatch):
    wire.twin.seed(
        [contact("ann", "ann@x.example"), contact("past", "old.ann@x.example"), contact("bob", "b@x.example")]
    )
    found = look(without_inbox, ANN)
    monkeypatch.setattr("include.sandbox.wix.api.matches", lambda *_: True)
    with pytest.raises(Inconsistent):
        without_inbox.erase(found)
    assert wire.asked("POST", "bulk") == []
    assert len(ids(wire)) == 3


@pytest.mark.parametrize("bad", [["", "contact-2"], ["*", "contact-2"], [".."], [""], ["a" * 65], ["contact 1"]])
def test_an_id_that_could_mean_more_is_never_sent(wire, system, bad):
    with pytest.raises(Refused):
        contacts.delete(system._site, bad)
    with pytest.raises(Refused):
        system._site.delete_submission(bad[0])
    assert wire.calls == []


def test_no_ids_are_no_call(wire, system):
    assert contacts.delete(system._site, []) == contacts.Deleted()
    assert wire.calls == []


def test_a_contact_that_wix_keeps_is_a_failure_with_a_next_step(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example", contributor=True), contact("past", "bob@x.example")])
    ann, bob = erase(system, ANN, BOB)
    assert (ann.did, ann.gone) == (Did.FAILED, 0)
    assert "1 contact" in ann.next_action
    assert bob.did is Did.MANUAL
    assert ids(wire) == ["contact-ann"]


def test_alone_too_a_contact_that_wix_keeps_is_a_failure(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example"), member("ann", "other@x.example")])
    (receipt,) = erase(system, ANN)
    assert (receipt.did, receipt.gone) == (Did.FAILED, 0)


def test_a_search_that_lags_behind_is_waited_for(wire, without_inbox):
    wire.twin.settings.shown_after_deletion = 3
    wire.twin.seed([contact("ann", "ann@x.example"), contact("past", "old.ann@x.example")])
    (receipt,) = erase(without_inbox, ANN)
    assert (receipt.did, receipt.gone) == (Did.GONE, 2)


def test_a_job_that_takes_longer_is_accepted_then_pending_then_gone(wire, without_inbox, clock):
    wire.twin.settings.job_polls = len(contacts.POLLS) + 3
    wire.twin.seed([contact("ann", "ann@x.example"), contact("past", "old.ann@x.example"), submission("s")])
    (receipt,) = erase(without_inbox, ANN)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ACCEPTED, 0, clock.now + DAY)
    assert receipt.job
    recorded = Receipt(receipt.ref, receipt.did, 0, receipt.job, receipt.until)
    (seen,) = without_inbox.verify([ANN.subject()], [recorded])
    assert (seen.remaining, seen.pending, seen.until) == (0, True, receipt.until)
    without_inbox.verify([ANN.subject()], [recorded])
    (seen,) = without_inbox.verify([ANN.subject()], [recorded])
    assert (seen.remaining, seen.pending) == (0, False)


def test_what_is_there_after_the_job_remains(wire, without_inbox):
    wire.twin.seed([contact("ann", "ann@x.example")])
    (seen,) = without_inbox.verify([ANN.subject()], [Receipt(ANN.ref, Did.ACCEPTED, job="forgotten-job")])
    assert (seen.remaining, seen.pending) == (1, False)


def test_long_lists_are_read_to_their_end(wire, system, monkeypatch):
    monkeypatch.setattr(contacts, "PAGE", 3)
    wire.twin.seed(submission(f"s{number:03}", days=number + 1, values={"a": "hello"}) for number in range(230))
    wire.twin.seed([submission("ann", days=999, values={"email_1": "ann@x.example"})])
    wire.twin.seed(contact(f"c{number}", f"c{number}@x.example", "ann@x.example") for number in range(10))
    wire.twin.seed(member(f"m{number}", f"m{number}@x.example") for number in range(120))
    assert look(system, ANN)[0].counts == {"contacts": 10, "submissions": 1}
    assert len(wire.asked("POST", "submissions")) == 3
    assert len({known.value for known in system.people()}) == 131


def test_a_site_gives_out_everything_about_a_person(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example"), submission("a", values={"email_1": "ann@x.example"})])
    assert isinstance(system, Exporting)
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    assert ann.records["contacts"][0]["primaryInfo"] == {"email": "ann@x.example"}
    assert ann.records["submissions"][0]["submissions"] == {"email_1": "ann@x.example"}
    assert not any(bob.records.values())
    assert "ann" not in repr(ann)


def test_a_key_is_tried_without_reading_a_record(wire, system):
    wire.twin.seed([contact("ann", "ann@x.example"), submission("a", values={"email_1": "ann@x.example"})])
    assert (system.access().missing, system.access().shown) == ((), False)
    assert not any("ann@x.example" in str(body) for _, _, body in wire.calls)


@pytest.mark.parametrize("missing", ERASING_CARD.scopes)
def test_a_right_that_is_missing_is_named(wire, system, missing):
    wire.twin.settings.rights = tuple(right for right in ERASING_CARD.scopes if right != missing)
    assert system.access().missing == (missing,)


def test_a_key_of_another_site_is_refused(wire):
    system = connect_erasing(wire.connection(site_id="another-site"), means_at(Clock()))
    with pytest.raises(Refused):
        system.access()
    system.close()


def test_an_answer_without_a_list_is_no_proof(wire, system, monkeypatch):
    monkeypatch.setattr(system._site, "post", lambda *_, **__: {})
    with pytest.raises(Inconsistent):
        look(system, ANN)


@pytest.mark.parametrize("operation", ["POST /contacts/v4/contacts/query", "POST /form-submission-service"])
def test_a_vendor_that_is_down_proves_nothing(wire, system, operation):
    wire.fail(FaultKind.STATUS, operation, status=503, times=99)
    with pytest.raises(Unavailable):
        look(system, ANN)


def test_a_bulk_deletion_is_never_repeated_by_itself(wire, without_inbox):
    wire.twin.seed([contact("ann", "ann@x.example"), contact("past", "old.ann@x.example")])
    wire.fail(FaultKind.LOST_ANSWER, "POST /contacts/v4/bulk", times=1)
    with pytest.raises(Unavailable):
        erase(without_inbox, ANN)
    assert len(wire.asked("POST", "bulk")) == 1


def test_calls_wait_for_their_turn_in_the_shared_pace(wire):
    means = means_at(Clock())
    system = connect_erasing(wire.connection(), means)
    look(system, ANN)
    system.close()
    assert means.budgets.paced["wix/calls_per_second"] == len(wire.calls) == 3


@pytest.mark.parametrize(
    "extra", [{"site_id": None}, {"namespaces": []}, {"namespaces": "forms"}, {"calls_per_second": 0}]
)
def test_a_connection_that_lacks_something_is_refused(wire, extra):
    with pytest.raises(Refused):
        connect_erasing(wire.connection(**extra), means_at(Clock()))

"""A status is what the evidence says, whatever the order in which things went wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.erasure.evidence import HELD, Look, not_connected_entry
from include.erasure.status import CLEAN, Outcome, Stage
from include.ledger.entry import Entry, Kind
from include.systems.erasing import Did
from tests.erasure.story import REF, START, Story, approved

DAY = timedelta(days=1)
LATER = START + 40 * DAY


def test_a_request_goes_from_received_to_closed() -> None:
    story = Story().opened()
    assert story.status().stage is Stage.RECEIVED
    assert story.identified().status().stage is Stage.SEARCHING
    assert story.found(3).planned().status().stage is Stage.PLANNED
    assert story.decided().status().stage is Stage.APPROVED
    intent = story.intent(3)
    assert story.status().stage is Stage.EXECUTING
    assert story.outcome(Did.GONE, intent=intent, gone=3).seen().status().stage is Stage.DONE
    assert story.other(Kind.REQUEST_CLOSED, reason="complete").status().stage is Stage.CLOSED


def test_several_people_nothing_found_and_a_no_have_stages_of_their_own() -> None:
    assert Story().opened().identified("several").status().stage is Stage.AMBIGUOUS
    assert Story().opened().identified("none").found(0).planned(to_do=False).status().stage is Stage.NO_MATCH
    assert Story().opened().identified().found(3).planned().decided("declined").status().stage is Stage.DECLINED


def test_a_new_plan_needs_a_new_decision() -> None:
    status = approved().planned(count=9).status()
    assert (status.approved, status.stage) == (False, Stage.PLANNED)


def test_a_new_identification_takes_plan_and_decision_away() -> None:
    status = approved().identified().status()
    assert (status.approved, status.digest, status.stage) == (False, None, Stage.SEARCHING)


def test_an_intent_without_an_outcome_is_under_way_and_never_done() -> None:
    story = approved()
    story.intent(3)
    assert story.row().outcome is Outcome.UNDER_WAY
    assert story.status().stage is Stage.EXECUTING


def test_an_outcome_without_a_look_is_not_proved() -> None:
    assert approved().erased().row().outcome is Outcome.UNDER_WAY


def test_what_a_lost_call_did_shows_in_what_the_next_one_finds() -> None:
    story = approved()
    story.intent(3)
    row = story.erased(Did.ABSENT, found=0, gone=0).seen().row()
    assert (row.outcome, row.gone) == (Outcome.VERIFIED_GONE, 3)


@pytest.mark.parametrize("did", ["held", Did.FAILED, Did.DEFERRED, Did.BLOCKED])
def test_what_a_lost_call_left_for_a_person_is_kept_until_a_try_is_done(did: str) -> None:
    story = approved()
    story.intent(3, by_hand="look into the inbox")
    assert story.row().by_hand == "look into the inbox"
    story.intent(0)
    assert story.refused(did).row().by_hand == "look into the inbox"
    last = story.intent(0)
    assert story.row().by_hand == "look into the inbox"
    assert story.outcome(Did.MANUAL, intent=last).row().by_hand is None


def test_an_intent_of_an_older_release_leaves_nothing_for_a_person() -> None:
    story = approved()
    story.write(Entry(Kind.INTENT, REF, system="redis", body={"found": 3}))
    assert story.row().by_hand is None


def test_nothing_held_is_absent_or_agrees_with_the_claim() -> None:
    story = Story().opened().identified().found(0).planned(count=0).decided().erased(Did.ABSENT, found=0, gone=0).seen()
    assert story.row().outcome is Outcome.ABSENT
    assert story.row(claims=frozenset({"redis"})).outcome is Outcome.NO_IDENTIFIER


def test_data_kept_on_a_ground_is_held_and_not_absent() -> None:
    kept = {"what": "contacts", "count": 1, "ground": "the customer decides", "routed": True}
    story = Story().opened().identified().found(0, stays=[kept]).planned(count=0).decided()
    row = story.erased(Did.ABSENT, found=0, gone=0).seen().row()
    assert (row.outcome, row.stays[0].routed) == (Outcome.HELD, True)


def test_a_receipt_is_accepted_until_a_look_after_its_date() -> None:
    horizon = START + 37 * DAY
    story = approved().erased(Did.ACCEPTED, until=horizon).seen(until=horizon)
    assert story.row().outcome is Outcome.ACCEPTED
    assert story.row(LATER).outcome is Outcome.ACCEPTED  # the date has passed, and nobody has looked
    story.now = LATER
    assert story.seen(look=Look.RECHECK).row().outcome is Outcome.VERIFIED_GONE


def test_a_receipt_that_cannot_be_proved_stays_one_and_settles_with_its_date() -> None:
    horizon = START + 37 * DAY
    story = approved().erased(Did.ACCEPTED, until=horizon).seen(until=horizon, proved=False)
    assert not story.row().settled(story.now)
    assert story.row(LATER).settled(LATER)
    assert story.row(LATER).outcome is Outcome.ACCEPTED


def test_hidden_copies_are_expiring_until_a_look_after_their_date() -> None:
    purge = START + 7 * DAY
    story = approved().erased(until=purge).seen(until=purge)
    assert story.row().outcome is Outcome.EXPIRING
    story.now = LATER
    assert story.seen(look=Look.RECHECK).row().outcome is Outcome.VERIFIED_GONE


def test_a_job_that_has_not_ended_is_accepted() -> None:
    assert approved().erased(Did.ACCEPTED).seen(pending=True).row().outcome is Outcome.ACCEPTED


def test_data_left_after_the_call_is_a_failure_and_data_found_later_a_residual() -> None:
    story = approved().erased().seen(remaining=1)
    assert story.row().outcome is Outcome.FAILED
    again = approved().erased().seen().seen(remaining=2, look=Look.RECHECK)
    assert (again.row().outcome, again.row().remaining) == (Outcome.RESIDUAL_FOUND, 2)
    assert again.status().stage is Stage.EXECUTING
    assert again.erased(found=2, gone=2).seen().row().outcome is Outcome.VERIFIED_GONE


@pytest.mark.parametrize(
    ("did", "outcome"),
    [(HELD, Outcome.HELD), (Did.FAILED.value, Outcome.FAILED), (Did.DEFERRED.value, Outcome.DEFERRED)],
)
def test_a_call_that_was_not_made_says_why(did: str, outcome: Outcome) -> None:
    row = approved().refused(did).row()
    assert (row.outcome, row.next_action) == (outcome, "because")


def test_work_by_hand_waits_is_done_and_is_looked_after() -> None:
    story = approved().erased(Did.MANUAL, gone=0).seen(remaining=1)
    assert story.row().outcome is Outcome.MANUAL_PENDING
    story.write(Entry(Kind.MANUAL_DONE, REF, system="redis", body={"by": "staff_z", "proof": "ticket 7"}))
    assert story.row().outcome is Outcome.MANUAL_DONE
    assert story.seen(remaining=1, look=Look.RECHECK).row().outcome is Outcome.RESIDUAL_FOUND
    assert story.seen(look=Look.RECHECK).row().outcome is Outcome.VERIFIED_GONE


def test_a_cancelled_request_says_what_was_done() -> None:
    story = approved("redis", "firestore").erased().seen().other(Kind.CANCELLED, by="staff_x", reason="mistake")
    status = story.status()
    assert status.stage is Stage.CANCELLED
    assert [row.outcome for row in status.rows] == [Outcome.VERIFIED_GONE, Outcome.TO_DO]


def test_the_answer_is_told_once_and_an_open_one_is_known() -> None:
    story = approved()
    story.write(Entry(Kind.NOTICE_INTENT, REF, system="sendgrid"))
    assert (story.status().notice_open, story.status().answered) == ("sendgrid", False)
    story.write(Entry(Kind.NOTICE, REF, system="sendgrid", body={"sending": "not sent"}))
    assert (story.status().notice_open, story.status().tried_senders) == (None, ("sendgrid",))
    story.write(Entry(Kind.NOTICE, REF, system="mailgun", body={"sending": "sent"}))
    assert story.status().answered


def test_a_system_that_nobody_can_look_into_is_settled_and_no_proof() -> None:
    story = approved("redis", "wix")
    story.write(not_connected_entry(REF, "wix"))
    row = story.row(system="wix")
    assert (row.outcome, row.settled(LATER), row.planned) == (Outcome.NOT_CONNECTED, True, 3)
    assert Outcome.NOT_CONNECTED not in CLEAN
    assert story.status().stage is Stage.APPROVED
    assert story.erased().seen().status().stage is Stage.DONE


def test_a_look_that_is_taken_after_all_counts() -> None:
    story = approved()
    story.write(not_connected_entry(REF, "redis"))
    assert story.found(2).row().outcome is Outcome.TO_DO


@pytest.mark.parametrize(
    ("remaining", "proved", "look", "outcome"),
    [
        (0, False, Look.PUSH, Outcome.DERIVED),
        (0, True, Look.RECHECK, Outcome.DERIVED),
        (1, True, Look.PUSH, Outcome.FAILED),
        (1, True, Look.RECHECK, Outcome.RESIDUAL_FOUND),
    ],
)
def test_what_follows_its_source_is_clean_unless_a_look_finds_something(
    remaining: int, proved: bool, look: Look, outcome: Outcome
) -> None:
    story = approved()
    story.outcome(Did.DERIVED, intent=story.intent(0)).seen(remaining, proved=proved, look=look)
    assert story.row().outcome is outcome
    assert story.row().settled(LATER) == (remaining == 0)

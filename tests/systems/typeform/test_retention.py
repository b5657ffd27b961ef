"""Which answers are old enough, what holds one back, and what happens between selection and deletion."""

from dataclasses import replace

import pytest

from include.errors import Refused, Unavailable
from include.policy.actions import Action, Anonymisation
from include.sandbox.faults import FaultKind
from include.systems.contract import ReadBack, Selection, Survey, Swept
from include.systems.typeform import calls
from include.systems.typeform import retention as module
from tests.systems.conformance.means import NOW
from tests.systems.typeform.answers import DAY, DEMO, EVENT, answer, ids

YEAR = 365 * DAY


def rule(trigger="submitted_at", **more):
    fields = {"location": {}, "subject": "answers", "cutoff": NOW - YEAR, "period_seconds": int(YEAR.total_seconds())}
    return Selection(rule="M4", trigger_field=trigger, **{**fields, **more})


def sweep(system, selection, on_hold=None):
    return sum(system.expire(selection, batch).gone for batch in system.batches(selection, on_hold))


def test_answers_are_due_by_the_day_they_were_sent_off(wire, retention):
    old = answer("old", days=400)
    wire.twin.seed([old, answer("older", form=EVENT, days=500), answer("new", days=20)])
    survey = retention.survey(rule(), None)
    assert (survey.total, survey.due, survey.held, survey.newest) == (3, 2, 0, old.submitted_at)
    assert sweep(retention, rule()) == 2
    assert ids(wire) == ["new"]
    assert retention.read_back(rule(), None) == ReadBack(0, 0)


def test_an_answer_that_was_never_sent_off_counts_from_its_beginning(wire, retention):
    """The vendor gives it the year 1 as the day on which it was sent off."""
    wire.twin.seed([answer("begun", sent=False, days=20), answer("forgotten", sent=False, days=400)])
    assert sweep(retention, rule()) == 1
    assert ids(wire) == ["begun"]


def test_the_cutoff_itself_is_not_due(wire, retention):
    at = answer("at")
    wire.twin.seed(
        [replace(at, submitted_at=NOW - YEAR), replace(at, id="before", submitted_at=NOW - YEAR - DAY / 86400)]
    )
    assert sweep(retention, rule()) == 1
    assert ids(wire) == ["at"]


def test_the_beginning_alone_can_count(wire, retention):
    wire.twin.seed([replace(answer("a", days=400), submitted_at=NOW)])
    assert sweep(retention, rule()) == 0
    assert sweep(retention, rule("landed_at")) == 1


def test_one_form_can_be_swept_alone(wire, retention):
    wire.twin.seed([answer("a", days=400), answer("b", form=EVENT, days=400)])
    assert sweep(retention, rule(location={"form": EVENT})) == 1
    assert ids(wire) == ["a"]


@pytest.mark.parametrize("held", ["ann@x.example", "Ann@X.example", "u-ann"])
def test_answers_of_somebody_on_hold_stay(wire, retention, held):
    wire.twin.seed(
        [
            answer("typed", days=400, email="Ann@X.example", hidden={"user_id": "u-ann"}),
            answer("other", days=400, email="joann@x.example"),
        ]
    )
    assert retention.survey(rule(), held.__eq__) == Survey(2, 2, 1, *(answer("a", days=400).submitted_at,) * 2)
    assert sweep(retention, rule(), held.__eq__) == 1
    assert ids(wire) == ["typed"]
    assert retention.read_back(rule(), held.__eq__) == ReadBack(0, 1)


def test_pages_go_on_while_their_answers_are_deleted(wire, retention, monkeypatch):
    """The answer that a page ends with must be there when the next one is asked for."""
    monkeypatch.setattr(calls, "PAGE", 4)
    monkeypatch.setattr(module, "PAGE", 3)
    wire.twin.settings.shown_after_deletion = 0
    wire.twin.seed(answer(f"a{number:02}", days=400 + number) for number in range(30))
    wire.twin.seed(answer(f"n{number}", days=number + 1) for number in range(5))
    assert sweep(retention, rule()) == 30
    assert len(ids(wire)) == 5


def test_an_answer_that_was_sent_off_meanwhile_stays(wire, retention):
    begun = answer("a", sent=False, days=400)
    wire.twin.seed([begun, answer("b", days=400), answer("c", days=400)])
    (batch,) = retention.batches(rule(), None)
    wire.twin.seed([replace(begun, submitted_at=NOW)])
    wire.twin._api.answers[DEMO].pop("c")
    assert retention.expire(rule(), batch) == Swept(gone=1, absent=1, changed=1)
    assert ids(wire) == ["a"]


def test_a_deletion_that_is_only_registered_is_not_counted(wire, retention):
    wire.twin.settings.shown_after_deletion = 99
    wire.twin.seed([answer("a", days=400)])
    (batch,) = retention.batches(rule(), None)
    with pytest.raises(Unavailable):
        retention.expire(rule(), batch)
    assert retention.read_back(rule(), None) == ReadBack(1, 0)


def test_a_lost_answer_is_no_success_and_the_next_run_ends_clean(wire, retention):
    wire.twin.seed([answer("a", days=400)])
    wire.fail(FaultKind.LOST_ANSWER, "DELETE", times=99)
    with pytest.raises(Unavailable):
        sweep(retention, rule())
    wire.faults.clear()
    sweep(retention, rule())
    assert ids(wire) == []


def test_nothing_that_can_be_printed_names_anybody(wire, retention):
    wire.twin.seed([answer("ann-7", days=400, email="ann@x.example")])
    (batch,) = retention.batches(rule(), None)
    assert "ann" not in repr(batch)


@pytest.mark.parametrize(
    "more",
    [
        {"location": {"forms": DEMO}},
        {"location": {"form": ""}},
        {"trigger_field": "created_at"},
        {"where": {"form": DEMO}},
        {"subject": "email"},
        {"action": Action.ANONYMISE, "anonymisation": Anonymisation(("email",))},
    ],
)
def test_what_it_does_not_understand_is_refused_before_any_call(wire, retention, more):
    selection = replace(rule(), **more)
    with pytest.raises(Refused):
        retention.survey(selection, None)
    assert wire.calls == []


def test_there_is_no_expiry_of_the_vendor(wire, retention):
    assert retention.expiry(rule()) == []
    with pytest.raises(Refused):
        retention.set_expiry(rule())

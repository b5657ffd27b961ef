"""Status is computed from evidence: sane after every entry, whatever the order in which rules write theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.ledger.entry import Entry, Json, Kind, Recorded
from include.retention.status import FINAL, RuleStatus, State, statuses
from tests.retention.kit import AS_OF

RUN = "run_abcdefghijklmnop"
RULES = ("C2", "C3", "U1")
TOLERANCE = 5
LATER = "2025-04-07T00:00:00Z"


@dataclass
class Told:
    """A rule as the engine would tell of it: nothing but what it can write, in an order in which it can write it."""

    rule: str
    due: int = -1
    done: int = 0
    allowance: int = 0
    open: dict[int, int] = field(default_factory=dict)

    def choices(self) -> list[str]:
        found = ["plan"]
        if self.due >= 0:
            found += ["guard", "decision", "verification"]
        if self.allowance > 0:
            found.append("intent")
        if self.open:
            found += ["outcome", "lost", "unknown"]
        return found


def recorded(index: int, kind: Kind, rule: str, body: dict[str, Json]) -> Recorded:
    return Recorded(index, AS_OF, Entry(kind, RUN, rule, "firestore", body), b"")


def plan_body(*, due: int, held: int = 0, dry_run: bool = False) -> dict[str, Json]:
    return {
        "action": "delete",
        "total": due + 10,
        "due": due,
        "held": held,
        "oldest": None,
        "newest": None,
        "cutoff": "2024-01-01T00:00:00Z",
        "digest": "d",
        "connector": "firestore/1",
        "dry_run": dry_run,
    }


@st.composite
def stories(draw: st.DrawFn) -> list[Recorded]:
    """Up to forty entries about three rules, mixed as parallel tasks mix them."""
    told = {rule: Told(rule) for rule in RULES}
    entries: list[Recorded] = []
    for index in range(draw(st.integers(0, 40))):
        one = told[draw(st.sampled_from(RULES))]
        entries.append(_next(draw, one, index, draw(st.sampled_from(one.choices()))))
    return entries


def _next(draw: st.DrawFn, one: Told, index: int, what: str) -> Recorded:
    if what == "plan":
        held = draw(st.integers(0, 5))
        one.due = held + draw(st.integers(0, 30))
        one.allowance = one.due - held + TOLERANCE
        return recorded(index, Kind.PLAN, one.rule, plan_body(due=one.due, held=held))
    if what == "guard":
        verdict = draw(st.sampled_from(["pass", "ask", "refuse"]))
        breaches: Json = [] if verdict == "pass" else [{"code": "share", "text": "Too many."}]
        return recorded(index, Kind.GUARD, one.rule, {"verdict": verdict, "digest": "d", "breaches": breaches})
    if what == "decision":
        choice = draw(st.sampled_from(["approved", "declined"]))
        return recorded(index, Kind.DECISION, one.rule, {"choice": choice, "digest": "d"})
    if what == "intent":
        count = draw(st.integers(1, one.allowance))
        one.allowance -= count
        one.open[index] = count
        return recorded(index, Kind.INTENT, one.rule, {"count": count})
    if what == "verification":
        return recorded(index, Kind.VERIFICATION, one.rule, _verification(draw))
    intent = draw(st.sampled_from(sorted(one.open)))
    count = one.open.pop(intent)
    if what == "unknown":
        return recorded(index, Kind.OUTCOME, one.rule, {"intent": intent, "gone": None, "reconciled": True})
    gone = draw(st.integers(0, count))
    body: dict[str, Json] = {"intent": intent, "gone": gone, "reconciled": what == "lost"}
    if what == "outcome":
        changed = draw(st.integers(0, count - gone))
        body |= {"changed": changed, "absent": count - gone - changed, "blocked": 0, "until": None}
    return recorded(index, Kind.OUTCOME, one.rule, body)


def _verification(draw: st.DrawFn) -> dict[str, Json]:
    remaining, residual = draw(st.integers(0, 3)), draw(st.integers(0, 1))
    return {
        "remaining": remaining,
        "held": draw(st.integers(0, 3)),
        "blocked": draw(st.integers(0, 2)),
        "until": draw(st.sampled_from([None, "2025-03-01T00:00:00Z", LATER])),
        "residual_fields": residual,
        "complete": remaining == 0 and residual == 0,
    }


def since_last(entries: Sequence[Recorded], rule: str) -> tuple[Recorded | None, set[int]]:
    """The verification that still counts, and the intents that are open."""
    seen: Recorded | None = None
    opened: set[int] = set()
    for one in entries:
        if one.entry.rule != rule:
            continue
        if one.entry.kind in (Kind.PLAN, Kind.INTENT):
            seen = None
        if one.entry.kind is Kind.INTENT:
            opened.add(one.index)
        if one.entry.kind is Kind.OUTCOME:
            opened.discard(int(str(one.entry.body["intent"])))
        if one.entry.kind is Kind.VERIFICATION:
            seen = one
    return seen, opened


@given(stories())
def test_after_every_entry_the_status_claims_no_more_than_the_evidence(story: list[Recorded]) -> None:
    for length in range(len(story) + 1):
        told = story[:length]
        for status in statuses(told, at=AS_OF):
            seen, opened = since_last(told, status.rule)
            proved = seen is not None and seen.entry.body["complete"] is True
            assert status.verified is proved
            if status.state in {State.VERIFIED_GONE, State.ABSENT, State.EXPIRING, State.HELD}:
                assert proved
                assert not opened
            assert status.gone <= status.due + TOLERANCE
            assert status.gone == _sum(told, status.rule, "gone")
            assert status.left_alone == _sum(told, status.rule, "changed")
            _never_negative(status)


def _sum(told: Sequence[Recorded], rule: str, key: str) -> int:
    bodies = [r.entry.body for r in told if r.entry.kind is Kind.OUTCOME and r.entry.rule == rule]
    return sum(value for body in bodies if isinstance(value := body.get(key), int))


def _never_negative(status: RuleStatus) -> None:
    counts = (status.due, status.gone, status.unknown, status.held, status.remaining, status.elsewhere, status.failed)
    assert min(counts) >= 0
    assert status.deleted + status.anonymised == status.gone
    if status.elsewhere:
        assert status.verified


@given(stories())
def test_a_rule_is_judged_by_its_own_entries_alone(story: list[Recorded]) -> None:
    together = {status.rule: status for status in statuses(story, at=AS_OF)}
    for rule in together:
        assert statuses([one for one in story if one.entry.rule == rule], at=AS_OF) == [together[rule]]


@given(stories())
def test_a_run_that_was_opened_has_a_row_for_every_rule_in_its_order(story: list[Recorded]) -> None:
    opened: Json = [{"rule": rule, "system": "firestore", "action": "delete"} for rule in (*RULES, "X2")]
    first = Recorded(0, AS_OF, Entry(Kind.RUN_OPENED, RUN, None, None, {"rules": opened}), b"")
    found = statuses([first, *story], at=AS_OF)
    assert [status.rule for status in found] == [*RULES, "X2"]
    assert found[-1].state is State.UNCOUNTED
    planned = {one.entry.rule for one in story if one.entry.kind is Kind.PLAN}
    assert {status.rule for status in found if status.state is not State.UNCOUNTED} == planned


VERIFIED = {"remaining": 0, "held": 0, "blocked": 0, "until": None, "residual_fields": 0, "complete": True}
Step = tuple[Kind, dict[str, Any]]
PLAN: Step = (Kind.PLAN, plan_body(due=9))
PASS: Step = (Kind.GUARD, {"verdict": "pass", "digest": "d", "breaches": []})
ASK: Step = (Kind.GUARD, {"verdict": "ask", "digest": "d", "breaches": [{"code": "share", "text": "Too many."}]})
REFUSE: Step = (Kind.GUARD, {"verdict": "refuse", "digest": "d", "breaches": [{"code": "future", "text": "No."}]})
YES: Step = (Kind.DECISION, {"choice": "approved", "digest": "d"})
NO: Step = (Kind.DECISION, {"choice": "declined", "digest": "d"})
INTENT: Step = (Kind.INTENT, {"count": 9})
NOT_CONNECTED: Step = (Kind.ACCESS, {"state": "not connected"})
SEEN: Step = (Kind.VERIFICATION, VERIFIED)


def outcome(intent: int, gone: int | None, **more: Any) -> Step:
    return Kind.OUTCOME, {"intent": intent, "gone": gone, "reconciled": gone is None, **more}


def seen(**changes: Any) -> Step:
    return Kind.VERIFICATION, {**VERIFIED, **changes}


TABLE: list[tuple[list[Step], State]] = [
    ([PLAN], State.PLANNED),
    ([PLAN, PASS], State.PLANNED),
    ([PLAN, ASK], State.WAITING),
    ([PLAN, ASK, YES], State.PLANNED),
    ([PLAN, ASK, NO], State.DECLINED),
    ([PLAN, ASK, NO, PLAN, ASK], State.WAITING),
    ([PLAN, REFUSE], State.REFUSED),
    ([PLAN, REFUSE, YES], State.REFUSED),
    ([(Kind.PLAN, plan_body(due=9, dry_run=True)), ASK], State.COUNTED),
    ([PLAN, PASS, INTENT], State.RUNNING),
    ([PLAN, PASS, INTENT, outcome(2, 9)], State.RUNNING),
    ([PLAN, PASS, INTENT, outcome(2, 9), SEEN], State.VERIFIED_GONE),
    ([PLAN, PASS, SEEN], State.ABSENT),
    ([PLAN, PASS, INTENT, outcome(2, 8), seen(held=1)], State.HELD),
    ([PLAN, PASS, INTENT, outcome(2, 8), seen(blocked=1)], State.HELD),
    ([PLAN, PASS, INTENT, outcome(2, 8), seen(remaining=1, complete=False)], State.FAILED),
    ([PLAN, PASS, INTENT, outcome(2, 9), seen(residual_fields=1, complete=False)], State.FAILED),
    ([PLAN, PASS, INTENT, outcome(2, 9), seen(until=LATER)], State.EXPIRING),
    ([PLAN, PASS, INTENT, outcome(2, 9), seen(until="2025-03-31T00:00:00Z")], State.VERIFIED_GONE),
    ([PLAN, PASS, seen(until=LATER)], State.ABSENT),
    ([NOT_CONNECTED], State.NOT_CONNECTED),
    ([NOT_CONNECTED, PLAN, PASS, SEEN], State.ABSENT),
    ([PLAN, PASS, INTENT, outcome(2, 9), SEEN, INTENT], State.RUNNING),
    ([PLAN, PASS, INTENT, outcome(2, 9), SEEN, PLAN, ASK], State.WAITING),
    ([PLAN, PASS, INTENT, SEEN], State.FAILED),
    ([PLAN, PASS, INTENT, outcome(2, None), seen(remaining=2, complete=False)], State.FAILED),
]


def told(steps: Sequence[Step]) -> RuleStatus:
    entries = [recorded(index, kind, "C2", body) for index, (kind, body) in enumerate(steps)]
    (status,) = statuses(entries, at=AS_OF)
    return status


@pytest.mark.parametrize(("steps", "state"), TABLE)
def test_the_state_that_the_evidence_gives(steps: list[Step], state: State) -> None:
    assert told(steps).state is state


def test_hidden_copies_turn_into_gone_on_their_day() -> None:
    steps = [PLAN, PASS, INTENT, outcome(2, 9), seen(until=LATER)]
    entries = [recorded(index, kind, "C2", body) for index, (kind, body) in enumerate(steps)]
    assert statuses(entries, at=AS_OF + timedelta(days=7))[0].state is State.VERIFIED_GONE


def test_what_another_rule_removed_is_told_apart() -> None:
    status = told([PLAN, PASS, INTENT, outcome(2, 5, absent=2, changed=0), seen(held=1)])
    assert (status.gone, status.held, status.elsewhere, status.failed) == (5, 1, 3, 0)


def test_a_batch_whose_fate_is_unknown_is_not_counted_as_gone() -> None:
    status = told([PLAN, PASS, INTENT, outcome(2, None), SEEN])
    assert (status.gone, status.unknown, status.elsewhere) == (0, 9, 0)


def test_the_rest_is_failed_until_it_is_done() -> None:
    assert told([PLAN, PASS, INTENT, outcome(2, 4)]).failed == 5
    assert told([PLAN, PASS, INTENT, outcome(2, 4), seen(remaining=5, complete=False)]).failed == 5
    assert told([PLAN, ASK]).failed == 0


def test_reasons_and_decision_come_along() -> None:
    status = told([PLAN, ASK, YES])
    assert (status.breaches, status.decision) == (("Too many.",), "approved")


def test_a_run_ends_green_only_on_what_is_settled() -> None:
    open_states = {State.UNCOUNTED, State.PLANNED, State.WAITING, State.REFUSED, State.RUNNING, State.FAILED}
    assert open_states.isdisjoint(FINAL)
    assert open_states | FINAL == set(State)

"""The guard: every reason to stop, at its exact limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.ledger.instants import instant
from include.policy.model import Policy
from include.policy.register import Protected
from include.policy.rules import Confirmation
from include.retention.guard import (
    BASELINE_FLOOR,
    BASELINE_MINIMUM,
    LONGEST_GAP,
    Breach,
    Circumstances,
    Judgement,
    Mode,
    Verdict,
    judge,
)
from include.retention.plan import Plan
from tests.retention.kit import AS_OF, POLICY

RULE = POLICY.rule("C2")
BUDGET = RULE.budget.model_copy(update={"max_records": 1000, "max_share_percent": 10, "baseline_factor": 4})
CALM = Circumstances(mode=Mode.TRIAL, now=AS_OF + timedelta(hours=2), last_as_of=None, past_due=())


def plan(**changes: Any) -> Plan:
    usual = Plan(
        rule=RULE.id,
        system="firestore",
        scope="0" * 64,
        action="delete",
        as_of=str(instant(AS_OF)),
        cutoff=str(instant(AS_OF - timedelta(days=1000))),
        total=10_000,
        due=50,
        held=0,
        oldest=None,
        newest=None,
        whole_hold=None,
        connector="firestore/1",
    )
    return replace(usual, **changes)


def judged(one: Plan, *, rule: dict[str, Any] | None = None, policy: Policy = POLICY, **changes: Any) -> Judgement:
    changed = RULE.model_copy(update={"budget": BUDGET, **(rule or {})})
    return judge(one, policy, changed, replace(CALM, **changes))


CONFIRMED = {"confirmed": Confirmation.model_validate({"by": "Board", "on": "2026-01-31"})}
DAY = timedelta(days=1)
TABLE: list[tuple[str, Judgement, list[str]]] = [
    ("an ordinary night", judged(plan()), []),
    ("nothing due", judged(plan(due=0, total=0)), []),
    ("all of it held", judged(plan(due=9000, held=9000)), []),
    ("as many as the budget allows", judged(plan(due=1000)), []),
    ("one more than the budget", judged(plan(due=1001, total=100_000)), ["records"]),
    ("held records do not count", judged(plan(due=1001, held=1)), []),
    ("the share at its limit", judged(plan(due=100, total=1000)), []),
    ("the share a record above", judged(plan(due=101, total=1000)), ["share"]),
    ("a share of a collection that is smaller than counted", judged(plan(due=5, total=0)), ["share"]),
    ("records and share", judged(plan(due=1001, total=1001)), ["records", "share"]),
    ("unconfirmed on trial", judged(plan()), []),
    ("unconfirmed in production", judged(plan(), mode=Mode.PRODUCTION), ["unconfirmed"]),
    ("confirmed in production", judged(plan(), rule=CONFIRMED, mode=Mode.PRODUCTION), []),
    ("unconfirmed with nothing to do", judged(plan(due=3, held=3), mode=Mode.PRODUCTION), []),
    ("a usual gap", judged(plan(), last_as_of=AS_OF - LONGEST_GAP), []),
    ("a gap too long", judged(plan(), last_as_of=AS_OF - LONGEST_GAP - DAY), ["clock"]),
    ("an earlier date again", judged(plan(), last_as_of=AS_OF + 100 * DAY), []),
    ("a date that begins now", judged(plan(), now=AS_OF), []),
    ("a date that has not begun", judged(plan(), now=AS_OF - timedelta(microseconds=1)), ["future"]),
    ("a future cut-off with nothing due", judged(plan(due=0, cutoff=str(instant(AS_OF + DAY)))), ["future"]),
    ("too little history", judged(plan(due=999), past_due=(1,) * (BASELINE_MINIMUM - 1)), []),
    ("far above the usual", judged(plan(due=401), past_due=(100,) * 3), ["baseline"]),
    ("just within the usual", judged(plan(due=400), past_due=(100,) * 3), []),
    ("small numbers are never unusual", judged(plan(due=BASELINE_FLOOR), past_due=(0,) * 9), []),
    ("small numbers end", judged(plan(due=BASELINE_FLOOR + 1), past_due=(0,) * 9), ["baseline"]),
    ("one odd night in the history", judged(plan(due=401), past_due=(100, 9000, 100)), ["baseline"]),
    ("the lower of two medians", judged(plan(due=401), past_due=(100, 100, 9000, 9000)), ["baseline"]),
    ("history beyond the window", judged(plan(due=999), past_due=(1,) * 14 + (9000,) * 99), ["baseline"]),
]


@pytest.mark.parametrize(("judgement", "codes"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_the_guard_finds(judgement: Judgement, codes: list[str]) -> None:
    assert [breach.code for breach in judgement.breaches] == codes


def test_a_place_that_is_protected_is_refused_whatever_else_is_true() -> None:
    location = dict(POLICY.holding(RULE.holding).location)
    for where in ({"group": location["group"]}, location):
        place = Protected(system="firestore", location=where, reason="proof")
        policy = POLICY.model_copy(update={"protected": (place,)})
        assert judged(plan(due=0), policy=policy).verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    ("system", "location"),
    [
        ("firestore", {"group": "consents"}),
        ("redis", {"group": "contacts"}),
        ("firestore", {"group": "contacts", "x": "y"}),
    ],
)
def test_another_place_that_is_protected_does_not_matter(system: str, location: dict[str, str]) -> None:
    policy = POLICY.model_copy(update={"protected": (Protected(system=system, location=location, reason="proof"),)})
    assert judged(plan(), policy=policy).verdict is Verdict.PASS


def test_the_verdict_is_that_of_the_worst_breach() -> None:
    asks, refuses = Breach("a", "A."), Breach("b", "B.", approvable=False)
    assert Judgement(()).verdict is Verdict.PASS
    assert Judgement((asks,)).verdict is Verdict.ASK
    assert Judgement((asks, refuses)).verdict is Judgement((refuses,)).verdict is Verdict.REFUSE


def test_only_a_date_and_a_protected_place_are_beyond_approval() -> None:
    for _, judgement, codes in TABLE:
        expected = Verdict.REFUSE if "future" in codes else Verdict.ASK if codes else Verdict.PASS
        assert judgement.verdict is expected


@given(
    due=st.integers(0, 3000),
    held=st.integers(0, 3000),
    total=st.integers(0, 50_000),
    past=st.lists(st.integers(0, 500), max_size=20),
)
def test_more_due_never_makes_a_plan_more_acceptable(due: int, held: int, total: int, past: list[int]) -> None:
    held = min(held, due)
    total = max(total, due + 1)
    fewer = judged(plan(due=due, held=held, total=total), past_due=tuple(past))
    more = judged(plan(due=due + 1, held=held, total=total), past_due=tuple(past))
    assert {breach.code for breach in fewer.breaches} <= {breach.code for breach in more.breaches}
    assert due - held <= BUDGET.max_records or fewer.verdict is Verdict.ASK

"""What the engine writes, and the intents that nothing answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.ledger.entry import Entry, Recorded, canonical, parse
from include.retention.evidence import (
    Place,
    dangling,
    decision_entry,
    drift_entry,
    guard_entry,
    intent_entry,
    outcome_entry,
    plan_entry,
    reconciled_entry,
    verification_entry,
)
from include.retention.guard import Breach, Judgement
from include.systems.contract import Batch, Expiry, ReadBack, Swept
from tests.retention.kit import AS_OF
from tests.retention.test_guard import plan

PLACE = Place("run_abcdefghijklmnop", "C2", "firestore")
PLAN = plan()
UNTIL = datetime(2025, 4, 7, tzinfo=UTC)
BATCH = Batch(12, AS_OF, None, records=["users/secret"])
INTENT = intent_entry(PLACE, PLAN, BATCH, number=3, due_before=40, holds_version=7)
EVERY: list[Entry] = [
    plan_entry(PLACE, PLAN, dry_run=True),
    guard_entry(PLACE, PLAN, Judgement((Breach("share", "Too many."),))),
    decision_entry(PLACE, PLAN.digest, approved=True, by="staff_x", reason="ticket 1"),
    INTENT,
    outcome_entry(PLACE, 4, Swept(gone=5, absent=1, changed=2, blocked=3, until=UNTIL)),
    reconciled_entry(PLACE, 4, None),
    drift_entry(PLACE, [Expiry("ttl", "none", "14 months", agrees=False, note="Set it.")]),
    verification_entry(PLACE, PLAN, ReadBack(1, 2, 3, UNTIL, 4), complete=False),
]


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.kind)
def test_every_entry_is_at_its_place_and_survives_the_ledger(entry: Entry) -> None:
    assert (entry.run, entry.rule, entry.system) == (PLACE.run, PLACE.rule, PLACE.system)
    assert parse(canonical(entry, AS_OF)) == (entry, AS_OF)


def test_an_intent_is_bound_to_its_plan_and_names_no_record() -> None:
    assert "secret" not in str(INTENT)
    assert INTENT.body["digest"] == PLAN.digest
    assert (INTENT.body["count"], INTENT.body["batch"], INTENT.body["due_before"]) == (12, 3, 40)
    assert (INTENT.body["oldest"], INTENT.body["newest"]) == ("2025-03-31T00:00:00Z", None)


def test_an_outcome_tells_all_counts() -> None:
    assert EVERY[4].body == {
        "intent": 4,
        "gone": 5,
        "absent": 1,
        "changed": 2,
        "blocked": 3,
        "until": "2025-04-07T00:00:00Z",
        "reconciled": False,
    }


@given(st.lists(st.integers(0, 6), max_size=30))
def test_dangling_intents_are_those_without_an_outcome(steps: list[int]) -> None:
    entries: list[Recorded] = []
    opened: list[int] = []
    for index, step in enumerate(steps):
        if step > 2 or not opened:
            entries.append(Recorded(index, AS_OF, INTENT, b""))
            opened.append(index)
        else:
            answered = opened.pop(step % len(opened))
            entries.append(Recorded(index, AS_OF, outcome_entry(PLACE, answered, Swept(gone=1)), b""))
    found = dangling(entries)
    assert [one.index for one in found] == opened
    for one in found:
        assert (one.place, one.scope, one.count, one.due_before) == (PLACE, PLAN.scope, 12, 40)
        assert one.cutoff.isoformat() == PLAN.cutoff.replace("Z", "+00:00")

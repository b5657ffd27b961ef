"""The plan's digest: canonical, and different when any field is."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from include.ledger.instants import instant, moment
from include.retention.plan import Plan
from include.systems.contract import Survey

TEXT = st.text(st.characters(codec="ascii"), max_size=12)
MOMENTS = st.datetimes(timezones=st.just(UTC))
PLANS = st.builds(
    Plan,
    **{name: TEXT for name in ("rule", "system", "scope", "action", "as_of", "cutoff", "connector")},
    **{name: st.integers(0, 10**9) for name in ("total", "due", "held")},
    **{name: st.none() | TEXT for name in ("oldest", "newest", "whole_hold")},
)
SURVEY = Survey(total=90, due=40, held=7, oldest=datetime(2020, 1, 1, tzinfo=UTC), newest=None)


@given(PLANS)
def test_the_digest_is_the_hash_of_sorted_json_without_spaces(plan: Plan) -> None:
    text = "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in sorted(asdict(plan).items())) + "}"
    assert plan.digest == sha256(text.encode()).hexdigest()
    assert plan.body()["digest"] == plan.digest


@given(PLANS, PLANS, st.sampled_from([field.name for field in fields(Plan)]))
def test_a_change_of_any_field_changes_the_digest(plan: Plan, other: Plan, name: str) -> None:
    changed = replace(plan, **{name: getattr(other, name)})
    assert (changed.digest == plan.digest) == (changed == plan)


@given(PLANS)
def test_a_plan_comes_back_from_evidence_as_it_was(plan: Plan) -> None:
    assert Plan.from_body(json.loads(json.dumps(plan.body()))) == plan


@given(MOMENTS)
def test_an_instant_comes_back_as_it_was(at: datetime) -> None:
    text = instant(at)
    assert text is not None
    assert text.endswith("Z")
    assert moment(text) == at


def test_no_instant_is_none() -> None:
    assert instant(None) is None


def of(whole_hold: str | None) -> Plan:
    at = datetime(2025, 3, 31, tzinfo=UTC)
    return Plan.of(
        rule="C2",
        system="firestore",
        scope="s",
        action="delete",
        as_of=at,
        cutoff=at,
        survey=SURVEY,
        whole_hold=whole_hold,
        connector="firestore/1",
    )


def test_a_plan_takes_its_counts_from_the_survey() -> None:
    plan = of(None)
    assert (plan.total, plan.due, plan.held, plan.to_do) == (90, 40, 7, 33)
    assert (plan.oldest, plan.newest) == ("2020-01-01T00:00:00Z", None)


def test_a_hold_on_the_whole_holds_all_that_is_due() -> None:
    plan = of("hold_1")
    assert (plan.held, plan.to_do, plan.whole_hold) == (40, 0, "hold_1")
    assert plan.digest != of(None).digest

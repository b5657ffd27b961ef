"""What a report shows behind its sums: the evidence, the findings, the coverage and the trend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from include.errors import Inconsistent
from include.ledger.entry import Entry, Kind, Recorded
from include.policy.coverage import Standing
from include.reports.model import Severity, Verdict
from include.reports.trail import past_nights, read_trail
from tests.reports.nights import AS_OF, Night, build, good_night, hold, of, policy, surroundings


def test_every_number_leads_to_its_ledger_entries() -> None:
    night = good_night()
    kinds = {recorded.index: recorded.entry.kind for recorded in night.entries}
    report = build(night)
    assert (kinds[report.run.opened], kinds[report.run.closed]) == (Kind.RUN_OPENED, Kind.RUN_CLOSED)
    for row in report.rules:
        trace = row.trace
        assert trace.plan is not None
        assert trace.verification is not None
        assert (kinds[trace.plan], kinds[trace.verification]) == (Kind.PLAN, Kind.VERIFICATION)
        assert trace.batches == 1
    assert report.rules[0].counts.due == 1402


def test_a_second_try_counts_with_its_newest_entries_and_a_look_before_a_batch_proves_nothing() -> None:
    night = Night().open(("C2", "firestore"))
    night.plan("C2", "firestore", total=400, due=100, verdict="ask", reason="Too many.")
    night.decide("C2", "firestore", approved=True)
    night.plan("C2", "firestore", total=400, due=100)
    night.look("C2", "firestore", remaining=100, complete=False)
    night.batch("C2", "firestore", 100)
    night.close()
    trace = build(night).rules[0].trace
    assert (trace.plan, trace.decision, trace.verification) == (104, None, None)


def test_a_decision_is_shown_with_what_it_was_about() -> None:
    night = Night().open(("C2", "firestore"))
    night.plan("C2", "firestore", total=90, due=80, verdict="ask", reason="80 of 90 records are due.")
    night.decide("C2", "firestore", approved=True, reason="DPO-12")
    night.close()
    decision = build(night).decisions[0]
    assert (decision.choice, decision.by, decision.reason) == ("approved", "stf_k3j2", "DPO-12")
    assert decision.reasons == ("80 of 90 records are due.",)


def test_drift_of_a_store_is_something_to_act_on() -> None:
    night = good_night()
    night.entries.pop()
    night.drift("A4", "redis", agrees=False, note="Set the time to live of the sessions.", configured="9 s")
    night.close()
    report = build(night)
    assert of(report, "drift") == [
        "redis, rule A4: ttlConfig of interactions.at is set to 9 s; the policy wants 63072000 s."
    ]
    assert report.verdict is Verdict.ATTENTION


def test_store_without_a_setting_of_its_own_is_only_noted() -> None:
    night = good_night()
    night.entries.pop()
    night.drift("C3", "firestore", agrees=False, note="The nightly sweep alone deletes.")
    night.close()
    report = build(night)
    assert len(of(report, "drift")) == 1
    assert [finding.severity for finding in report.findings if finding.code == "drift"] == [Severity.NOTE]


@pytest.mark.parametrize(("days", "overdue"), [(-1, True), (0, True), (1, False)])
def test_a_hold_is_overdue_from_its_day_of_review_on(days: int, overdue: bool) -> None:
    review = AS_OF.date() + timedelta(days=days)
    report = build(good_night(), surroundings(holds=[hold(review=review)]))
    assert report.holds[0].overdue is overdue
    assert bool(of(report, "hold_review")) is overdue


def test_a_hold_on_a_person_is_shown_without_the_person() -> None:
    one = hold(review=date(2027, 1, 1))
    one = replace(one, scope=replace(one.scope, subject="sub_secret", rule=None, system="redis"))
    row = build(good_night(), surroundings(holds=[one])).holds[0]
    assert row.scope == "one person, every rule, redis"
    assert "sub_secret" not in repr(row)


def test_every_system_of_the_policy_is_covered_by_a_rule_of_this_run_or_listed_with_the_reason() -> None:
    connected = ["firestore", "firebase_auth", "redis", "cloud_storage", "sendgrid", "mailgun"]
    report = build(good_night(), surroundings(connected=connected))
    listed = {system.system: system for system in report.uncovered}
    for key in policy().systems:
        assert key in listed or policy().rules_of(key)
    assert listed["elasticsearch"].blocks
    assert listed["elasticsearch"].next_step == "Create the Airflow connection 'elasticsearch'."
    assert len(of(report, "no_means")) == 1
    assert not listed["hotjar"].blocks


def test_a_system_with_rules_and_no_module_is_listed() -> None:
    around = surroundings()
    report = build(good_night(), replace(around, cards={k: v for k, v in around.cards.items() if k != "redis"}))
    assert next(system for system in report.uncovered if system.system == "redis").blocks


def test_gaps_and_unconfirmed_periods_of_the_policy_are_listed() -> None:
    report = build(good_night())
    assert [gap.section for gap in report.gaps] == ["2", "5", "6.1", "8"]
    assert len(report.unconfirmed) == len(policy().rules) + len(policy().promises)
    assert of(report, "unconfirmed")


def test_the_coverage_tells_the_last_look_at_each_rule() -> None:
    rows = {row.rule: row for row in build(good_night(), surroundings(nights=3)).coverage if row.rule}
    assert rows["C2"].last_run is not None
    assert rows["C2"].last_run.evidence == "#105"
    assert rows["C2"].standing is Standing.ENFORCED
    assert rows["M1"].last_run is None


def test_a_rule_that_was_not_counted_or_only_counted_is_not_called_enforced() -> None:
    silent = Night().open(("C2", "firestore"), ("A4", "redis"))
    silent.plan("A4", "redis", total=9, due=4)
    silent.close()
    dry = Night(dry_run=True).open(("C2", "firestore"))
    dry.plan("C2", "firestore", total=9, due=0)
    dry.close()
    rows = {row.rule: row for row in build(silent).coverage}
    assert (rows["C2"].standing, rows["A4"].standing) == (Standing.NEVER_RUN, Standing.BEHIND)
    assert {row.standing for row in build(dry).coverage if row.rule == "C2"} == {Standing.NEVER_RUN}
    earlier = {row.rule: row for row in build(silent, surroundings(nights=2)).coverage}["C2"]
    assert earlier.standing is Standing.ENFORCED
    assert earlier.last_run is not None
    assert earlier.last_run.evidence == "#2"


def test_a_policy_that_changed_under_the_run_is_a_finding() -> None:
    night = good_night()
    night.policy = "f" * 64
    assert of(build(night), "policy_changed")


def test_a_rule_that_has_left_the_policy_keeps_its_id() -> None:
    night = Night().open(("Z9", "firestore"))
    night.sweep("Z9", "firestore", total=5, due=1)
    night.close()
    row = build(night).rules[0]
    assert (row.name, row.sections, row.budget_percent) == ("Z9", (), None)


def test_a_run_without_its_opening_or_closing_is_no_run() -> None:
    with pytest.raises(Inconsistent):
        read_trail(good_night().entries[:-1])
    with pytest.raises(Inconsistent):
        read_trail(good_night().entries[1:])


def closing(index: int, run: str, as_of: datetime, *, due: int = 5, dry_run: bool = False) -> Recorded:
    rule = {"rule": "C2", "system": "firestore", "state": "held", "due": due, "gone": due, "held": 0, "remaining": 0}
    body = {"as_of": as_of.isoformat(), "dry_run": dry_run, "rules": [rule]}
    return Recorded(index, as_of, Entry(Kind.RUN_CLOSED, run, body=body), bytes(32))  # type: ignore[arg-type]


def test_the_trend_has_each_run_once_with_its_newest_closing_and_no_dry_or_later_run() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    entries = [
        closing(9, "run_b", day + timedelta(days=1), due=8),
        closing(3, "run_b", day + timedelta(days=1), due=2),
        closing(1, "run_a", day),
        closing(4, "run_dry", day, dry_run=True),
        closing(5, "run_later", day + timedelta(days=9)),
    ]
    nights = past_nights(entries, until=day + timedelta(days=1), most=5)
    assert [(night.run, night.due) for night in nights] == [("run_a", 5), ("run_b", 8)]
    assert [night.run for night in past_nights(entries, until=day + timedelta(days=1), most=1)] == ["run_b"]

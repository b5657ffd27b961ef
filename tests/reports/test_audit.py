"""What a report says of a night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import Inconsistent
from include.ledger.entry import Entry, Kind, Recorded
from include.policy.coverage import Standing
from include.reports.audit import audit_report, counts_of, total
from include.reports.model import AuditReport, Severity, Verdict
from include.reports.trail import past_nights, read_trail
from include.retention.status import FINAL, RuleStatus, State
from tests.reports.nights import AS_OF, Night, build, good_night, hold, policy, surroundings

counts = st.integers(0, 10_000)


def status(rule: str, system: str, numbers: dict[str, int], state: State, action: str) -> RuleStatus:
    return RuleStatus(
        run="run_abcdefghijklmnop",
        rule=rule,
        system=system,
        action=action,
        state=state,
        verified=state in {State.VERIFIED_GONE, State.ABSENT},
        oldest=None,
        newest=None,
        cutoff="2023-11-22T00:00:00Z",
        until=None,
        digest="0" * 64,
        connector=f"{system}/1",
        **numbers,
    )


numbers = st.fixed_dictionaries(
    dict.fromkeys(("total", "due", "gone", "left_alone", "unknown", "held", "remaining"), counts)
)
random_statuses = st.lists(
    st.builds(
        status,
        st.sampled_from([rule.id for rule in policy().rules] + ["Gone-from-policy"]),
        st.sampled_from(["firestore", "redis", "elsewhere"]),
        numbers,
        st.sampled_from(State),
        st.sampled_from(["delete", "anonymise"]),
    ),
    max_size=6,
)


def report_of(statuses: list[RuleStatus], *, dry_run: bool = False) -> AuditReport:
    night = Night(dry_run=dry_run, policy=policy().digest).open()
    night.close()
    return audit_report(policy(), read_trail(night.entries), statuses, surroundings())


def of(report: AuditReport, code: str) -> list[str]:
    return [f"{finding.subject}: {finding.text}" for finding in report.findings if finding.code == code]


def _known(status: RuleStatus) -> int:
    return status.gone + status.elsewhere + status.left_alone + status.held + status.remaining


@given(random_statuses)
def test_the_parts_always_add_up_to_what_was_due(statuses: list[RuleStatus]) -> None:
    report = report_of(statuses)
    for one in [report.totals, *(row.counts for row in report.rules)]:
        parts = one.deleted + one.anonymised + one.absent + one.elsewhere + one.left_alone + one.held + one.remaining
        assert parts + one.unaccounted == one.due
    assert report.totals == total(row.counts for row in report.rules)
    assert report.totals.gone == sum(status.gone for status in statuses)


@given(random_statuses)
def test_a_rule_whose_counts_do_not_add_up_is_a_finding_and_never_cancelled_by_another(
    statuses: list[RuleStatus],
) -> None:
    report = report_of(statuses)
    wrong = [status for status in statuses if not 0 <= status.due - _known(status) <= status.unknown]
    assert len(of(report, "not_balanced")) == len(wrong)


@given(random_statuses, st.booleans())
def test_the_verdict_is_proved_only_when_every_rule_is_final_and_nobody_has_to_act(
    statuses: list[RuleStatus], dry_run: bool
) -> None:
    report = report_of(statuses, dry_run=dry_run)
    unfinished = [status for status in statuses if status.state not in FINAL]
    assert (report.verdict is Verdict.FAILED) == bool(unfinished)
    if report.verdict is Verdict.PROVED:
        assert not dry_run
        assert all(finding.severity is Severity.NOTE for finding in report.findings)
    assert len(of(report, "not_proved")) == len(unfinished)


def test_records_that_were_gone_already_are_accounted_for_once_the_last_look_has_spoken() -> None:
    night = Night().open(("C2", "firestore"))
    night.plan("C2", "firestore", total=400, due=100)
    night.batch("C2", "firestore", 90, count=100, absent=10)
    night.look("C2", "firestore")
    night.close()
    report = build(night)
    assert (report.totals.gone, report.totals.absent, report.totals.unaccounted) == (90, 10, 0)
    assert of(report, "not_balanced") == []
    assert "10 were gone already" in report.sentence


def test_records_that_another_rule_took_along_are_accounted_for_only_if_the_last_look_proved_them_gone() -> None:
    night = Night().open(("C3", "firestore"), ("C2", "firestore"))
    for rule, complete in (("C3", True), ("C2", False)):
        night.plan(rule, "firestore", total=400, due=100)
        night.batch(rule, "firestore", 70)
        night.look(rule, "firestore", complete=complete)
    night.close()
    report = build(night)
    assert [(row.counts.elsewhere, row.counts.unaccounted) for row in report.rules] == [(30, 0), (0, 30)]
    assert [text.split(":")[0] for text in of(report, "not_balanced")] == ["C2 on Cloud Firestore"]


def test_records_of_lost_batches_explain_what_is_missing_and_stay_visible() -> None:
    night = Night().open(("C2", "firestore"))
    night.plan("C2", "firestore", total=400, due=100)
    night.batch("C2", "firestore", 60)
    night.batch("C2", "firestore", None, count=40)
    night.look("C2", "firestore")
    night.close()
    report = build(night)
    assert (report.totals.unknown, report.totals.unaccounted) == (40, 40)
    assert of(report, "not_balanced") == []
    assert len(of(report, "unknown")) == 1
    assert report.verdict is Verdict.ATTENTION


def sentences() -> Iterator[tuple[str, Night, Verdict, str]]:
    yield (
        "proved",
        good_night(),
        Verdict.PROVED,
        "Everything due was removed and verified: 2 rules, 13,390 records; 12 held.",
    )
    nothing = Night().open(("C2", "firestore"))
    nothing.sweep("C2", "firestore", total=10, due=0)
    nothing.close()
    yield (
        "nothing",
        nothing,
        Verdict.PROVED,
        "Nothing was due: 1 rule looked and found nothing past its period.",
    )
    dry = Night(dry_run=True).open(("C2", "firestore"))
    dry.plan("C2", "firestore", total=90, due=30, held=2)
    dry.close()
    yield (
        "dry",
        dry,
        Verdict.COUNTED,
        "Counted only, nothing was deleted: 1 rule, 30 records due; 2 held.",
    )
    copies = Night().open(("A3", "cloud_storage"))
    copies.sweep("A3", "cloud_storage", total=90, due=1, until="2026-11-29T02:00:00Z")
    copies.close()
    yield (
        "copies",
        copies,
        Verdict.PROVED,
        "Everything due was removed and verified: 1 rule, 1 record; hidden copies are purged by 2026-11-29.",
    )
    declined = Night().open(("C2", "firestore"), ("A4", "redis"))
    declined.plan("C2", "firestore", total=90, due=80, verdict="ask", reason="80 of 90 records are due.")
    declined.decide("C2", "firestore", approved=False)
    declined.sweep("A4", "redis", total=9, due=4)
    declined.close()
    yield (
        "declined",
        declined,
        Verdict.ATTENTION,
        "Removed and verified: 2 rules, 4 records; 80 remain because a person declined. "
        "1 point for a person: C2 on Cloud Firestore first.",
    )
    silent = Night().open(("C2", "firestore"), ("A4", "redis"))
    silent.sweep("A4", "redis", total=9, due=4)
    silent.close()
    yield (
        "silent",
        silent,
        Verdict.FAILED,
        "Not proved: 1 of 2 rules (C2). C2 on Cloud Firestore first: It was not counted: its store did not answer, or "
        "its plan task failed. Open its plan task, mend what the last line says, clear the task.",
    )
    left = Night().open(("C2", "firestore"))
    left.plan("C2", "firestore", total=2000, due=1500)
    left.batch("C2", "firestore", 300)
    left.look("C2", "firestore", remaining=1200, complete=False)
    left.close()
    yield (
        "left",
        left,
        Verdict.FAILED,
        "Not proved: 1 of 1 rule (C2). 1,200 due records remain. C2 on Cloud Firestore first: The last look did not "
        "prove it. 1,200 due records remain. Clear its sweep task; if that does not help, look into the store before "
        "the next run.",
    )
    none = Night().open()
    none.close()
    yield "none", none, Verdict.PROVED, "This run was for no rule: nothing was looked at."


@pytest.mark.parametrize(
    ("night", "verdict", "sentence"), [pytest.param(*case[1:], id=case[0]) for case in sentences()]
)
def test_the_result_is_one_word_and_one_sentence(night: Night, verdict: Verdict, sentence: str) -> None:
    report = build(night)
    assert (report.verdict, report.sentence) == (verdict, sentence)


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_each_unfinished_state_has_a_reason_and_a_next_step(state: State) -> None:
    empty = dict.fromkeys(("total", "due", "gone", "left_alone", "unknown", "held", "remaining"), 0)
    finding = report_of([status("C2", "firestore", empty, state, "delete")]).findings[0]
    assert finding.severity is Severity.FAULT
    assert finding.text.endswith(".")
    assert finding.next_step.endswith(".")


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
    report = build(good_night(), surroundings(connected=["firestore", "firebase_auth", "redis", "cloud_storage"]))
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


def test_the_counts_of_a_status_take_over_its_action() -> None:
    empty = dict.fromkeys(("total", "due", "left_alone", "unknown", "held", "remaining"), 0)
    one = counts_of(status("U1", "firestore", {**empty, "gone": 7}, State.VERIFIED_GONE, "anonymise"), absent=0)
    assert (one.deleted, one.anonymised, one.unaccounted) == (0, 7, -7)

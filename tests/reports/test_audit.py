"""What a report says of a night: its sums, its verdict and its sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.ledger.entry import Kind
from include.reports.audit import audit_report, counts_of, total
from include.reports.model import AuditReport, Severity, Verdict
from include.reports.trail import read_trail
from include.retention.status import FINAL, RuleStatus, State
from tests.reports.nights import Night, build, good_night, of, policy, surroundings

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
    yield from _without_connection()
    none = Night().open()
    none.close()
    yield "none", none, Verdict.PROVED, "This run was for no rule: nothing was looked at."


def _without_connection() -> Iterator[tuple[str, Night, Verdict, str]]:
    for dry, verdict, sentence in (
        (
            False,
            Verdict.ATTENTION,
            "Removed and verified: 1 rule, 4 records; 1 rule not applied, as nothing is connected. "
            "1 point for a person: Ortto (successor of Autopilot) first.",
        ),
        (
            True,
            Verdict.COUNTED,
            "Counted only, nothing was deleted: 1 rule, 4 records due; 0 held. "
            "1 rule not counted, as nothing is connected.",
        ),
    ):
        night = Night(dry_run=dry).open(("M2", "ortto"), ("A4", "redis"))
        night.write(Kind.ACCESS, "M2", "ortto", {"state": "not connected"})
        if dry:
            night.plan("A4", "redis", total=9, due=4)
        else:
            night.sweep("A4", "redis", total=9, due=4)
        night.close()
        yield f"not connected, {'dry' if dry else 'swept'}", night, verdict, sentence


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


def test_the_counts_of_a_status_take_over_its_action() -> None:
    empty = dict.fromkeys(("total", "due", "left_alone", "unknown", "held", "remaining"), 0)
    one = counts_of(status("U1", "firestore", {**empty, "gone": 7}, State.VERIFIED_GONE, "anonymise"), absent=0)
    assert (one.deleted, one.anonymised, one.unaccounted) == (0, 7, -7)

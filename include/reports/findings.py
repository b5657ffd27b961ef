"""What a reader must know and do, drawn from the facts of a report. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from include.reports.model import AuditReport, Counts, Finding, RuleRow, Severity
from include.retention.status import State

_UNFINISHED = {
    State.UNCOUNTED: (
        "It was not counted: its store did not answer, or its plan task failed.",
        "Open its plan task, mend what the last line says, clear the task.",
    ),
    State.PLANNED: ("It was planned and its sweep never ran.", "Clear its sweep task."),
    State.WAITING: (
        "Its plan waits for a decision; nothing was deleted.",
        "Open Required Actions, approve or decline.",
    ),
    State.REFUSED: (
        "The guard refused its plan; nothing was deleted.",
        "Mend the policy file or the clock, then trigger a new run.",
    ),
    State.RUNNING: (
        "Its sweep stopped before the last look.",
        "Clear its sweep task: it settles what was left open and goes on.",
    ),
    State.FAILED: (
        "The last look did not prove it.",
        "Clear its sweep task; if that does not help, look into the store before the next run.",
    ),
}


def findings_of(report: AuditReport, *, policy_now: str) -> Iterator[Finding]:
    """The findings of a report, the gravest first.

    Args:
        report: with everything but its findings, verdict and sentence.
        policy_now: digest of the policy file at the closing.
    """
    found = [
        finding
        for row in report.rules
        for finding in (*_not_proved(row), *_declined(row), *_not_balanced(row), *_unknown(row))
    ]
    found += [*_policy_changed(report, policy_now), *_drift(report), *_holds(report), *_no_means(report)]
    found += [*_standing(report)]
    order = list(Severity)
    yield from sorted(found, key=lambda finding: order.index(finding.severity))


def _not_proved(row: RuleRow) -> Iterator[Finding]:
    if row.final:
        return
    text, next_step = _UNFINISHED[State(row.state)]
    if row.counts.remaining:
        text += f" {row.counts.remaining:,} due records remain."
    yield Finding(Severity.FAULT, "not_proved", _place(row), text, next_step)


def _declined(row: RuleRow) -> Iterator[Finding]:
    if row.state == State.DECLINED and row.counts.remaining:
        yield Finding(
            Severity.ACT,
            "declined",
            _place(row),
            f"A person declined its plan: {row.counts.remaining:,} records stay past their period.",
            "Approve the next run's plan, set a legal hold, or change the period in the policy file.",
        )


def _not_balanced(row: RuleRow) -> Iterator[Finding]:
    counts = row.counts
    if not counts.balanced:
        yield Finding(Severity.ACT, "not_balanced", _place(row), _imbalance(counts), "Compare its ledger entries.")


def _imbalance(counts: Counts) -> str:
    if counts.unaccounted < 0:
        return (
            f"The counts do not add up: {-counts.unaccounted:,} more records were dealt with than were due at first "
            "(they became due or were seen again during the run)."
        )
    return f"The counts do not add up: what became of {counts.unaccounted - counts.unknown:,} due records is not told."


def _unknown(row: RuleRow) -> Iterator[Finding]:
    if row.counts.unknown:
        yield Finding(
            Severity.ACT,
            "unknown",
            _place(row),
            f"The answer about {row.counts.unknown:,} records was lost and the rule has changed since: "
            "whether this run removed them cannot be told any more.",
            "The last look tells what is left; keep this report with the reason of the change.",
        )


def _policy_changed(report: AuditReport, policy_now: str) -> Iterator[Finding]:
    if report.run.policy != policy_now:
        yield Finding(
            Severity.ACT,
            "policy_changed",
            "policy file",
            "The policy file changed while the run was under way: names and periods shown here are the newer ones.",
            "Trigger a run with the new policy.",
        )


def _drift(report: AuditReport) -> Iterator[Finding]:
    for setting in report.drift:
        if not setting.agrees:
            # Without a setting of its own the store waits for the sweep, which has just proved what it did.
            yield Finding(
                Severity.NOTE if setting.configured == "none" else Severity.ACT,
                "drift",
                f"{setting.system}, rule {setting.rule}",
                f"{setting.setting} is set to {setting.configured}; the policy wants {setting.wanted}.",
                setting.note,
            )


def _holds(report: AuditReport) -> Iterator[Finding]:
    for hold in report.holds:
        if hold.overdue:
            yield Finding(
                Severity.ACT,
                "hold_review",
                hold.hold,
                f"This legal hold was to be reviewed by {hold.review.isoformat()}.",
                "Confirm it with a new day of review, or release it.",
            )


def _no_means(report: AuditReport) -> Iterator[Finding]:
    for system in report.uncovered:
        if system.blocks:
            yield Finding(Severity.ACT, "no_means", system.name, f"It {system.why}.", system.next_step)


def _standing(report: AuditReport) -> Iterator[Finding]:
    if report.unconfirmed:
        yield Finding(
            Severity.NOTE,
            "unconfirmed",
            "policy file",
            f"{_number(len(report.unconfirmed), 'period')} nobody has confirmed: the published policy names none.",
            "Confirm each in the policy file with name and date.",
        )
    if report.gaps:
        yield Finding(
            Severity.NOTE,
            "gaps",
            "published policy",
            f"{_number(len(report.gaps), 'section')} of the published text empty or incomplete.",
            "Publish the missing text.",
        )
    rest = [system for system in report.uncovered if not system.blocks]
    if rest:
        yield Finding(
            Severity.NOTE,
            "uncovered",
            "systems",
            f"{_number(len(rest), 'system')} named by the policy not, or not fully, covered by this run.",
            "See the list of systems.",
        )


def _place(row: RuleRow) -> str:
    return f"{row.rule} on {row.system_name}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

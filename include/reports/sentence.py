"""The result of a run in one word and one sentence that a manager understands. Pure."""

from __future__ import annotations

from include.reports.model import AuditReport, Severity, Verdict
from include.retention.status import State

_NAMED = 3
"""Rules that are named in the sentence before it says how many more there are."""


def verdict_of(report: AuditReport) -> Verdict:
    """The verdict that the findings leave."""
    severities = {finding.severity for finding in report.findings}
    if Severity.FAULT in severities:
        return Verdict.FAILED
    if report.run.dry_run:
        return Verdict.COUNTED
    return Verdict.ATTENTION if Severity.ACT in severities else Verdict.PROVED


def sentence_of(report: AuditReport, verdict: Verdict) -> str:
    """What happened, and what to do next if something must be done."""
    if not report.rules:
        return "This run was for no rule: nothing was looked at."
    if verdict is Verdict.FAILED:
        return _failed(report)
    if report.run.dry_run:
        return _counted(report)
    parts = [_done(report), *_kept(report)]
    acts = [finding for finding in report.findings if finding.severity is Severity.ACT]
    sentence = "; ".join(parts) + "."
    return sentence if not acts else f"{sentence} {_number(len(acts), 'point')} for a person: {acts[0].subject} first."


def _done(report: AuditReport) -> str:
    counts = report.totals
    looked = len(report.rules) - _missed(report)
    rules = _number(looked, "rule")
    if not looked:
        return "Nothing was looked at"
    if not counts.due:
        return f"Nothing was due: {rules} looked and found nothing past its period"
    everything = counts.remaining == 0 and all(row.verified for row in report.rules if row.state != State.DECLINED)
    done = f"{rules}, {_number(counts.gone, 'record')}"
    if not counts.gone:
        return f"Nothing was removed: {rules}, {_number(counts.due, 'record')} due"
    return f"Everything due was removed and verified: {done}" if everything else f"Removed and verified: {done}"


def _kept(report: AuditReport) -> list[str]:
    counts = report.totals
    until = max((row.until for row in report.rules if row.until and row.state == State.EXPIRING), default=None)
    return [
        text
        for count, text in (
            (counts.held, f"{counts.held:,} held"),
            (counts.gone_already, f"{counts.gone_already:,} were gone already"),
            (counts.left_alone, f"{counts.left_alone:,} changed meanwhile and are judged again by the next run"),
            (counts.remaining, f"{counts.remaining:,} remain because a person declined"),
            (until, f"hidden copies are purged by {(until or '')[:10]}"),
            (_missed(report), f"{_number(_missed(report), 'rule')} not applied, as nothing is connected"),
        )
        if count
    ]


def _missed(report: AuditReport) -> int:
    """Rules of systems without a connection."""
    return sum(row.state == State.NOT_CONNECTED for row in report.rules)


def _counted(report: AuditReport) -> str:
    counts, missed = report.totals, _missed(report)
    not_connected = f" {_number(missed, 'rule')} not counted, as nothing is connected." if missed else ""
    return (
        f"Counted only, nothing was deleted: {_number(len(report.rules) - missed, 'rule')}, "
        f"{_number(counts.due, 'record')} due; {counts.held:,} held.{not_connected}"
    )


def _failed(report: AuditReport) -> str:
    open_rules = [row.rule for row in report.rules if not row.final]
    named = ", ".join(open_rules[:_NAMED])
    more = f" and {len(open_rules) - _NAMED} more" if len(open_rules) > _NAMED else ""
    first = next(finding for finding in report.findings if finding.severity is Severity.FAULT)
    remain = f" {_number(report.totals.remaining, 'due record')} remain." if report.totals.remaining else ""
    return (
        f"Not proved: {len(open_rules)} of {_number(len(report.rules), 'rule')} ({named}{more}).{remain} "
        f"{first.subject} first: {first.text} {first.next_step}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

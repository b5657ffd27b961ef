"""The audit report as typed values. Counts, dates, opaque ids and the policy's own words; nothing about a person.

    AuditReport
    ├── verdict, sentence, findings      what a manager reads
    ├── run, totals, rules               what was due and what became of it, each number with its ledger entries
    ├── decisions, drift, holds          why something was stopped, kept or set otherwise
    ├── unconfirmed, gaps, coverage, uncovered   what the policy says and who keeps it
    ├── nights                           the runs before, for the trend
    └── checkpoint, connectors           how to check all of it

The JSON form of a report has exactly these names (``schema/retention-report-1.json``); a change of a name or a meaning
is a new number in ``SCHEMA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from include.policy.coverage import Row
from include.reports.context import (
    Connector,
    Decision,
    Gap,
    HoldRow,
    PastNight,
    Seal,
    Setting,
    Unconfirmed,
    Uncovered,
)

SCHEMA = "urn:clique-privacy:retention-report:1"


class Verdict(StrEnum):
    """The result of a run in one word."""

    PROVED = "proved"
    COUNTED = "counted only"
    ATTENTION = "needs attention"
    FAILED = "not proved"


class Severity(StrEnum):
    """How much a finding matters.

    ``fault``: the run is not proved. ``act``: the run is proved, a person must act all the same. ``note``: known and
    standing.
    """

    FAULT = "fault"
    ACT = "act"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader must know: about what, what is so, and what to do next."""

    severity: Severity
    code: str
    subject: str
    text: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Run:
    """Which run the report is about.

    Args:
        run: opaque id.
        as_of: the instant the run stands for.
        mode: ``production`` or ``trial``.
        policy: SHA-256 of the policy's content, as the run used it.
        opened, closed: ledger indexes of the entries that open and close the run.
    """

    run: str
    as_of: datetime
    dry_run: bool
    mode: str
    policy: str
    policy_version: str
    opened: int
    opened_at: datetime
    closed: int
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """Ledger indexes of the newest entries about one rule in this run, and how many batches there were."""

    plan: int | None = None
    guard: int | None = None
    decision: int | None = None
    verification: int | None = None
    first_batch: int | None = None
    last_batch: int | None = None
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the due records. The parts and ``unaccounted`` always add up to ``due``.

    Args:
        total: records in the place, due or not; in a sum over rules, a place with two rules counts twice.
        due: records that were due when the run first counted.
        deleted, anonymised: acknowledged by the store, record by record.
        absent: no longer there when their batch came.
        elsewhere: gone at the last look without a batch of this rule: another rule or the store itself removed them.
        left_alone: changed after they were selected; judged again by the next run.
        held: kept by a legal hold or because the store refuses to delete them.
        remaining: still there, and nothing keeps them.
        unknown: records of lost batches whose fate nobody can tell; they may explain ``unaccounted``.
        unaccounted: what is missing in the sum; negative when more was found than was due.
    """

    total: int
    due: int
    deleted: int
    anonymised: int
    absent: int
    elsewhere: int
    left_alone: int
    held: int
    remaining: int
    unknown: int
    unaccounted: int

    @property
    def gone(self) -> int:
        """Records deleted or anonymised."""
        return self.deleted + self.anonymised

    @property
    def gone_already(self) -> int:
        """Records that are gone and that this rule did not have to remove."""
        return self.absent + self.elsewhere

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing in the sum that the batches of unknown fate do not explain."""
        return 0 <= self.unaccounted <= self.unknown


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in one system.

    Args:
        period: as the policy file writes it, and ``trigger``, the event that starts it.
        confirmed: who owns the period has confirmed it.
        budget_percent: most of the place that the guard lets go without asking.
        until: when the last hidden copy is purged, where copies exist.
    """

    rule: str
    name: str
    system: str
    system_name: str
    sections: tuple[str, ...]
    action: str
    period: str
    trigger: str
    confirmed: bool
    state: str
    final: bool
    counts: Counts
    verified: bool
    cutoff: str
    oldest: str | None
    newest: str | None
    until: str | None
    budget_records: int | None
    budget_percent: int | None
    connector: str
    digest: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything about one run that a person or a machine needs to judge it."""

    schema: str
    company: str
    document: str
    verdict: Verdict
    sentence: str
    run: Run
    totals: Counts
    findings: tuple[Finding, ...]
    rules: tuple[RuleRow, ...]
    decisions: tuple[Decision, ...]
    drift: tuple[Setting, ...]
    holds: tuple[HoldRow, ...]
    unconfirmed: tuple[Unconfirmed, ...]
    gaps: tuple[Gap, ...]
    coverage: tuple[Row, ...]
    uncovered: tuple[Uncovered, ...]
    nights: tuple[PastNight, ...]
    checkpoint: Seal
    connectors: tuple[Connector, ...]

    @property
    def name(self) -> str:
        """Name of the report's files without their ending."""
        return f"retention-{self.run.as_of:%Y-%m-%d}-{self.run.run}"

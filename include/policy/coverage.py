"""Coverage: each section and each system of the policy → what keeps it → where → when it last ran.

Nothing is left out because nothing keeps it: a gap, a vendor's setting and work not done are rows like the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from include.policy import render
from include.policy.model import Policy
from include.policy.register import Section, System
from include.policy.rules import Enforcement, Promise, Rule

_COLUMNS = ("part", "title", "what", "where", "period", "decision", "standing", "last run")


class Standing(StrEnum):
    """How a statement of the policy is kept. Each word says no more than this installation knows."""

    ENFORCED = "enforced by this installation"
    BEHIND = "enforced by this installation, the last run left records that are due"
    NEVER_RUN = "enforced by this installation, no run yet"
    VENDOR = "left to the vendor's own setting, not checked by this installation"
    LATER = "not yet enforced by this installation"
    CLAIMED = "claimed by the policy, not checked by this installation"
    DECLARED = "declared for requests of persons, no part of the nightly run"
    GAP = "gap in the published text"
    STATEMENT = "no rule can keep it"
    ROWS = "see its rows"
    NOTHING = "nothing in the policy file keeps it"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest run of a rule, computed from evidence by the caller.

    Args:
        at: when it ended, UTC.
        outcome: in the words of the evidence.
        due: records that were due.
        gone: records deleted or anonymised.
        remaining: due records that the read-back still found.
        evidence: opaque id of the evidence.
    """

    at: datetime
    outcome: str
    due: int
    gone: int
    remaining: int
    evidence: str

    def __str__(self) -> str:
        counts = f"{self.due} due, {self.gone} gone, {self.remaining} remaining"
        return f"{self.at:%Y-%m-%d %H:%M} UTC, {self.outcome}: {counts} ({self.evidence})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the coverage.

    Args:
        part: id of the section or row of the policy, or key of the system.
        title: of the section, the row or the system.
        what: rule, promise, claim, disposition, gap or remark.
        where: the place in which it is kept.
        standing: how it is kept.
        rule: id of the rule or promise, if it is one.
        period: the period, if it has one.
        confirmed: whether the period was confirmed, if it has one.
        last_run: of the rule, if it has run.
    """

    part: str
    title: str
    what: str
    where: str
    standing: Standing
    rule: str | None = None
    period: str | None = None
    confirmed: bool | None = None
    last_run: LastRun | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as text, for tables."""
        decision = {None: "", True: "confirmed", False: "default, not in the policy"}[self.confirmed]
        run = str(self.last_run) if self.last_run else "none" if self.standing is Standing.NEVER_RUN else ""
        return (self.part, self.title, self.what, self.where, self.period or "", decision, str(self.standing), run)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The whole picture, once by the sections of the policy and once by its systems."""

    sections: tuple[Row, ...]
    systems: tuple[Row, ...]

    def count(self, standing: Standing) -> int:
        """Distinct statements of a standing: rules and promises by id, everything else by its words."""
        rows = (*self.sections, *self.systems)
        return len({row.rule or row.what for row in rows if row.standing is standing})

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Ids of rules and promises whose period nobody has confirmed, in order."""
        return tuple(dict.fromkeys(row.rule for row in self.systems if row.rule and row.confirmed is False))


def coverage(policy: Policy, last_runs: Mapping[str, LastRun]) -> Coverage:
    """Lay the policy beside what was done.

    Args:
        policy: the policy in force.
        last_runs: latest run by id of the rule; rules that never ran are absent.
    """
    return Coverage(
        sections=tuple(_sections(policy, last_runs)),
        systems=tuple(row for system in policy.systems.values() for row in _system(policy, system, last_runs)),
    )


def html(coverage: Coverage) -> str:
    """A fragment to embed: two tables, no style of its own."""
    return render.environment().get_template("coverage.html.j2").render(coverage=coverage, columns=_COLUMNS)


def markdown(coverage: Coverage) -> str:
    """Two Markdown tables."""
    tables = (("Sections of the policy", coverage.sections), ("Systems of the policy", coverage.systems))
    return "\n".join(
        f"## {title}\n\n{render.markdown_table(_COLUMNS, (row.cells() for row in rows))}" for title, rows in tables
    )


def csv(coverage: Coverage) -> str:
    """One table: first the sections, then the systems."""
    return render.csv_table(_COLUMNS, (row.cells() for row in (*coverage.sections, *coverage.systems)))


def _sections(policy: Policy, runs: Mapping[str, LastRun]) -> Iterator[Row]:
    for section in policy.sections:
        rows = [*_cited(policy, section.id, section.title, runs)] if not section.gap else []
        own = _section(policy, section, bool(rows))
        yield from (own, *rows) if own else rows
        for activity in policy.activities:
            if activity.section == section.id:
                cited = [*_cited(policy, activity.id, activity.name, runs)]
                nothing = Row(activity.id, activity.name, "no rule cites this row", "", Standing.NOTHING)
                yield from cited or [nothing]


def _section(policy: Policy, section: Section, cited: bool) -> Row | None:
    if section.gap:
        schedules = [entry for entry in (*policy.rules, *policy.promises) if section.id in entry.policy]
        open_ = sum(entry.confirmed is None for entry in schedules)
        where = f"{len(schedules)} periods of the policy file cite it, {open_} of them unconfirmed" if schedules else ""
        return Row(section.id, section.title, section.gap, where, Standing.GAP)
    if section.note:
        return Row(section.id, section.title, section.note, "", Standing.STATEMENT)
    rows = [activity.id for activity in policy.activities if activity.section == section.id]
    if rows:
        return Row(section.id, section.title, f"rows {', '.join(rows)}", "", Standing.ROWS)
    systems = [system.name for system in policy.systems.values() if section.id in system.policy]
    if systems and not cited:
        return Row(section.id, section.title, "dispositions", ", ".join(systems), Standing.DECLARED)
    return None if cited else Row(section.id, section.title, "nothing cites it", "", Standing.NOTHING)


def _cited(policy: Policy, reference: str, title: str, runs: Mapping[str, LastRun]) -> Iterator[Row]:
    for rule in policy.rules:
        if reference in rule.policy:
            yield _rule(policy, rule, reference, title, runs)
    for promise in policy.promises:
        if reference in promise.policy:
            yield _promise(policy, promise, reference, title)
    for system in policy.systems.values():
        for claim in system.claims:
            if reference in claim.policy:
                yield Row(reference, title, claim.says, system.name, Standing.CLAIMED)


def _system(policy: Policy, system: System, runs: Mapping[str, LastRun]) -> Iterator[Row]:
    disposition = f"erasure of a person: {str(system.erasure).replace('_', ' ')}"
    yield Row(system.key, system.name, disposition, system.operator, Standing.DECLARED)
    for rule in policy.rules_of(system.key):
        yield _rule(policy, rule, system.key, system.name, runs)
    for promise in policy.promises:
        if promise.system == system.key:
            yield _promise(policy, promise, system.key, system.name)
    for claim in system.claims:
        yield Row(system.key, system.name, claim.says, system.name, Standing.CLAIMED)


def _rule(policy: Policy, rule: Rule, part: str, title: str, runs: Mapping[str, LastRun]) -> Row:
    holding = policy.holding(rule.holding)
    run = runs.get(rule.id)
    return Row(
        part=part,
        title=title,
        what=f"{rule.id} {rule.name}: {rule.action}",
        where=f"{policy.systems[holding.system].name}, {rule.holding}",
        standing=_standing(run),
        rule=rule.id,
        period=f"{rule.period} after {rule.trigger.replace('_', ' ')}",
        confirmed=rule.confirmed is not None,
        last_run=run,
    )


def _standing(run: LastRun | None) -> Standing:
    if run is None:
        return Standing.NEVER_RUN
    return Standing.BEHIND if run.remaining else Standing.ENFORCED


def _promise(policy: Policy, promise: Promise, part: str, title: str) -> Row:
    return Row(
        part=part,
        title=title,
        what=f"{promise.id} {promise.name}: {promise.action}",
        where=f"{policy.systems[promise.system].name}: {promise.how}",
        standing=Standing.VENDOR if promise.enforced is Enforcement.VENDOR else Standing.LATER,
        rule=promise.id,
        period=f"{promise.period} after {promise.starts}",
        confirmed=promise.confirmed is not None,
    )

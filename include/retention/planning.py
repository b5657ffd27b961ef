"""Plan a rule for one night and have the guard judge it. Reads stores, deletes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import Refused
from include.ledger.entry import Kind
from include.ledger.instants import moment
from include.ledger.recent import latest
from include.policy.model import Rule
from include.retention.desk import Desk, Night
from include.retention.evidence import (
    Place,
    connector,
    drift_entry,
    guard_entry,
    not_connected_entry,
    plan_entry,
)
from include.retention.guard import Circumstances, Judgement, judge
from include.retention.plan import Plan
from include.retention.selection import select
from include.systems.contract import RetentionSystem


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what the guard says of it."""

    plan: Plan
    judgement: Judgement


def plan_rule(desk: Desk, night: Night, rule: Rule, system: RetentionSystem) -> Planned:
    """Count what is due, judge it, and write both to the ledger.

    Raises:
        Unavailable: the store or the ledger did not answer.
    """
    place = Place(night.run, rule.id, system.card.key)
    planned = draft(desk, night, rule, system)
    settings = system.expiry(select(desk.policy, rule, rule.period.cutoff(night.as_of)))
    desk.ledger.append(
        [
            plan_entry(place, planned.plan, dry_run=night.dry_run),
            guard_entry(place, planned.plan, planned.judgement),
            drift_entry(place, settings),
        ]
    )
    return planned


def leave_out(desk: Desk, night: Night, rule: Rule) -> None:
    """Write that a rule is not applied because there is no connection to its system. It keeps no run from going on.

    Raises:
        Refused: this run has planned the rule: somebody has taken the connection away since.
    """
    place = Place(night.run, rule.id, desk.system_of(rule))
    newest = latest(desk.ledger, [Kind.PLAN, Kind.ACCESS], run=night.run, rule=rule.id)
    if any(found.entry.kind is Kind.PLAN for found in newest):
        raise Refused(
            place.system,
            f"go on with rule {rule.id}",
            f"Its connection is gone: create the Airflow connection '{place.system}' again (docs/connections.md).",
        )
    if not newest:
        desk.ledger.append([not_connected_entry(place)])


def draft(desk: Desk, night: Night, rule: Rule, system: RetentionSystem) -> Planned:
    """The same without writing anything."""
    cutoff = rule.period.cutoff(night.as_of)
    active = desk.holds.active()
    whole = active.whole(rule.id, system.card.key)
    survey = system.survey(select(desk.policy, rule, cutoff), desk.on_hold(active, rule))
    plan = Plan.of(
        rule=rule.id,
        system=system.card.key,
        scope=rule.scope_digest(desk.policy),
        action=rule.action.value,
        as_of=night.as_of,
        cutoff=cutoff,
        survey=survey,
        whole_hold=None if whole is None else whole.id,
        connector=connector(system.card),
    )
    return Planned(plan, judge(plan, desk.policy, rule, _circumstances(desk, night, rule)))


def _circumstances(desk: Desk, night: Night, rule: Rule) -> Circumstances:
    """The history is made of the nights before that were carried out: a plan nobody allowed makes nothing usual."""
    past = [found.entry for found in latest(desk.ledger, [Kind.PLAN, Kind.VERIFICATION], rule=rule.id, limit=120)]
    carried_out = {entry.body["digest"] for entry in past if entry.kind is Kind.VERIFICATION}
    plans = (entry.body for entry in past if entry.kind is Kind.PLAN and entry.body["digest"] in carried_out)
    due = {moment(str(body["as_of"])): body["due"] for body in plans}
    nights = sorted((as_of for as_of in due if as_of < night.as_of), reverse=True)
    return Circumstances(
        mode=desk.mode,
        now=desk.clock(),
        last_as_of=nights[0] if nights else None,
        past_due=tuple(count for as_of in nights if isinstance(count := due[as_of], int)),
    )

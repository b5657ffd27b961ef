"""The sweep: delete or anonymise what an allowed plan covers, in bounded batches, each with an intent and an outcome.

A process may die at any instruction. The next try first settles what the last one left open (``reconcile``), then goes
on from what the store really holds; nothing is remembered outside the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from include.errors import Inconsistent, Refused, Unavailable
from include.ledger.entry import Kind, Recorded
from include.ledger.instants import moment
from include.ledger.recent import latest
from include.policy.model import Rule
from include.retention.desk import Desk, Night
from include.retention.evidence import (
    Dangling,
    Place,
    dangling,
    intent_entry,
    outcome_entry,
    reconciled_entry,
    verification_entry,
)
from include.retention.plan import Plan
from include.retention.selection import select
from include.systems.contract import Batch, ReadBack, RetentionSystem, Selection, Swept

WAIT_SECONDS = 300
"""How long a sweep waits for another one in the same system. The pools of the DAG make that rare."""

IDLE_BATCHES = 3
"""Batches in a row that may change nothing before a sweep gives up and lets the read-back speak."""


def sweep(desk: Desk, night: Night, rule: Rule, system: RetentionSystem) -> ReadBack:
    """Carry out the plan of this run for ``rule`` and read back.

    Returns:
        what the independent look found afterwards; it is in the ledger as well.

    Raises:
        Refused: no allowed plan exists, or more is due than the plan that was allowed.
        Unavailable: the store or the ledger failed; run again.
        Inconsistent: evidence and store disagree.
    """
    place = Place(night.run, rule.id, system.card.key)
    # One sweep at a time in a system: rules may overlap (a contact goes with its history), and counts must stay theirs.
    with desk.ledger.exclusive(f"sweep/{system.card.key}", WAIT_SECONDS) as still_alone:
        reconcile(desk, system)
        plan = allowed_plan(desk, place, rule)
        selection = select(desk.policy, rule, moment(plan.cutoff))
        _carry_out(desk, place, plan, rule, system, selection, still_alone)
        return _read_back(desk, place, plan, rule, system, selection)


def allowed_plan(desk: Desk, place: Place, rule: Rule) -> Plan:
    """The newest plan of this run, when the guard let it pass or a human approved exactly it.

    Raises:
        Refused: there is none, it was made in a dry run, it was not allowed, or the rule has changed since.
    """
    entries = list(desk.ledger.entries(run=place.run, rule=place.rule, kinds=[Kind.PLAN, Kind.GUARD, Kind.DECISION]))
    plans = [recorded.entry.body for recorded in entries if recorded.entry.kind is Kind.PLAN]
    if not plans:
        raise Refused(place.system, f"sweep rule {rule.id}", "This run has no plan for it: clear its plan task.")
    if plans[-1]["dry_run"]:
        raise Refused(place.system, f"sweep rule {rule.id}", "This is a dry run: start one that is none.")
    plan = Plan.from_body(plans[-1])
    if plan.scope != rule.scope_digest(desk.policy):
        raise Refused(place.system, f"sweep rule {rule.id}", "The policy changed after the plan: clear its plan task.")
    if not _is_allowed(plan, entries):
        raise Refused(place.system, f"sweep rule {rule.id}", "Its plan was not allowed: nothing was deleted.")
    return plan


def _is_allowed(plan: Plan, entries: list[Recorded]) -> bool:
    """Whether the guard let it pass, or asked and a human said yes. No human can allow what the guard refuses."""
    verdict = choice = None
    for recorded in entries:
        kind, body = recorded.entry.kind, recorded.entry.body
        if kind is Kind.PLAN:
            verdict = choice = None
        elif body["digest"] == plan.digest:
            verdict, choice = (body["verdict"], choice) if kind is Kind.GUARD else (verdict, body["choice"])
    return (verdict, choice) in {("pass", None), ("pass", "approved"), ("ask", "approved")}


def reconcile(desk: Desk, system: RetentionSystem) -> int:
    """Give every open intent in a system its outcome, from what the store holds now. Returns how many there were.

    All rules of the system are settled before any of them goes on: one rule may remove what another one counted.
    """
    return sum(_reconcile_rule(desk, rule, system) for rule in desk.policy.rules_of(system.card.key))


def _reconcile_rule(desk: Desk, rule: Rule, system: RetentionSystem) -> int:
    settled = latest(desk.ledger, [Kind.VERIFICATION], rule=rule.id)
    start = settled[0].index if settled else 0
    left_open = dangling(desk.ledger.entries(rule=rule.id, kinds=[Kind.INTENT, Kind.OUTCOME], start=start))
    for intent in left_open:
        desk.ledger.append([reconciled_entry(intent.place, intent.index, _gone_since(desk, rule, system, intent))])
    return len(left_open)


def _gone_since(desk: Desk, rule: Rule, system: RetentionSystem, intent: Dangling) -> int | None:
    if intent.scope != rule.scope_digest(desk.policy):
        return None
    due_now = system.survey(select(desk.policy, rule, intent.cutoff), None).due
    return max(0, min(intent.count, intent.due_before - due_now))


def _carry_out(
    desk: Desk,
    place: Place,
    plan: Plan,
    rule: Rule,
    system: RetentionSystem,
    selection: Selection,
    still_alone: Callable[[], None],
) -> None:
    active = desk.holds.active()
    if active.whole(rule.id, system.card.key) is not None:
        return
    if plan.whole_hold is not None:
        raise Refused(
            system.card.key,
            f"sweep rule {rule.id}",
            "The hold on all of it was released after the plan: clear its plan task for a new one.",
        )
    more = Refused(
        system.card.key,
        f"sweep rule {rule.id}",
        "More is due than the plan that was allowed: clear its plan task for a new one.",
    )
    allowance = plan.to_do + desk.policy.guard.tolerance_records - _done_under(desk, place, plan)
    survey = system.survey(selection, desk.on_hold(active, rule))
    if survey.due - survey.held > allowance:
        raise more
    due = survey.due
    idle = 0
    for number, (batch, holds_version) in enumerate(_batches(desk, rule, system, selection), start=1):
        if batch.count > allowance:
            raise more
        intent = intent_entry(place, plan, batch, number=number, due_before=due, holds_version=holds_version)
        written = desk.ledger.append([intent])[0]
        still_alone()
        swept = system.expire(selection, batch)
        desk.ledger.append([outcome_entry(place, written.index, swept)])
        allowance -= swept.gone
        due -= swept.gone + swept.absent + swept.changed
        idle = 0 if _progressed(swept) else idle + 1
        if idle >= IDLE_BATCHES:
            return


def _progressed(swept: Swept) -> bool:
    return swept.gone + swept.absent > 0


def _done_under(desk: Desk, place: Place, plan: Plan) -> int:
    done = 0
    intents: set[int] = set()
    for recorded in desk.ledger.entries(run=place.run, rule=place.rule, kinds=[Kind.INTENT, Kind.OUTCOME]):
        body = recorded.entry.body
        if recorded.entry.kind is Kind.INTENT and body["digest"] == plan.digest:
            intents.add(recorded.index)
        elif recorded.entry.kind is Kind.OUTCOME and body["intent"] in intents and isinstance(body["gone"], int):
            done += body["gone"]
    return done


def _batches(desk: Desk, rule: Rule, system: RetentionSystem, selection: Selection) -> Iterator[tuple[Batch, int]]:
    """Batches selected under the holds that are in force at the moment they are handed out."""
    while True:
        active = desk.holds.active()
        if active.whole(rule.id, system.card.key) is not None:
            return
        for batch in system.batches(selection, desk.on_hold(active, rule)):
            if desk.holds.active().version != active.version:
                break
            yield batch, active.version
        else:
            return


def _read_back(
    desk: Desk, place: Place, plan: Plan, rule: Rule, system: RetentionSystem, selection: Selection
) -> ReadBack:
    active = desk.holds.active()
    seen = system.read_back(selection, desk.on_hold(active, rule))
    if active.whole(rule.id, system.card.key) is not None:
        seen = replace(seen, remaining=0, held=seen.remaining + seen.held)
    complete = seen.remaining == 0 and seen.residual_fields == 0
    desk.ledger.append([verification_entry(place, plan, seen, complete=complete)])
    if seen.residual_fields:
        raise Inconsistent(
            system.card.key,
            f"prove rule {rule.id}",
            f"{seen.residual_fields} anonymised records still carry a removed field: look before the next run.",
        )
    if seen.remaining:
        raise Unavailable(system.card.key, f"finish rule {rule.id}", f"{seen.remaining} due records remain: run again.")
    return seen

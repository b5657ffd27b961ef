"""A small company, a desk on a real ledger, and a night over some or all rules, as the DAG runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from include.ledger.entry import Kind, Recorded
from include.ledger.holds import Hold, Holds, Scope
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.policy.loader import load
from include.policy.model import Policy, Rule
from include.retention.desk import Desk, Night
from include.retention.evidence import Place, decision_entry
from include.retention.guard import Mode, Verdict
from include.retention.planning import Planned, plan_rule
from include.retention.run import run_id, run_statuses
from include.retention.selection import select
from include.retention.status import RuleStatus
from include.retention.sweep import sweep
from include.sandbox.estate import Estate
from include.systems.contract import ReadBack, RetentionSystem, Selection
from tests.retention.truth import POLICY_FILE

AS_OF = datetime(2025, 3, 31, tzinfo=UTC)
"""A day on which months of several lengths end badly: there is no 31 September and no 31 February."""
POLICY: Policy = load(POLICY_FILE)
PSEUDONYMS = Pseudonymiser(bytes(range(32)))
STAFF = PSEUDONYMS.staff("somebody")

Stores = Mapping[str, RetentionSystem]


def estate(people: int = 60, seed: int = 7) -> Estate:
    """A company as of the night of the tests; one of its six workspaces has an ended contract."""
    return Estate(AS_OF, people=people, workspaces=6, seed=seed)


def desk_on(ledger: Ledger, policy: Policy = POLICY, mode: Mode = Mode.TRIAL) -> Desk:
    """The means of a task on a ledger, with that ledger's clock."""
    return Desk(policy, ledger, Holds(ledger), PSEUDONYMS, ledger.clock, mode)


def night(number: int = 1, *, as_of: datetime = AS_OF, dry_run: bool = False) -> Night:
    """A run of its own for each number."""
    return Night(run_id("tests", str(number)), as_of, dry_run)


def hold(desk: Desk, subject: str | None = None, *, rule: str | None = None, system: str | None = None) -> Hold:
    """Set a hold on a person (by the store's identifier), a rule or a system."""
    scope = Scope(None if subject is None else PSEUDONYMS.subject(subject), rule, system)
    review = desk.clock().date() + timedelta(days=90)
    return desk.holds.set(scope, matter="matter-7", ground="A claim is pending.", set_by=STAFF, review=review)


def selection(desk: Desk, rule: str) -> Selection:
    """What a rule covers on the night of the tests."""
    return select(desk.policy, desk.rule(rule), desk.rule(rule).period.cutoff(AS_OF))


def plan(desk: Desk, run: Night, rule: str, stores: Stores) -> Planned:
    """Plan one rule."""
    return plan_rule(desk, run, desk.rule(rule), stores[desk.system_of(desk.rule(rule))])


def carry_out(desk: Desk, run: Night, rule: str, stores: Stores) -> ReadBack:
    """Sweep one rule."""
    return sweep(desk, run, desk.rule(rule), stores[desk.system_of(desk.rule(rule))])


def decide(desk: Desk, run: Night, planned: Planned, *, approved: bool = True) -> None:
    """A human's word on a plan."""
    place = Place(run.run, planned.plan.rule, planned.plan.system)
    desk.ledger.append([decision_entry(place, planned.plan.digest, approved=approved, by=STAFF, reason="ticket 12")])


def plan_and_allow(desk: Desk, run: Night, rule: str, stores: Stores) -> Planned:
    """Plan one rule; a human approves it where the guard asks."""
    planned = plan(desk, run, rule, stores)
    if planned.judgement.verdict is Verdict.ASK:
        decide(desk, run, planned)
    return planned


def whole_night(
    desk: Desk, run: Night, stores: Stores, after_rule: Callable[[Rule], None] = lambda _: None
) -> list[RuleStatus]:
    """Plan and sweep rule by rule in the order of the policy file."""
    for rule in desk.policy.rules:
        plan_and_allow(desk, run, rule.id, stores)
        if not run.dry_run:
            carry_out(desk, run, rule.id, stores)
        after_rule(rule)
    return run_statuses(desk, run.run, at=run.as_of)


def status_of(desk: Desk, run: Night, rule: str) -> RuleStatus:
    """What the evidence says of one rule."""
    return next(status for status in run_statuses(desk, run.run, at=run.as_of) if status.rule == rule)


def written(desk: Desk, *kinds: Kind, rule: str | None = None) -> list[Recorded]:
    """Entries of some kinds."""
    return list(desk.ledger.entries(kinds=kinds, rule=rule))


def assert_evidence_in_order(entries: Iterable[Recorded]) -> None:
    """Indices without a gap; each outcome behind its own intent and the only one; each intent has one."""
    intents: dict[int, Recorded] = {}
    answered: set[int] = set()
    for expected, recorded in enumerate(entries):
        assert recorded.index == expected
        body = recorded.entry.body
        if recorded.entry.kind is Kind.INTENT:
            intents[recorded.index] = recorded
        elif recorded.entry.kind is Kind.OUTCOME:
            index = body["intent"]
            assert isinstance(index, int)
            assert index in intents
            assert index not in answered
            assert (recorded.entry.run, recorded.entry.rule) == (intents[index].entry.run, intents[index].entry.rule)
            answered.add(index)
    assert answered == intents.keys()

"""The guard: what must be true before a plan may delete anything. Pure.

A breach never deletes "a part of it": the plan waits for a human, or is refused outright where no human may allow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median_low

from include.ledger.instants import moment
from include.policy.model import Guard, Policy, Rule
from include.retention.plan import Plan

BASELINE_FLOOR = 100
"""Records below which a night is never called unusual: a rule that removes 3 a night may one day remove 30."""

BASELINE_MINIMUM = 3
"""Nights of history needed before the baseline says anything."""

LONGEST_GAP = timedelta(days=45)
"""A run whose ``as_of`` lies further after the one before it is taken for a clock that jumped."""


class Mode(StrEnum):
    """How the installation is run."""

    TRIAL = "trial"
    PRODUCTION = "production"


class Verdict(StrEnum):
    """What the guard says of a plan."""

    PASS = "pass"  # noqa: S105
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Breach:
    """One reason why a plan does not pass by itself. ``approvable``: a human may let it through."""

    code: str
    text: str
    approvable: bool = True


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the guard knows beside the plan and the policy.

    Args:
        now: the time of judgement.
        last_as_of: ``as_of`` of the last night on which this rule was carried out, if there was one.
        past_due: due counts of the nights on which it was carried out, newest first.
    """

    mode: Mode
    now: datetime
    last_as_of: datetime | None
    past_due: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with its reasons."""

    breaches: tuple[Breach, ...]

    @property
    def verdict(self) -> Verdict:
        """Refuse if one breach can't be approved, ask if there is any, else pass."""
        if any(not breach.approvable for breach in self.breaches):
            return Verdict.REFUSE
        return Verdict.ASK if self.breaches else Verdict.PASS


def judge(plan: Plan, policy: Policy, rule: Rule, circumstances: Circumstances) -> Judgement:
    """Judge a plan. A plan with nothing to do passes, whatever else is wrong with its size."""
    found = [*_forbidden(plan, policy, rule, circumstances)]
    if plan.to_do > 0:
        found += _clock(plan, circumstances)
        found += _confirmation(rule, circumstances)
        found += _size(plan, rule)
        found += _baseline(plan, rule, policy.guard, circumstances)
    return Judgement(tuple(found))


def _forbidden(plan: Plan, policy: Policy, rule: Rule, circumstances: Circumstances) -> list[Breach]:
    found = []
    holding = policy.holding(rule.holding)
    for place in policy.protected:
        if place.system == holding.system and place.location.items() <= holding.location.items():
            text = f"{rule.holding} is protected in the policy file: no rule acts on it."
            found.append(Breach("protected", text, approvable=False))
    if moment(plan.cutoff) > circumstances.now or moment(plan.as_of) > circumstances.now:
        found.append(
            Breach("future", "The run's date lies in the future: records would go before their time.", approvable=False)
        )
    return found


def _clock(plan: Plan, circumstances: Circumstances) -> list[Breach]:
    last = circumstances.last_as_of
    if last is not None and moment(plan.as_of) - last > LONGEST_GAP:
        days = (moment(plan.as_of) - last).days
        return [Breach("clock", f"The last run of this rule was {days} days earlier: is the date of this run right?")]
    return []


def _confirmation(rule: Rule, circumstances: Circumstances) -> list[Breach]:
    if circumstances.mode is Mode.PRODUCTION and rule.confirmed is None:
        return [Breach("unconfirmed", f"Nobody has confirmed the period of {rule.period}: it is a default.")]
    return []


def _size(plan: Plan, rule: Rule) -> list[Breach]:
    found = []
    most, share = rule.budget.max_records, rule.budget.max_share_percent
    if plan.to_do > most:
        found.append(Breach("records", f"{plan.to_do} records are due, the budget of the rule is {most}."))
    if plan.to_do * 100 > plan.total * share:
        found.append(
            Breach("share", f"{plan.to_do} of {plan.total} records are due, the budget is {share} % of the collection.")
        )
    return found


def _baseline(plan: Plan, rule: Rule, guard: Guard, circumstances: Circumstances) -> list[Breach]:
    nights = circumstances.past_due[: guard.baseline_nights]
    if len(nights) < BASELINE_MINIMUM:
        return []
    usual = median_low(nights)
    if plan.to_do > max(BASELINE_FLOOR, rule.budget.baseline_factor * usual):
        return [
            Breach("baseline", f"{plan.to_do} records are due; in the last {len(nights)} runs the median was {usual}.")
        ]
    return []

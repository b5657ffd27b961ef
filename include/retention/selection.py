"""From a rule of the policy to what it covers in one system on one night. Pure."""

from __future__ import annotations

from datetime import datetime

from include.policy.model import Policy, Rule
from include.systems.contract import Selection


def select(policy: Policy, rule: Rule, cutoff: datetime) -> Selection:
    """What ``rule`` covers when everything before ``cutoff`` (UTC, exclusive) is old enough."""
    holding = policy.holdings[rule.holding]
    return Selection(
        rule=rule.id,
        location=dict(holding.location),
        subject=holding.subject,
        trigger_field=holding.triggers[rule.trigger],
        cutoff=cutoff,
        period_seconds=rule.period.seconds,
        action=rule.action,
        anonymisation=rule.anonymisation(),
        where=dict(rule.where),
        protected=tuple(place.location for place in policy.protected if place.system == holding.system),
    )

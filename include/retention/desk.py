"""What the engine needs beside a system: policy, ledger, holds, pseudonyms, clock. Built once per task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from include.errors import Refused
from include.ledger.holds import ActiveHolds, Holds
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.policy.model import Policy, Rule
from include.retention.guard import Mode
from include.systems.contract import OnHold


@dataclass(frozen=True, slots=True)
class Desk:
    """The means of one task."""

    policy: Policy
    ledger: Ledger
    holds: Holds
    pseudonyms: Pseudonymiser
    clock: Callable[[], datetime]
    mode: Mode

    def rule(self, rule_id: str) -> Rule:
        """A rule of the policy.

        Raises:
            Refused: there is none with this id.
        """
        try:
            return self.policy.rule(rule_id)
        except KeyError:
            raise Refused("policy", f"find the rule {rule_id}", "Use the id of a rule in the policy file.") from None

    def system_of(self, rule: Rule) -> str:
        """Key of the system that a rule acts on."""
        return self.policy.holdings[rule.holding].system

    def on_hold(self, active: ActiveHolds, rule: Rule) -> OnHold | None:
        """The test for subjects on hold under ``rule``; None when no subject is."""
        return active.on_hold(rule.id, self.system_of(rule), self.pseudonyms.subject)


@dataclass(frozen=True, slots=True)
class Night:
    """One run over all rules.

    Args:
        run: opaque id of the run.
        as_of: the instant the run stands for, UTC.
        dry_run: count and judge, touch nothing.
    """

    run: str
    as_of: datetime
    dry_run: bool = False

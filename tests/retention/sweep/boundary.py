"""The rule that is swept in these tests, its records, and instants between two instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from include.policy.model import Policy
from include.sandbox.estate import Estate
from include.systems.contract import Batch, Card, Expiry, OnHold, ReadBack, RetentionSystem, Selection, Survey, Swept
from tests.retention import kit
from tests.retention.truth import Truth

RULE = "C3"
RUN = kit.night()


def tolerating(policy: Policy, records: int) -> Policy:
    return policy.model_copy(update={"guard": policy.guard.model_copy(update={"tolerance_records": records})})


def with_rule(policy: Policy, rule_id: str, **changes: Any) -> Policy:
    rules = tuple(rule.model_copy(update=changes) if rule.id == rule_id else rule for rule in policy.rules)
    # Built anew: a copy would keep the index of the old rules.
    return Policy.model_construct(**{**dict(policy), "rules": rules})


def talks(estate: Estate) -> list[str]:
    """Paths of the interactions that are due."""
    return sorted(Truth(estate).rules[RULE].goes)


def contact_of(path: str) -> str:
    return path.split("/")[3]


@dataclass
class Boundary:
    """The real store, with something happening between two of the engine's instructions."""

    real: RetentionSystem
    handed_out: Callable[[int], None] = lambda _: None
    expired: Callable[[int], None] = lambda _: None
    number: int = field(default=0, init=False)

    @property
    def card(self) -> Card:
        return self.real.card

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        return self.real.survey(selection, on_hold)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        for batch in self.real.batches(selection, on_hold):
            self.number += 1
            self.handed_out(self.number)
            yield batch

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        swept = self.real.expire(selection, batch)
        self.expired(self.number)
        return swept

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        return self.real.read_back(selection, on_hold)

    def expiry(self, selection: Selection) -> list[Expiry]:
        return self.real.expiry(selection)

    def set_expiry(self, selection: Selection) -> Expiry:
        return self.real.set_expiry(selection)

    def close(self) -> None:
        self.real.close()

"""A bucket's lifecycle rules beside a retention rule (https://cloud.google.com/storage/docs/lifecycle)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.errors import Refused
from include.systems.cloud_storage_prefix import Prefix
from include.systems.contract import Expiry, Selection

_CONDITIONS = {"customTime": "daysSinceCustomTime", "timeCreated": "age"}
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What a Delete rule for this selection would be. ``condition`` is None where none can say it."""

    prefix: Prefix
    trigger: str
    condition: str | None
    days: int

    @classmethod
    def of(cls, selection: Selection, prefix: Prefix) -> Lifecycle:
        """The rule for a selection. Days are rounded up: the store must not be faster than the policy."""
        trigger = selection.trigger_field
        return cls(prefix, trigger, _CONDITIONS.get(trigger), math.ceil(selection.period_seconds / _DAY))

    def rule(self) -> dict[str, Any]:
        """The rule as the bucket's resource has it.

        Raises:
            Refused: no condition speaks of the trigger, or a prefix can't say which names are meant.
        """
        tried = "make a lifecycle rule"
        if self.condition is None:
            raise Refused("cloud_storage", tried, f"A lifecycle can't count from '{self.trigger}'; rely on the sweep.")
        if self.prefix.tail not in ("", "/"):
            raise Refused("cloud_storage", tried, "A lifecycle can't match a path segment; rely on the sweep.")
        condition = {self.condition: self.days, "matchesPrefix": [self.prefix.head]}
        return {"action": {"type": "Delete"}, "condition": condition}

    def same(self, rule: Mapping[str, Any]) -> bool:
        """Whether an existing rule deletes what this one would, at the same age."""
        return (
            rule["action"]["type"] == "Delete"
            and self.condition is not None
            and self.prefix.tail in ("", "/")
            and dict(rule["condition"]) == self.rule()["condition"]
        )

    def compare(self, rules: Sequence[Mapping[str, Any]]) -> list[Expiry]:
        """One entry for each Delete rule that touches the prefix; one that says "none" when there is none."""
        found = [self._entry(rule) for rule in rules if rule["action"]["type"] == "Delete" and self._touches(rule)]
        note = "The bucket deletes nothing here by itself; the nightly sweep does. Setting the expiry is optional."
        return found or [Expiry(_name(self.prefix), "none", self._wanted, self.condition is None, note)]

    @property
    def _wanted(self) -> str:
        if self.condition is None:
            return f"none: a lifecycle can't count from {self.trigger}"
        return f"{self.condition}={self.days}"

    def _touches(self, rule: Mapping[str, Any]) -> bool:
        prefixes = rule["condition"].get("matchesPrefix") or [""]
        return any(p.startswith(self.prefix.head) or self.prefix.head.startswith(p) for p in prefixes)

    def _entry(self, rule: Mapping[str, Any]) -> Expiry:
        said = sorted((name, value) for name, value in rule["condition"].items() if name != "matchesPrefix")
        agrees = self.same(rule)
        note = (
            "The bucket deletes by itself at the age of the rule. It does not know legal holds: put holds on objects."
            if agrees
            else "The bucket deletes here by a condition that is not the rule's: change it or the policy."
        )
        configured = ", ".join(f"{name}={value}" for name, value in said)
        return Expiry(_name(self.prefix), configured, self._wanted, agrees, note)


def pause_warning() -> Expiry:
    """The entry for a pause of hard deletes, which no policy asks for."""
    note = "Soft-deleted objects stay beyond their date until the pause is ended."
    return Expiry("softDeletePolicy.hardDeletePause", "enabled", "disabled", False, note)


def _name(prefix: Prefix) -> str:
    return f"lifecycle of {prefix.head}"

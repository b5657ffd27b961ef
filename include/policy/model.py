"""The policy file as typed, immutable values.

    Policy
    ├── company, document, sections      the published text
    ├── activities, systems              what it says is done with which data, and where
    ├── holdings                         the places in a system that hold personal data
    ├── rules                            what this installation deletes or anonymises every night
    ├── promises                         periods that nobody but the vendor, or nobody yet, enforces
    ├── requests                         how requests of persons are carried out: order, identities, answer
    └── guard, protected                 limits of every rule

A file is read with :func:`include.policy.loader.load`, which also checks what a type can't see.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field, model_validator

from include.policy.canonical import sha256
from include.policy.persons import Requests
from include.policy.register import Activity, Company, Model, Protected, Published, Section, System, Text
from include.policy.rules import Budget, Guard, Holding, Promise, Rule

__all__ = ["Budget", "Guard", "Holding", "Policy", "Promise", "Rule", "expand"]


class Policy(Model):
    """A whole policy file."""

    version: Text = Field(description="version of this file, in quotes; raise it with each change of a period")
    company: Company
    document: Published
    security_measures: Text = Field(description="where the technical and organisational measures are described")
    sections: tuple[Section, ...] = Field(min_length=1, description="a list of entries with 'id' and 'title'")
    activities: tuple[Activity, ...] = Field(min_length=1, description="a list of the rows of the policy's table")
    systems: Mapping[str, System] = Field(min_length=1, description="entries named by the key of the system")
    holdings: Mapping[str, Holding] = Field(default_factory=dict, description="entries named '<system>.<name>'")
    guard: Guard
    protected: tuple[Protected, ...] = Field((), description="a list of entries that no rule may select")
    rules: tuple[Rule, ...] = Field((), description="a list of what this installation enforces")
    promises: tuple[Promise, ...] = Field((), description="a list of what it does not enforce")
    requests: Requests | None = Field(None, description="how requests of persons are carried out; leave out for none")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, data: Any) -> Any:
        return expand(data)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: comments, layout and the order of keys don't count, every value does."""
        return sha256(self.model_dump(mode="json"))

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id.

        Raises:
            KeyError: there is none.
        """
        return self._rules_by_id[rule_id]

    def holding(self, holding_id: str) -> Holding:
        """The holding of that id.

        Raises:
            KeyError: there is none.
        """
        return self.holdings[holding_id]

    def rules_of(self, system: str) -> tuple[Rule, ...]:
        """The rules on holdings of a system, in the order of the file."""
        return tuple(rule for rule in self.rules if self.holding(rule.holding).system == system)

    def uncovered(self) -> tuple[System, ...]:
        """Systems that no stage of the requests names although identifiers of persons are sent there: the gap."""
        covered = self.requests.systems if self.requests else ()
        return tuple(one for key, one in self.systems.items() if key not in covered and one.identifiers)

    @cached_property
    def _rules_by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}


def expand(data: Any) -> Any:
    """Say twice what the file says once: the name of an entry inside it, and the guard's limits in each rule."""
    if not isinstance(data, Mapping):
        return data
    full = dict(data)
    for collection, name in (("systems", "key"), ("holdings", "id")):
        if isinstance(full.get(collection), Mapping):
            full[collection] = {
                key: {**entry, name: key} if isinstance(entry, Mapping) else entry
                for key, entry in full[collection].items()
            }
    guard, rules = full.get("guard"), full.get("rules")
    if isinstance(guard, Mapping) and isinstance(rules, tuple | list):
        limits = {key: guard[key] for key in Budget.model_fields if key in guard}
        full["rules"] = tuple(_with_limits(rule, limits) for rule in rules)
    return full


def _with_limits(rule: Any, limits: Mapping[str, Any]) -> Any:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("budget", {}), Mapping):
        return rule
    return {**rule, "budget": {**limits, **rule.get("budget", {})}}

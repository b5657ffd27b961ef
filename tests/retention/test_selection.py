"""From a rule to a selection, and from a scope to its digest."""

from __future__ import annotations

from typing import Any

import pytest

from include.policy.actions import Action, Anonymisation, Generalise
from include.policy.model import Policy, Rule
from include.policy.period import Period
from include.retention.selection import select
from tests.retention.kit import AS_OF, POLICY

CUTOFF = Period.parse("14 months").cutoff(AS_OF)


def test_a_selection_says_what_the_holding_and_the_rule_say() -> None:
    found = select(POLICY, POLICY.rule("U1"), CUTOFF)
    assert (found.rule, found.subject, found.trigger_field) == ("U1", "field:uid", "at")
    assert found.location == {"group": "events", "parent": "events"}
    assert (found.cutoff, found.period_seconds) == (CUTOFF, POLICY.rule("U1").period.seconds)
    assert found.action is Action.ANONYMISE
    assert found.anonymisation == Anonymisation(("uid", "ip", "device"), (Generalise("at", "month"),))
    assert found.where == {}


def test_conditions_come_along() -> None:
    found = select(POLICY, POLICY.rule("M1"), CUTOFF)
    assert (found.where, found.trigger_field) == ({"source": "event"}, "last_contact_at")
    assert {"group": "consents"} in found.protected
    assert (found.action, found.anonymisation) == (Action.DELETE, None)


def with_holding(**changes: Any) -> Policy:
    holding = POLICY.holding("firestore.events").model_copy(update=changes)
    return POLICY.model_copy(update={"holdings": {**POLICY.holdings, "firestore.events": holding}})


RULE = POLICY.rule("U1")
assert RULE.anonymise is not None
SCOPES: list[tuple[str, Rule, Policy]] = [
    ("period", RULE.model_copy(update={"period": Period.parse("13 months")}), POLICY),
    ("action", RULE.model_copy(update={"action": Action.DELETE}), POLICY),
    ("conditions", RULE.model_copy(update={"where": {"feature": "login"}}), POLICY),
    ("fields", RULE.model_copy(update={"anonymise": RULE.anonymise.model_copy(update={"remove": ("uid",)})}), POLICY),
    ("id", RULE.model_copy(update={"id": "U9"}), POLICY),
    ("location", RULE, with_holding(location={"group": "events"})),
    ("subject", RULE, with_holding(subject="id")),
    ("trigger field", RULE, with_holding(triggers={"event": "seen_at"})),
    ("system", RULE, with_holding(system="elasticsearch")),
]


@pytest.mark.parametrize(("rule", "policy"), [row[1:] for row in SCOPES], ids=[row[0] for row in SCOPES])
def test_whatever_decides_what_goes_changes_the_scope(rule: Rule, policy: Policy) -> None:
    assert rule.scope_digest(policy) != RULE.scope_digest(POLICY)


@pytest.mark.parametrize("change", [{"source": "another"}, {"note": "x"}, {"name": "x"}, {"legal_basis": "x"}])
def test_words_do_not_change_the_scope(change: dict[str, str]) -> None:
    assert RULE.model_copy(update=change).scope_digest(POLICY) == RULE.scope_digest(POLICY)

"""Let a store expire records by itself: a decision of its own, never a part of a night."""

from __future__ import annotations

from include.errors import Refused
from include.ledger.entry import Kind
from include.policy.model import Rule
from include.retention.desk import Desk, Night
from include.retention.evidence import Place, connector, drift_entry
from include.retention.selection import select
from include.systems.contract import Expiry, RetentionSystem


def set_expiry(desk: Desk, night: Night, rule: Rule, system: RetentionSystem, *, by: str) -> Expiry:
    """Set the store's own expiry of a rule's location to the rule's period, with an intent before it.

    Args:
        desk: the means.
        night: the run it belongs to.
        rule: whose period and location.
        system: the store.
        by: pseudonym of the person who asked for it.

    Raises:
        Refused: a legal hold is in force that the store would not see, or it has no such setting for this location.
        Unavailable: store or ledger did not answer.
    """
    key = system.card.key
    active = desk.holds.active()
    if active.whole(rule.id, key) is not None or desk.on_hold(active, rule) is not None:
        raise Refused(
            key, f"let it expire what rule {rule.id} covers", "A legal hold is in force and the store knows no holds."
        )
    place = Place(night.run, rule.id, key)
    asked = place.entry(Kind.OPERATOR_ACTION, {"action": "set_expiry", "by": by, "connector": connector(system.card)})
    desk.ledger.append([asked])
    setting = system.set_expiry(select(desk.policy, rule, rule.period.cutoff(night.as_of)))
    desk.ledger.append([drift_entry(place, [setting])])
    return setting

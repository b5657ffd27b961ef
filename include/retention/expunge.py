"""Make deleted records leave the disk in stores that keep their bytes for a while."""

from __future__ import annotations

from include.errors import Refused
from include.ledger.entry import Kind
from include.retention.desk import Desk, Night
from include.retention.evidence import Place
from include.retention.selection import select
from include.systems.contract import Expunging, RetentionSystem


def expunge(desk: Desk, night: Night, system: RetentionSystem) -> int:
    """Expunge each place of a system that a rule deletes from, and write what the store said.

    Returns:
        how many places were expunged; 0 for a store that keeps nothing to let go of.

    Raises:
        Refused: the service does not allow it at a place; the other places are done all the same.
        Unavailable: store or ledger did not answer; run again.
    """
    if not isinstance(system, Expunging):
        return 0
    done: set[str] = set()
    refused: Refused | None = None
    for rule in desk.policy.rules_of(system.card.key):
        if rule.holding in done:
            continue
        done.add(rule.holding)
        try:
            expunged = system.expunge(select(desk.policy, rule, rule.period.cutoff(night.as_of)))
        except Refused as error:
            refused = error
            continue
        place = Place(night.run, rule.id, system.card.key)
        body = {"how": expunged.how, "before": expunged.before, "after": expunged.after}
        desk.ledger.append([place.entry(Kind.EXPUNGED, {**body, "holding": rule.holding})])
    if refused is not None:
        raise refused
    return len(done)

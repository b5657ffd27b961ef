"""Leads by their age: the vendor's history of a lead says when it was collected and when it was changed last.

A deletion has no precondition and there is no look-up of one lead. When it was collected never changes; when it was
changed last can, between the selection and the deletion, which is why a rule should count from the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from include.errors import Refused
from include.policy.actions import Action
from include.systems.contract import Batch, Expiry, OnHold, ReadBack, Selection, Survey, Swept
from include.systems.phantombuster import CARD, KEY
from include.systems.phantombuster.calls import Calls, Lead


class Leads:
    """See :class:`include.systems.contract.RetentionSystem`.

    Args:
        calls: to the workspace.
    """

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count; the vendor can't, so all leads are read, a page in memory at a time."""
        _check(selection)
        total = due = held = 0
        oldest = newest = None
        for lead in self._calls.leads():
            total += 1
            moment = _due_since(lead, selection)
            if moment is None:
                continue
            due += 1
            held += _is_held(lead, selection, on_hold)
            oldest, newest = min(oldest or moment, moment), max(newest or moment, moment)
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due leads in the order of their creation, one page at a time.

        What goes makes room: the next page begins after the leads that stay, so that none is passed over. What was
        handed out and is still there stays too: the read-back will tell.
        """
        _check(selection)
        self._calls.check_list()
        stay, handed_out = 0, frozenset[str]()
        while leads := self._calls.page(stay).leads:
            due = {
                lead.id: moment
                for lead in leads
                if (moment := _due_since(lead, selection))
                and not _is_held(lead, selection, on_hold)
                and lead.id not in handed_out
            }
            stay += len(leads) - len(due)
            if due:
                handed_out = frozenset(due)
                yield Batch(len(due), min(due.values()), max(due.values()), tuple(due))

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete the leads of a batch by their ids. What the vendor does not count was no longer there.

        A lead that is refused inside an accepted call looks like an absent one; the read-back finds it.
        """
        _check(selection)
        gone = min(self._calls.delete(batch.records), len(batch.records))
        return Swept(gone=gone, absent=len(batch.records) - gone)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Read all leads again."""
        found = self.survey(selection, on_hold)
        return ReadBack(found.due - found.held, found.held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: the vendor has no such setting for leads."""
        _check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: the vendor has no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "Leads have no expiry of their own; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()


def _check(selection: Selection) -> None:
    """Refuse a selection that this module does not understand, before any call."""
    tried = f"read the rule {selection.rule}"
    if selection.location or selection.where:
        raise Refused(KEY, tried, "It is about all leads: 'location' is {} and 'where' is left out.")
    if selection.trigger_field not in CARD.trigger_fields:
        raise Refused(KEY, tried, f"Use one of {', '.join(sorted(CARD.trigger_fields))} as its trigger.")
    if selection.subject not in (None, *CARD.subject_forms) or selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Use 'id' or 'linkedinProfileSlug' as its subject; leads can only be deleted.")


def _due_since(lead: Lead, selection: Selection) -> datetime | None:
    """The trigger of a lead that is due; None for one that is not, or that has no history."""
    moment = lead.first if selection.trigger_field == "firstEditedAt" else lead.last
    return moment if moment is not None and moment < selection.cutoff else None


def _is_held(lead: Lead, selection: Selection, on_hold: OnHold | None) -> bool:
    if on_hold is None or selection.subject is None:
        return False
    return on_hold(lead.id if selection.subject == "id" else lead.slug)

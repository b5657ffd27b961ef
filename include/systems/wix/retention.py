"""Contacts and submissions by age: selected by the vendor's own filter on dates, deleted by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeGuard

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.systems.addresses import same
from include.systems.contract import Batch, Expiry, OnHold, ReadBack, Selection, Survey, Swept
from include.systems.mentions import addresses_in
from include.systems.wix import CARD, KEY, contacts
from include.systems.wix.site import Site

CONTACTS, SUBMISSIONS = "contacts", "submissions"


@dataclass(frozen=True, slots=True)
class _Record:
    """A contact or a submission, by what a rule needs of it."""

    id: str
    moment: datetime
    addresses: frozenset[str] = field(repr=False)

    def held(self, on_hold: OnHold | None) -> bool:
        """Whether a hold names one of its addresses, as it is written or in small letters."""
        return on_hold is not None and any(on_hold(address) for address in self.addresses)


class WixRetention:
    """See :class:`include.systems.contract.RetentionSystem`.

    Args:
        site: the calls.
    """

    card = CARD

    def __init__(self, site: Site) -> None:
        self._site = site

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Read what is due; contacts are counted by the vendor, submissions by reading all."""
        _check(selection)
        due = held = 0
        oldest: datetime | None = None
        newest: datetime | None = None
        for record in self._due(selection):
            due += 1
            held += record.held(on_hold)
            oldest, newest = min(oldest or record.moment, record.moment), max(newest or record.moment, record.moment)
        return Survey(max(due, self._total(selection)), due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield what is due and not on hold, oldest first."""
        _check(selection)
        due = (record for record in self._due(selection) if not record.held(on_hold))
        while some := tuple(islice(due, CARD.batch_size)):
            yield Batch(len(some), some[0].moment, some[-1].moment, [record.id for record in some])

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete exactly these; contacts are looked at again before.

        Raises:
            Unavailable: a call failed, or the vendor's job takes longer.
            Refused: the key may not delete.
        """
        _check(selection)
        ids: Sequence[str] = batch.records
        if selection.location["collection"] == SUBMISSIONS:
            gone = sum(self._site.delete_submission(number) for number in ids)
            return Swept(gone, absent=len(ids) - gone)
        there = contacts.present(self._site, ids)
        due = {contact.id for contact in there if _is_due(contact.moment(selection.trigger_field), selection)}
        done = contacts.delete(self._site, due)
        if done.waiting:
            step = f"Run it again later; the vendor has not ended the deletion of {len(done.waiting)}."
            raise Unavailable(KEY, f"delete a batch of {batch.count} contacts", step)
        gone = len(due) - len(done.refused)
        return Swept(gone, len(ids) - len(there), changed=len(there) - len(due), blocked=len(done.refused))

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Read what is due again. A member's contact is kept by the vendor as long as the member is there."""
        _check(selection)
        held, left = 0, list[_Record]()
        for record in self._due(selection):
            if record.held(on_hold):
                held += 1
            else:
                left.append(record)
        blocked = self._members_among(left) if selection.location["collection"] == CONTACTS else 0
        return ReadBack(len(left) - blocked, held, blocked)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: the vendor has no such setting."""
        _check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: the vendor has no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "Nothing of a site expires by itself; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._site.close()

    def _due(self, selection: Selection) -> Iterator[_Record]:
        """The vendor filters, we judge."""
        if selection.location["collection"] == SUBMISSIONS:
            for submission in self._site.submissions(selection.cutoff):
                written = addresses_in(submission.values)
                if _is_due(submission.created, selection):
                    yield _Record(submission.id, submission.created, _forms(written))
            return
        for contact in contacts.older(self._site, selection.trigger_field, selection.cutoff):
            moment = contact.moment(selection.trigger_field)
            if _is_due(moment, selection):
                yield _Record(contact.id, moment, _forms(addresses_in(contact.content)))

    def _total(self, selection: Selection) -> int:
        if selection.location["collection"] == CONTACTS:
            return contacts.count(self._site)
        return sum(1 for _ in self._site.submissions())

    def _members_among(self, left: Sequence[_Record]) -> int:
        ids = {record.id for record in left}
        logins = {address for record in left for address in record.addresses}
        return len({member.contact for member in self._site.members(logins)} & ids) if logins else 0


def _forms(written: Iterator[str]) -> frozenset[str]:
    return frozenset(form for address in written for form in (address, same(address)))


def _is_due(moment: datetime | None, selection: Selection) -> TypeGuard[datetime]:
    return moment is not None and moment < selection.cutoff


def _check(selection: Selection) -> None:
    """Refuse a selection that this module does not understand, before any call."""
    tried = f"read the rule {selection.rule}"
    collection = selection.location.get("collection")
    if selection.location.keys() != {"collection"} or collection not in (CONTACTS, SUBMISSIONS):
        raise Refused(KEY, tried, "Give its location a 'collection' alone: 'contacts' or 'submissions'.")
    if selection.trigger_field not in (CARD.trigger_fields if collection == CONTACTS else {"createdDate"}):
        raise Refused(KEY, tried, "Contacts are dated by 'lastActivity' or 'createdDate', submissions by the latter.")
    if selection.where or selection.subject not in (None, *CARD.subject_forms):
        raise Refused(KEY, tried, "Use 'email' as its subject, and no 'where'.")
    if selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Records can only be deleted.")

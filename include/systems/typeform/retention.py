"""Answers by age. All are read: a selection by date at the vendor would leave out what was never sent off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.policy.persons import IdentifierKind
from include.systems.addresses import same
from include.systems.contract import Batch, Expiry, OnHold, ReadBack, Selection, Survey, Swept
from include.systems.typeform import CARD, KEY
from include.systems.typeform.calls import PAGE, Answer, Calls
from include.systems.typeform.naming import identifiers


class TypeformRetention:
    """See :class:`include.systems.contract.RetentionSystem`.

    Args:
        calls: to the account.
    """

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count all answers and those that are due, a page in memory at a time."""
        total = due = held = 0
        oldest: datetime | None = None
        newest: datetime | None = None
        for answer in self._answers(selection):
            total += 1
            moment = _due_since(answer, selection)
            if moment is None:
                continue
            due += 1
            held += _is_held(answer, on_hold)
            oldest, newest = min(oldest or moment, moment), max(newest or moment, moment)
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due answers, form by form, the newest first, which is the vendor's only order for pages."""
        dated = ((answer, _due_since(answer, selection)) for answer in self._answers(selection))
        due = ((a, moment) for a, moment in dated if moment is not None and not _is_held(a, on_hold))
        while some := tuple(islice(due, PAGE)):
            moments = [moment for _, moment in some]
            yield Batch(len(some), min(moments), max(moments), [(answer.form, answer.id) for answer, _ in some])

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Look at each answer again, delete those that are due still, and look until they are gone.

        Raises:
            Unavailable: a call failed, or the vendor has registered a deletion and not carried it out yet.
            Refused: the token may not delete.
        """
        _check(selection)
        records: Sequence[tuple[str, str]] = batch.records
        gone = absent = 0
        for form in dict.fromkeys(form for form, _ in records):
            ids = {number for other, number in records if other == form}
            found = self._calls.present(form, ids)
            due = {answer.id for answer in found if _due_since(answer, selection) is not None}
            if left := self._calls.delete(form, due):
                step = f"Run it again later; the vendor has registered {len(left)} deletions and not carried them out."
                raise Unavailable(KEY, f"delete a batch of {batch.count} answers", step)
            gone += len(due)
            absent += len(ids) - len(found)
        return Swept(gone, absent, changed=len(records) - gone - absent)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Read all answers again; each deleted one was asked for by its id before."""
        due = [_is_held(a, on_hold) for a in self._answers(selection) if _due_since(a, selection) is not None]
        return ReadBack(remaining=due.count(False), held=due.count(True))

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: the API shows no such setting."""
        _check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: the API has no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "Answers have no expiry of their own; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _answers(self, selection: Selection) -> Iterator[Answer]:
        form = _check(selection)
        for each in (form,) if form else self._calls.forms():
            yield from self._calls.answers(each)


def _check(selection: Selection) -> str:
    """Refuse a selection that this module does not understand, before any call; returns the form, "" for all."""
    tried = f"read the rule {selection.rule}"
    if selection.location.keys() - {"form"} or selection.location.get("form", "all") == "":
        raise Refused(KEY, tried, "Its location can only have a 'form', which names one.")
    if selection.trigger_field not in CARD.trigger_fields:
        raise Refused(KEY, tried, f"Use one of {', '.join(sorted(CARD.trigger_fields))} as its trigger.")
    if selection.where or selection.subject not in (None, *CARD.subject_forms):
        raise Refused(KEY, tried, "Use 'answers' as its subject, and no 'where'.")
    if selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Answers can only be deleted.")
    return selection.location.get("form", "")


def _due_since(answer: Answer, selection: Selection) -> datetime | None:
    """The trigger of an answer that is due; None for one that is not."""
    moment = answer.moment(selection.trigger_field)
    return moment if moment is not None and moment < selection.cutoff else None


def _is_held(answer: Answer, on_hold: OnHold | None) -> bool:
    """A hold may name an address as it is known; an answer has it as it was typed."""
    if on_hold is None:
        return False
    for known in identifiers(answer.content):
        forms = {known.value, same(known.value)} if known.kind is IdentifierKind.EMAIL else {known.value}
        if any(on_hold(form) for form in forms):
            return True
    return False

"""What the erasure engine calls: all answers are read once for a whole batch of persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from include.errors import Refused
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.typeform import ERASING_CARD, HORIZON
from include.systems.typeform.calls import NOBODY, Answer, Calls
from include.systems.typeform.naming import People, identifiers

_KIND = "answers"
_NOTE = "The token's scopes are not shown; whether it may delete shows with the first deletion."


class TypeformErasing:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        calls: to the account.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, calls: Calls, means: Means) -> None:
        self._calls = calls
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read the answers to all forms and count those that name each person."""
        return [
            Found(ref, {_KIND: len(held)} if held else {}, records=tuple((each.form, each.id) for each in held))
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete exactly those answers. What the vendor has registered only is accepted, not gone."""
        by_form: dict[str, set[str]] = {}
        for each in found:
            for form, number in each.records:
                by_form.setdefault(form, set()).add(number)
        left = {(form, number) for form, ids in by_form.items() for number in self._calls.delete(form, ids)}
        return [_receipt(each, left, self._means.clock() + HORIZON) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read all answers again. What is there before the date of a registered deletion is pending."""
        until = {receipt.ref: receipt.until for receipt in receipts if receipt.did is Did.ACCEPTED}
        now = self._means.clock()
        return [_seen(ref, len(held), until.get(ref), now) for ref, held in self._look(subjects).items()]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Each person's answers as the vendor gives them, with the form's id. Uploaded files are given as links."""
        for subject in subjects:
            held = self._look([subject])[subject.ref]
            yield Exported(subject.ref, {_KIND: [{"form_id": each.form, **each.content} for each in held]})

    def access(self) -> Access:
        """Read the account, the list of forms, and an answer that can't be there."""
        self._calls.account()
        missing: list[str] = []
        try:
            for form in self._calls.forms():
                self._try_reading(form, missing)
                break
        except Refused:
            missing.append("forms:read")
        return Access(missing=tuple(missing), shown=False, note=_NOTE)

    def people(self) -> Iterator[Identifier]:
        """Addresses in all answers, and the values of hidden fields, each of which may be a user id."""
        for form in self._calls.forms():
            for answer in self._calls.answers(form):
                yield from identifiers(answer.content)

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _try_reading(self, form: str, missing: list[str]) -> None:
        try:
            self._calls.present(form, [NOBODY])
        except Refused:
            missing.append("responses:read")

    def _look(self, subjects: Sequence[Subject]) -> Mapping[str, list[Answer]]:
        held: dict[str, list[Answer]] = {subject.ref: [] for subject in subjects}
        people = People(subjects)
        for form in self._calls.forms() if people else ():
            for answer in self._calls.answers(form):
                for ref in people.refs(answer.content):
                    held[ref].append(answer)
        return held


def _receipt(found: Found, left: set[tuple[str, str]], until: datetime) -> Receipt:
    waiting = sum(place in left for place in found.records)
    gone = len(found.records) - waiting
    if waiting:
        return Receipt(found.ref, Did.ACCEPTED, gone, until=until)
    return Receipt(found.ref, Did.GONE if gone else Did.ABSENT, gone)


def _seen(ref: str, count: int, until: datetime | None, now: datetime) -> Seen:
    if until is not None and now < until:
        return Seen(ref, 0, until=until if count else None, pending=bool(count))
    return Seen(ref, count)

"""Ortto's people by age: who has not clicked or answered for the period of a rule is archived and deleted.

The vendor keeps no built-in date of the last click. The rule names the field that has it, a custom one of the type
"date and time" which a journey sets at each click and answer. Who never did counts from the day of being added. How the
vendor's filters write a date is stated nowhere, so that all people are listed, a page in memory at a time, and judged
here; each batch is read by its ids right before it goes, which drops whoever came back meanwhile, and right after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.systems.autopilot.ortto import LOOKS, PAUSE
from include.systems.autopilot.ortto_calls import (
    BULK,
    CALLS_PER_SECOND,
    CREATED,
    KEY,
    Calls,
    Person,
    calls_to,
)
from include.systems.contract import Batch, Card, Expiry, OnHold, Proof, ReadBack, Selection, Survey, Swept
from include.systems.rates import alone

CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({}),
    subject_forms=MappingProxyType({"person": "the address or the external id of the person; a hold on either keeps"}),
    trigger_fields=frozenset(),
    batch_size=BULK,
    documentation="https://help.ortto.com/developer/latest/api-reference/person/archive.html",
    horizon="Where the vendor puts a deletion into its queue, the archive is emptied on day 30 at the latest.",
)


class OrttoAges:
    """See :class:`include.systems.contract.RetentionSystem`."""

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count; everybody is listed."""
        total = due = held = 0
        oldest = newest = None
        for page in self._calls.everybody(_fields(selection)):
            for person in page:
                total += 1
                moment = _due_since(person, selection)
                if moment is None:
                    continue
                due += 1
                held += _is_held(person, on_hold)
                oldest, newest = min(oldest or moment, moment), max(newest or moment, moment)
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield who is due, in the order in which they were added.

        What the caller deletes moves everybody behind it forward in the list. So the list is read on as much further
        back as was handed out: somebody may be read twice, nobody is passed over.
        """
        fields, offset, more = _fields(selection), 0, True
        while more:
            due: list[tuple[datetime, Person]] = []
            more = False
            for page in self._calls.page_from(offset, fields, sort=CREATED):
                offset += len(page)
                moments = ((_due_since(person, selection), person) for person in page)
                due += [(at, person) for at, person in moments if at is not None and not _is_held(person, on_hold)]
                if len(due) >= BULK:
                    more = True
                    break
            for start in range(0, len(due), BULK):
                piece = due[start : start + BULK]
                yield Batch(len(piece), min(at for at, _ in piece), max(at for at, _ in piece), [p for _, p in piece])
            offset = max(0, offset - len(due))

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Read the people again, archive and delete who is still due, and look once more.

        Raises:
            Unavailable: a call failed, or people are still there, maybe because the vendor's queue is long.
        """
        fields = _fields(selection)
        people: Sequence[Person] = batch.records
        found = self._calls.by_ids([person.id for person in people], fields)
        due = [person for person in found.values() if _due_since(person, selection) is not None]
        if due:
            self._delete(due)
        return Swept(gone=len(due), absent=len(people) - len(found), changed=len(found) - len(due))

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """List everybody again; each deleted one was read by its id before."""
        survey = self.survey(selection, on_hold)
        return ReadBack(remaining=survey.due - survey.held, held=survey.held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: people who are not archived stay until somebody deletes them."""
        _fields(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: there is no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "People have no expiry of their own; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _delete(self, people: Sequence[Person]) -> None:
        ids = sorted(person.id for person in people)
        queued = self._calls.archive(ids).queued
        for _ in range(LOOKS):
            deleted = self._calls.delete(ids)
            left = [] if deleted.done == len(ids) else self._left(people, ids)
            if not left:
                return
            queued += deleted.queued
            ids = left
            self._calls.pause(PAUSE)
        reason = "they wait in the vendor's queue" if queued else "the vendor did not take them"
        raise Unavailable(KEY, f"delete {len(people)} people", f"Run it again; {len(ids)} are still there: {reason}.")

    def _left(self, people: Sequence[Person], ids: Sequence[str]) -> list[str]:
        """Those who are still there. Whether people in the archive can be read by id is stated nowhere."""
        names = {person.email or person.external_id for person in people if person.id in set(ids)} - {""}
        there = self._calls.by_ids(ids, ()).keys() | {person.id for person in self._calls.archived(names)}
        return [number for number in ids if number in there]


def connect(connection: Connection) -> OrttoAges:
    """Build the connector; nothing is called yet.

    The connection is the one for the erasure of persons, see :func:`include.systems.autopilot.ortto.connect_erasing`.

    Raises:
        Refused: the key is missing, or the pace is none.
    """
    return OrttoAges(calls_to(connection, alone(connection, CALLS_PER_SECOND)))


def _fields(selection: Selection) -> tuple[str, ...]:
    """The fields that a rule needs; refuses what this module does not understand, before any call."""
    tried = f"read the rule {selection.rule}"
    if selection.location or selection.where:
        raise Refused(KEY, tried, "It knows no location and no conditions: the rule is about all people.")
    if ":" not in selection.trigger_field:
        raise Refused(KEY, tried, "Give the id of a field of the people as its trigger, such as tim:cm:last-answer.")
    if selection.subject not in (None, "person") or selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Use 'person' as its subject; people can only be deleted.")
    return (selection.trigger_field, CREATED)


def _due_since(person: Person, selection: Selection) -> datetime | None:
    """The last click or answer of somebody who is due, else the day of being added; None for who is not due."""
    last = person.fields.get(selection.trigger_field)
    moment = _moment(person.fields.get(CREATED) if last is None else last)
    return moment if moment is not None and moment < selection.cutoff else None


def _moment(value: Any) -> datetime | None:
    """None for what can't be read as a date: then nothing is known, and the person is not due."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _is_held(person: Person, on_hold: OnHold | None) -> bool:
    return on_hold is not None and any(on_hold(name) for name in (person.email, person.external_id) if name)

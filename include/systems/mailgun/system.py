"""What the erasure engine calls: remove suppressions and list members, leave events to expire, and read back.

The vendor says that a read may lag behind a write: where it contradicts what was just seen or done, it is asked once
more a moment later. That nothing is there is looked at twice in any case, by ``find`` and by ``verify``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import addresses, doubtful, same, sendable
from include.systems.assuring import Access
from include.systems.erasing import Did, Found, Means, Receipt, Seen, Stays
from include.systems.mailgun import ERASING_CARD, entries, events
from include.systems.mailgun.client import SYSTEM, connect
from include.systems.mailgun.entries import Entry
from include.systems.sending import CLOCKS_APART

_SETTLE = 2.0
"""Seconds that a write is given to show up in a read."""
_DOUBTFUL = "One address is in a form that is never sent: look for it by hand in Mailgun, or correct the request."


@dataclass(frozen=True, slots=True)
class _Records:
    """What ``find`` hands to ``erase``: entries to remove, and when the last event will have expired."""

    going: tuple[Entry, ...]
    until: datetime | None
    doubtful: bool


class Mailgun:
    """``ErasingSystem`` for an account, its subaccounts and all their domains."""

    def __init__(self, connection: Connection, means: Means) -> None:
        if unknown := means.keep_suppressions - set(entries.LISTS):
            step = f"Correct {', '.join(sorted(unknown))} in the policy file to some of {', '.join(entries.LISTS)}."
            raise Refused(SYSTEM, "read which suppressions to keep", step)
        self.card = ERASING_CARD
        self._means = means
        self._client = connect(connection)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Suppressions, list members and events of each person. Events are counted, and can only expire.

        Raises:
            Unavailable: a call failed; nothing is known of any of them.
            Refused: the key lacks a right.
        """
        held = self._look(subjects)
        return [self._found(subject, held) for subject in subjects]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Remove exactly the entries found.

        Raises:
            Unavailable: a call failed or its answer was lost; any part may be done.
            Throttled: likewise, and the vendor said how long to wait.
            Refused: the vendor does not allow it.
        """
        wanted = sorted({entry for each in found for entry in each.records.going})
        gone = self._remove(wanted)
        return [_receipt(each, gone) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look for suppressions and members again; ``until`` is when the newest event will have expired.

        Raises:
            Unavailable: a call failed.
        """
        held = self._look(subjects)
        if any(_of_person(subject, held, self._stays, keep=False) for subject in subjects):
            self._client.http.pause(_SETTLE)
            held = self._look(subjects)
        return [
            Seen(
                subject.ref,
                remaining=len(_of_person(subject, held, self._stays, keep=False)),
                until=self._expiry(subject)[1],
            )
            for subject in subjects
        ]

    def access(self) -> Access:
        """List one sending domain, which names nobody."""
        self._client.try_access()
        return Access(shown=False, note="The key is accepted; Mailgun does not show what it may do.")

    def people(self) -> Iterator[Identifier]:
        """Every address on a list that does not survive an erasure, and every member of a mailing list."""
        kept = self._means.keep_suppressions
        for entry in entries.everybody(self._client, [kind for kind in entries.LISTS if kind not in kept]):
            yield Identifier(IdentifierKind.EMAIL, entry.email)

    def close(self) -> None:
        """Release the sockets."""
        self._client.http.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, list[Entry]]:
        wanted = {address for subject in subjects for address in addresses(subject)}
        held: dict[str, list[Entry]] = {}
        for entry in entries.look(self._client, wanted) if wanted else ():
            held.setdefault(entry.address, []).append(entry)
        return held

    def _stays(self, entry: Entry) -> bool:
        return entry.kind in self._means.keep_suppressions

    def _found(self, subject: Subject, held: Mapping[str, Sequence[Entry]]) -> Found:
        going = _of_person(subject, held, self._stays, keep=False)
        stays = _count(_of_person(subject, held, self._stays, keep=True))
        count, until = self._expiry(subject)
        return Found(
            subject.ref,
            counts=_count(going) | ({"events": count} if count else {}),
            stays=tuple(Stays(kind, number, self._means.suppression_ground) for kind, number in stays.items()),
            clean_at=until,
            records=_Records(going, until, doubtful(subject)),
        )

    def _expiry(self, subject: Subject) -> tuple[int, datetime | None]:
        """How many events there are, and when the newest will be gone. Asked in each spelling that is known."""
        now = self._means.clock()
        known = subject.values(IdentifierKind.EMAIL)
        spellings = {spelling for value in known if sendable(value) for spelling in (value, same(value))}
        found = {
            event
            for spelling in sorted(spellings)
            # The log takes whole seconds, and the vendor's clock may be ahead: the answer just sent must not be missed.
            for event in events.of_recipient(self._client, spelling, now - events.KEPT, now + CLOCKS_APART)
        }
        return len(found), max((event.at for event in found), default=now) + events.KEPT if found else None

    def _remove(self, wanted: Sequence[Entry]) -> set[Entry]:
        """Those that were removed. One that is said to be absent, though it was found, is asked for once more."""
        absent = [entry for entry in wanted if not entries.remove(self._client, entry)]
        again = []
        if absent:
            self._client.http.pause(_SETTLE)
            again = [entry for entry in absent if entries.is_there(self._client, entry)]
        removed = {entry for entry in again if entries.remove(self._client, entry)}
        return {*wanted} - {*absent} | removed


def _of_person(
    subject: Subject, held: Mapping[str, Sequence[Entry]], stays: Callable[[Entry], bool], *, keep: bool
) -> tuple[Entry, ...]:
    mine = (entry for address in addresses(subject) for entry in held.get(address, ()))
    return tuple(dict.fromkeys(entry for entry in mine if stays(entry) is keep))


def _count(found: Iterable[Entry]) -> dict[str, int]:
    return dict(sorted(Counter(entry.kind for entry in found).items()))


def _receipt(found: Found, gone: set[Entry]) -> Receipt:
    records: _Records = found.records
    number = len(gone.intersection(records.going))
    if records.doubtful:
        return Receipt(found.ref, Did.FAILED, number, until=records.until, next_action=_DOUBTFUL)
    if records.until is not None:
        return Receipt(found.ref, Did.EXPIRING, number, until=records.until)
    return Receipt(found.ref, Did.GONE if number else Did.ABSENT, number)

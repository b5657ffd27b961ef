"""What the erasure engine calls: identities looked up, users deleted by the vendor's id, awaited, and looked up again.

A push subscription follows its device: the one who signs in next takes it over. So a user that is found by a
subscription is the person's only if it has no id of ours, or the person's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.mentions import is_word
from include.systems.onesignal import ERASING_CARD, LATE
from include.systems.onesignal.calls import OPAQUE, Calls, Identity

LOOKS, PAUSE = 5, 1.0
"""How often, and after how many seconds each, a deletion is looked for before the rest is left to the days after."""
LONGEST = 128
"""Characters of an external id; the vendor takes no longer ones."""


@dataclass(frozen=True, slots=True)
class _Records:
    """What ``find`` hands to ``erase``."""

    users: tuple[Identity, ...] = field(default=(), repr=False)


class OneSignal:
    """``ErasingSystem`` for the users of one app; gives out, lists people and tries its key too."""

    card = ERASING_CARD

    def __init__(self, calls: Calls, means: Means) -> None:
        self._calls = calls
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """The users of each person.

        Raises:
            Unavailable: a call failed; nothing is known of any of them.
            Refused: the key does not allow it.
        """
        looked = ((subject.ref, self._users(subject)) for subject in subjects)
        return [Found(ref, {"users": len(users)} if users else {}, records=_Records(users)) for ref, users in looked]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete each user, then wait a little until they are gone."""
        asked: dict[str, bool] = {}
        for each in found:
            for user in each.records.users:
                asked[user.id] = self._calls.delete_user(user.id)
        left = self._awaited([number for number, accepted in asked.items() if accepted])
        return [self._receipt(each, asked, left) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again by the person's own ids. What was accepted is awaited until the receipt's date."""
        given = {receipt.ref: receipt for receipt in receipts}
        return [self._seen(subject.ref, len(self._users(subject)), given.get(subject.ref)) for subject in subjects]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Identity, properties and subscriptions of each user."""
        for subject in subjects:
            users = (self._calls.user(user.id) for user in self._users(subject))
            yield Exported(subject.ref, {"users": [user for user in users if user]})

    def people(self) -> Iterator[Identifier]:
        """Our id of the user and the id of each subscription, from an export."""
        for row in self._calls.subscriptions():
            if row.external_id:
                yield Identifier(IdentifierKind.USER_ID, row.external_id)
            if row.device:
                yield Identifier(IdentifierKind.PUSH_ID, row.id)

    def access(self) -> Access:
        """List a segment: no user is touched."""
        self._calls.try_key()
        return Access(shown=False, note="An App API key may do everything in its app; there are no smaller rights.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _users(self, subject: Subject) -> tuple[Identity, ...]:
        own = subject.values(IdentifierKind.USER_ID)
        users = [self._calls.by_external_id(value) for value in own if is_word(value) and len(value) <= LONGEST]
        for value in subject.values(IdentifierKind.PUSH_ID):
            user = self._calls.of_subscription(value) if OPAQUE.fullmatch(value) else None
            users.append(user if user and user.external_id in ("", *own) else None)
        return tuple({user.id: user for user in users if user}.values())

    def _awaited(self, numbers: Sequence[str]) -> frozenset[str]:
        """Those that are still there after a few looks."""
        left = list(numbers)
        for look in range(LOOKS):
            left = [number for number in left if self._calls.by_id(number) is not None]
            if not left or look == LOOKS - 1:
                break
            self._calls.pause(PAUSE)
        return frozenset(left)

    def _receipt(self, found: Found, asked: dict[str, bool], left: frozenset[str]) -> Receipt:
        numbers = [user.id for user in found.records.users]
        gone = sum(asked[number] and number not in left for number in numbers)
        if left.intersection(numbers):
            return Receipt(found.ref, Did.ACCEPTED, gone, until=self._means.clock() + LATE)
        return Receipt(found.ref, Did.GONE if gone else Did.ABSENT, gone)

    def _seen(self, ref: str, remaining: int, receipt: Receipt | None) -> Seen:
        until = receipt.until if receipt and receipt.did is Did.ACCEPTED else None
        if remaining and until and until > self._means.clock():
            return Seen(ref, 0, until=until, pending=True)
        return Seen(ref, remaining)

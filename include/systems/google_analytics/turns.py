"""Whose turn it is: Google's daily limit of deletions, shared by all tasks of the deployment, and when the rest follow.

A person is submitted on one day or not at all: half a person's identifiers today would have to be sent again tomorrow,
because nothing but the receipt of the whole says what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from include.systems.erasing import Budgets

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Turns:
    """The day's limit and the queue for the days after.

    Google counts its days from midnight on the Pacific coast, ours are UTC: after a night in which both parts of such
    a day were used, Google answers 429 and the rest waits as if the limit had been ours.

    Args:
        budgets: shared with all other tasks.
        properties: ids; each identifier is one deletion in each of them.
        per_day: limit of each property.
    """

    def __init__(self, budgets: Budgets, properties: Sequence[str], per_day: int) -> None:
        self._budgets = budgets
        self._names = [f"google_analytics/{number}/deletions" for number in properties]
        self._per_day = per_day
        self._waiting: dict[str, int] = {}

    def never(self, needed: int) -> bool:
        """Whether so many deletions can't be made on any one day."""
        return needed > self._per_day

    def take(self, ref: str, needed: int) -> bool:
        """Take a person's deletions of today; False when they don't all fit.

        Nobody overtakes: once one waits, all who come later wait.

        Raises:
            Unavailable: the limits can't be read; nothing may be sent.
        """
        if next(iter(self._waiting), ref) != ref:
            return False
        if any(self._budgets.left(name, self._per_day, DAY) < needed for name in self._names):
            return False
        taken = [self._budgets.take(name, needed, self._per_day, DAY) for name in self._names]
        if min(taken) < needed:
            return False
        self._waiting.pop(ref, None)
        return True

    def wait(self, ref: str, needed: int, now: datetime) -> datetime:
        """Put a person at the end of the queue: the beginning of the day on which the turn comes.

        It counts those who wait since this client was built; tasks that run beside it have queues of their own.
        """
        self._waiting.setdefault(ref, needed)
        day, used = 1, 0
        for other, size in self._waiting.items():
            if used + size > self._per_day:
                day, used = day + 1, 0
            used += size
            if other == ref:
                break
        return _EPOCH + ((now - _EPOCH) // DAY + day) * DAY

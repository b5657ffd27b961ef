"""What the systems share in which nothing can be deleted, and every event ends by itself at a date."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.systems.erasing import Did, Found, Receipt, Seen

GRACE = timedelta(days=1)
"""Retention is counted in days of the event's time: a day more covers the day on which it ends."""


@dataclass(frozen=True, slots=True)
class Held:
    """The events of one person.

    Args:
        count: all of them.
        overdue: those that should have ended by now.
        until: when the last of the others ends, None without any. UTC.
    """

    count: int = 0
    overdue: int = 0
    until: datetime | None = None

    @classmethod
    def of(cls, times: Collection[datetime], lasts: timedelta, now: datetime) -> Held:
        """Events by their times, each of which lasts so long and a day of grace."""
        ends = [time + lasts + GRACE for time in times]
        ahead = [end for end in ends if end > now]
        return cls(len(ends), len(ends) - len(ahead), max(ahead, default=None))

    def found(self, ref: str) -> Found:
        """What a look says of a person."""
        return Found(ref, {"events": self.count} if self.count else {}, clean_at=self.until, records=self)

    def receipt(self, ref: str, overdue: str) -> Receipt:
        """What an erasure says: absent, until when it lasts, or whom to ask about what outlived its date.

        Args:
            ref: id of the request.
            overdue: the instruction, with a place for ``{count}``.
        """
        if self.overdue:
            return Receipt(ref, Did.MANUAL, until=self.until, next_action=overdue.format(count=self.overdue))
        return Receipt(ref, Did.EXPIRING if self.count else Did.ABSENT, until=self.until)

    def seen(self, ref: str) -> Seen:
        """What a later look says: what is within its time is awaited, older events remain, an empty search proves."""
        return Seen(ref, remaining=self.overdue, until=self.until, proved=not self.count)

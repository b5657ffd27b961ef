"""What Ortto keeps: people with their fields and activities, the archive, and a queue of what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

PURGE = timedelta(days=30)
"""On day 30 the archive lets go of a person by itself."""
ENGAGED = "tim:cm:last-answer"
"""A custom field of the company: when somebody last clicked or answered."""


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        calls_per_second: 10 on the smallest plan.
        queue_seconds: how long an archiving or a deletion waits in the queue; 0 for none.
        archive_page: people that a look into the archive shows.
        archive_fields: whether that look shows fields.
    """

    calls_per_second: int = 10_000
    queue_seconds: int = 0
    archive_page: int = 50
    archive_fields: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A person; ``archived_at`` is None for one who is not in the archive."""

    id: str
    email: str
    external_id: str
    first: str
    last: str
    created_at: datetime
    engaged_at: datetime | None = None
    subscribed: bool = True
    activities: tuple[str, ...] = ()
    archived_at: datetime | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """By the vendor's ids; absent ones are left out."""
        found = {
            "str::email": self.email,
            "str::ei": self.external_id,
            "str::first": self.first,
            "str::last": self.last,
            "c": self.created_at.isoformat(),
            ENGAGED: self.engaged_at.isoformat() if self.engaged_at else "",
        }
        return {name: value for name, value in found.items() if value} | {"bol::p": self.subscribed}


@dataclass(frozen=True, slots=True)
class Wish:
    """Something in the queue."""

    at: datetime
    operation: str
    ids: tuple[str, ...]


@dataclass(slots=True)
class Account:
    """All people by id, and the queue."""

    people: dict[str, Person] = field(default_factory=dict)
    queue: list[Wish] = field(default_factory=list)

    def settle(self, now: datetime) -> None:
        """Do what waited long enough, and empty the archive of who was in it too long."""
        due = [wish for wish in self.queue if wish.at <= now]
        self.queue = [wish for wish in self.queue if wish.at > now]
        for wish in due:
            self.do(wish.operation, wish.ids, wish.at)
        for person in tuple(self.people.values()):
            if person.archived_at is not None and person.archived_at + PURGE <= now:
                del self.people[person.id]

    def do(self, operation: str, ids: Iterable[str], now: datetime) -> int:
        """Archive, restore or delete those whom it fits; how many there were."""
        done = 0
        for number in ids:
            person = self.people.get(number)
            if person is None or (person.archived_at is None) is not (operation == "archive"):
                continue
            if operation == "delete":
                del self.people[number]
            else:
                self.people[number] = replace(person, archived_at=now if operation == "archive" else None)
            done += 1
        return done

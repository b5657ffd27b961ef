"""What Mailgun keeps: for each domain its suppressions and events, for the account its mailing lists.

Suppressions and members are found whatever the case of an address. Events keep the case in which an address was used
and are found likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

EVENTS = timedelta(days=30)
"""How long events are kept on a paid plan."""
TABLES = ("bounces", "unsubscribes", "complaints", "whitelists")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a suppression table; what the table has no use for is empty.

    Args:
        address: or the domain, in the table of the allowed.
        created_at: when it was made.
        code: of a bounce.
        error: of a bounce; the reason in the table of the allowed.
        tags: of an unsubscription.
    """

    address: str
    created_at: datetime
    code: str = ""
    error: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a message on its way to one recipient."""

    id: str
    event: str
    at: datetime
    recipient: str
    sender: str
    subject: str
    message_id: str
    variables: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as its recipient got it, or as it was dropped: not a record of the vendor."""

    message_id: str
    domain: str
    to: str
    sender: str
    subject: str
    text: str
    variables: dict[str, str]
    at: datetime
    delivered: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a mailing list."""

    address: str
    name: str
    subscribed: bool = True
    vars: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class MailingList:
    """A list; its members by address in lower case."""

    address: str
    name: str
    created_at: datetime
    members: dict[str, Member] = field(default_factory=dict)


class Domain:
    """A sending domain."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.tables: dict[str, dict[str, Entry]] = {name: {} for name in TABLES}
        self.events: dict[str, Event] = {}
        self._received: dict[str, list[str]] = {}
        self._oldest: datetime | None = None

    def add(self, table: str, entry: Entry) -> None:
        """Put an entry into a table."""
        self.tables[table][entry.address.lower()] = entry

    def add_event(self, event: Event) -> None:
        """Note an event."""
        self.events[event.id] = event
        self._received.setdefault(event.recipient.lower(), []).append(event.id)
        self._oldest = min(self._oldest or event.at, event.at)

    def events_of(self, recipient: str | None) -> Iterator[Event]:
        """All events, or those of a recipient, in no order."""
        if recipient is None:
            yield from self.events.values()
        else:
            yield from (self.events[number] for number in self._received.get(recipient.lower(), ()))

    def settle(self, now: datetime) -> None:
        """Forget what is past its retention."""
        if self._oldest is None or self._oldest > now - EVENTS:
            return
        kept = [event for event in self.events.values() if event.at > now - EVENTS]
        self.events, self._received, self._oldest = {}, {}, None
        for event in kept:
            self.add_event(event)


def rfc2822(moment: datetime) -> str:
    """A time as the answers have it."""
    return moment.strftime("%a, %d %b %Y %H:%M:%S UTC")


def shown(table: str, entry: Entry) -> dict[str, Any]:
    """An entry as the answers have it."""
    created = rfc2822(entry.created_at)
    if table == "whitelists":
        kind = "address" if "@" in entry.address else "domain"
        return {"type": kind, "value": entry.address, "reason": entry.error, "createdAt": created}
    more: dict[str, Any] = {}
    if table == "bounces":
        more = {"code": entry.code, "error": entry.error}
    if table == "unsubscribes":
        more = {"tags": list(entry.tags)}
    return {"address": entry.address, **more, "created_at": created}

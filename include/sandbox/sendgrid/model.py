"""What SendGrid keeps for one account: contacts, suppressions, activity, jobs. Addresses are kept in lower case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

ACTIVITY = timedelta(days=37)
"""How long the activity of a recipient is kept (https://support.sendgrid.com, article 18017175645595)."""
SUPPRESSIONS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
"""Lists by the name in their address; ``unsubscribes`` are the global ones."""


@dataclass(slots=True)
class Contact:
    """A contact of Marketing Campaigns."""

    id: str
    email: str
    alternate_emails: list[str]
    first_name: str
    last_name: str
    created_at: datetime
    list_ids: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        """All its addresses, the primary one first."""
        return [self.email, *self.alternate_emails]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An entry of a suppression list; what the list has no use for is empty."""

    email: str
    created: int
    reason: str = ""
    status: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the activity feed: one message to one recipient."""

    msg_id: str
    from_email: str
    to_email: str
    subject: str
    status: str
    at: datetime
    opens: int = 0
    custom_args: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as its recipient got it, or as it was dropped: not a record of the vendor."""

    msg_id: str
    to: str
    sender: str
    subject: str
    text: str
    custom_args: dict[str, str]
    at: datetime
    delivered: bool


@dataclass(slots=True)
class Job:
    """A deletion of contacts that runs by itself."""

    id: str
    ids: tuple[str, ...]
    started: datetime
    polls: int = 0
    deleted: int | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A queued erasure of addresses; nothing can be asked about it."""

    job_id: str
    emails: frozenset[str]
    due: datetime


class Account:
    """The account itself or one of its subusers.

    Args:
        username: of the subuser, "" for the account.
        number: the subuser's id, 0 for the account.
    """

    def __init__(self, username: str = "", number: int = 0) -> None:
        self.username = username
        self.number = number
        self.clear()

    def clear(self) -> None:
        """Forget everything; the groups stay."""
        self.contacts: dict[str, Contact] = {}
        self._owners: dict[str, str] = {}
        self.suppressions: dict[str, dict[str, Suppressed]] = {name: {} for name in SUPPRESSIONS}
        self.groups: dict[int, dict[str, int]] = {number: {} for number in GROUPS}
        self.activity: dict[str, Message] = {}
        self._received: dict[str, set[str]] = {}
        self._oldest: datetime | None = None
        self.jobs: dict[str, Job] = {}
        self.erasures: list[Erasure] = []

    def add_contact(self, contact: Contact) -> None:
        """Take in a contact."""
        contact.email = contact.email.lower()
        contact.alternate_emails = [address.lower() for address in contact.alternate_emails]
        self.contacts[contact.id] = contact
        for address in contact.addresses:
            self._owners[address] = contact.id

    def contact_of(self, address: str) -> Contact | None:
        """The contact that has an address, primary or alternate."""
        return self.contacts.get(self._owners.get(address.lower(), ""))

    def remove_contacts(self, ids: Iterable[str]) -> int:
        """Delete contacts; returns how many there were."""
        removed = 0
        for contact in [self.contacts.pop(number) for number in set(ids) if number in self.contacts]:
            removed += 1
            for address in contact.addresses:
                self._owners.pop(address, None)
        return removed

    def add_message(self, message: Message) -> None:
        """Take a line into the activity."""
        self.activity[message.msg_id] = message
        self._received.setdefault(message.to_email, set()).add(message.msg_id)
        self._oldest = min(self._oldest or message.at, message.at)

    def messages(self, recipient: str | None) -> list[Message]:
        """The activity, all or of one recipient."""
        if recipient is None:
            return list(self.activity.values())
        return [self.activity[number] for number in self._received.get(recipient, ())]

    def settle(self, now: datetime) -> None:
        """Do what is due: queued erasures, and the end of the retention of activity."""
        due = [erasure for erasure in self.erasures if erasure.due <= now]
        if due:
            self.erasures = [erasure for erasure in self.erasures if erasure.due > now]
            self._erase(frozenset().union(*(erasure.emails for erasure in due)))
        if self._oldest and self._oldest <= now - ACTIVITY:
            for message in [one for one in self.activity.values() if one.at <= now - ACTIVITY]:
                self._remove_message(message)
            self._oldest = min((one.at for one in self.activity.values()), default=None)

    def _remove_message(self, message: Message) -> None:
        del self.activity[message.msg_id]
        self._received[message.to_email].discard(message.msg_id)

    def _erase(self, emails: frozenset[str]) -> None:
        """Contacts and activity; suppression lists are left alone, as they are at the vendor."""
        self.remove_contacts([c.id for c in map(self.contact_of, emails) if c and c.email in emails])
        for contact in [c for c in map(self.contact_of, emails) if c]:
            for address in emails & set(contact.alternate_emails):
                contact.alternate_emails.remove(address)
                self._owners.pop(address, None)
        for message in [one for email in emails for one in self.messages(email)]:
            self._remove_message(message)


GROUPS = {41: "Weekly news", 42: "Product tips"}
"""Unsubscribe groups by id."""


def rfc3339(moment: datetime) -> str:
    """A time as the answers have it, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

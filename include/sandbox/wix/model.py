"""What a site of Wix holds, and how its interface shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        rights: of the API key.
        calls_per_minute: of the site; the vendor allows 200.
        job_polls: how often a job that deletes contacts is still running when it is looked at.
        shown_after_deletion: how many more searches of contacts show what was deleted.
    """

    rights: tuple[str, ...] = ("Manage Contacts", "Manage Members", "Manage Submissions")
    calls_per_minute: int = 60_000
    job_polls: int = 1
    shown_after_deletion: int = 0


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact; ``contributor`` is one who works on the site, whom Wix never deletes."""

    id: str
    emails: tuple[str, ...]
    first: str
    last: str
    created: datetime
    active: datetime
    contributor: bool = False

    def shown(self) -> dict[str, Any]:
        """As the vendor shows it."""
        items = [
            {
                "id": f"{self.id}{number}",
                "tag": "MAIN" if not number else "UNTAGGED",
                "email": one,
                "primary": not number,
            }
            for number, one in enumerate(self.emails)
        ]
        return {
            "id": self.id,
            "revision": 1,
            "source": {"sourceType": "WIX_FORMS"},
            "createdDate": time(self.created),
            "updatedDate": time(self.active),
            "lastActivity": {"activityDate": time(self.active), "activityType": "FORM_SUBMITTED"},
            "primaryInfo": {"email": self.emails[0]} if self.emails else {},
            "info": {"name": {"first": self.first, "last": self.last}, "emails": {"items": items}},
        }


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who can log in; belongs to a contact."""

    id: str
    login: str
    contact: str
    created: datetime

    def shown(self) -> dict[str, Any]:
        """As the vendor shows it."""
        return {
            "id": self.id,
            "loginEmail": self.login,
            "status": "APPROVED",
            "contactId": self.contact,
            "contact": {"contactId": self.contact, "emails": [self.login]},
            "profile": {"nickname": "Member", "slug": self.id[:8]},
            "privacyStatus": "PRIVATE",
            "activityStatus": "ACTIVE",
            "createdDate": time(self.created),
        }


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent by a form; ``values`` are the fields."""

    id: str
    form: str
    created: datetime
    values: dict[str, str]
    contact: str = ""
    member: str = ""
    namespace: str = "wix.form_app.form"

    def shown(self) -> dict[str, Any]:
        """As the vendor shows it."""
        return {
            "id": self.id,
            "formId": self.form,
            "namespace": self.namespace,
            "status": "CONFIRMED",
            "submissions": dict(self.values),
            "createdDate": time(self.created),
            "updatedDate": time(self.created),
            "submitter": {"memberId": self.member} if self.member else {"visitorId": f"v{self.id}"},
            **({"contactId": self.contact} if self.contact else {}),
            "seen": True,
        }


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the inbox; belongs to a contact. It can be deleted in the dashboard alone."""

    id: str
    contact: str
    email: str
    text: str


Record: TypeAlias = Contact | Member | Submission | Conversation


@dataclass(slots=True)
class Job:
    """A deletion of contacts that runs by itself."""

    id: str
    ids: list[str]
    started: datetime
    polls: int
    failed: int = 0
    done: bool = False


@dataclass(slots=True)
class Held:
    """Everything of a site. ``fading`` are contacts that are gone and still shown by some more searches."""

    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    fading: dict[str, tuple[Contact, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget it."""
        names = ("contacts", "members", "submissions", "conversations", "trash")
        self.collections = {name: {} for name in names}
        self.jobs.clear()
        self.fading.clear()

    def of(self, kind: type[Record]) -> dict[str, Any]:
        """The collection of a class of records."""
        names = {Contact: "contacts", Member: "members", Submission: "submissions", Conversation: "conversations"}
        return self.collections[names[kind]]


def time(moment: datetime) -> str:
    """A time as the answers have it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Plain typed records of the invented company, independent of any store's client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Value: TypeAlias = str | int | bool | datetime
Fields: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the CRM; ``last_login_at`` is None for one who never signed in, ``closed_at`` while open."""

    uid: str
    name: str
    email: str
    workspace: str
    verified: bool
    created_at: datetime
    last_login_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact in a workspace; ``owner`` is the uid of a user of it."""

    id: str
    workspace: str
    owner: str
    name: str
    email: str
    source: str
    created_at: datetime
    last_contact_at: datetime

    @property
    def path(self) -> str:
        """Where Firestore keeps it."""
        return f"workspaces/{self.workspace}/contacts/{self.id}"


@dataclass(frozen=True, slots=True)
class Document:
    """A Firestore document (``id`` is its path) or an Elasticsearch document."""

    id: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A Redis key; ``ttl`` in seconds, None for a key that never expires."""

    key: str
    value: str
    ttl: int | None

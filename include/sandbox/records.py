"""Plain typed records of the invented company, independent of any store's client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Value: TypeAlias = str | int | bool | datetime | list[str]
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
class Identity:
    """What else a person is known by; empty where there is nothing.

    Args:
        workspaces: ids, the person's own one first.
        past_emails: addresses from before a change.
        analytics_client_ids: of Google Analytics in the browsers, ``<random>.<seconds since 1970>``.
        analytics_app_instance_ids: of Google Analytics in the app, 32 hexadecimal digits.
        push_ids: of push subscriptions, UUIDs.
        installation_ids: of Firebase installations, 22 URL-safe characters.
        oauth_tokens: stored grants, ``<provider>:<token>``.
        external_ids: accounts at other services, ``<service>:<id there>``.
        notification_channels: of Google's calendars, ``google:<channel id>/<resource id>``.
        phone: in E.164 form.
        provider: account at another identity provider: ``providerId``, ``federatedId``, ``rawId`` and ``email``.
    """

    workspaces: list[str]
    past_emails: list[str]
    analytics_client_ids: list[str]
    analytics_app_instance_ids: list[str]
    push_ids: list[str]
    installation_ids: list[str]
    oauth_tokens: list[str]
    external_ids: list[str]
    notification_channels: list[str]
    phone: str
    provider: dict[str, str]


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

    @property
    def fields(self) -> Fields:
        """What its document holds."""
        return {
            "email": self.email,
            "name": self.name,
            "source": self.source,
            "owner": self.owner,
            "created_at": self.created_at,
            "last_contact_at": self.last_contact_at,
        }


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

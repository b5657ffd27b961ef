"""What OneSignal keeps: users with our id and the vendor's, each with subscriptions; and deletions under way."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

COLUMNS = (
    "id", "identifier", "session_count", "language", "timezone", "game_version", "device_os", "device_type",
    "device_model", "ad_id", "tags", "last_active", "playtime", "amount_spent", "created_at", "invalid_identifier",
    "badge_count", "external_user_id",
)  # fmt: skip
TYPES = {"iOSPush": "0", "AndroidPush": "1", "ChromePush": "5", "Email": "11", "SMS": "14"}
"""What the file of an export has for a type of subscription."""


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        changes_per_second: creations, changes and deletions of an app.
        views_per_second: of whole users; the vendor's limit is 1.
        delete_looks: how often something is still seen after its deletion was accepted.
        export_looks: how often the file of an export is not there yet.
    """

    changes_per_second: int = 1000
    views_per_second: int = 10_000
    delete_looks: int = 0
    export_looks: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A device, or an address or a telephone number."""

    id: str
    type: str
    token: str
    created_at: datetime
    last_active: datetime
    sessions: int


@dataclass(slots=True)
class User:
    """A user; ``external_id`` is "" for one who never signed in."""

    id: str
    external_id: str
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    @property
    def last_active(self) -> datetime | None:
        """The last session on any device."""
        return max((each.last_active for each in self.subscriptions.values()), default=None)


@dataclass(slots=True)
class App:
    """All users by the vendor's id; what is about to go, with the looks that it is still seen for."""

    users: dict[str, User] = field(default_factory=dict)
    going: dict[str, int] = field(default_factory=dict)

    def delete(self, number: str, looks: int) -> None:
        """Let a user or a subscription go."""
        if looks:
            self.going.setdefault(number, looks)
        else:
            self._remove(number)

    def by_external_id(self, value: str) -> User | None:
        """Who has an id of ours; letters count."""
        found = next((user for user in self.users.values() if value and user.external_id == value), None)
        return found and self.by_id(found.id)

    def by_id(self, number: str) -> User | None:
        """Who has an id of the vendor's."""
        return self.users.get(number) if self._seen(number) else None

    def of_subscription(self, number: str) -> User | None:
        """Whose a subscription is."""
        user = next((user for user in self.users.values() if number in user.subscriptions), None)
        if user is None or not self._seen(user.id) or not self._seen(number):
            return None
        return user

    def _seen(self, number: str) -> bool:
        """Look once: whether it is still there, although it may be about to go."""
        if number in self.going:
            self.going[number] -= 1
            if self.going[number] < 0:
                self._remove(number)
                return False
        return True

    def _remove(self, number: str) -> None:
        self.going.pop(number, None)
        self.users.pop(number, None)
        for user in self.users.values():
            user.subscriptions.pop(number, None)


def packed(users: Iterable[User]) -> bytes:
    """The file of an export."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, restval="")
    table.writeheader()
    for user in users:
        for each in user.subscriptions.values():
            row = {
                "id": each.id,
                "identifier": each.token,
                "session_count": each.sessions,
                "language": "en",
                "device_type": TYPES[each.type],
                "tags": "{}",
                "last_active": _shown(each.last_active),
                "created_at": _shown(each.created_at),
                "invalid_identifier": "f",
                "external_user_id": user.external_id,
            }
            table.writerow(row)
    return gzip.compress(text.getvalue().encode(), compresslevel=1)


def _shown(moment: datetime) -> str:
    """As the file has it: UTC, without saying so."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")

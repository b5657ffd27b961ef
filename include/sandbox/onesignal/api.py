"""OneSignal's interface for users on loopback: identities, users, deletions that take a moment, the export as a file.

Held against the vendor's own description (``onesignal-openapi.json``) by the contract test. The pages:
https://documentation.onesignal.com/reference/delete-user, …/fetch-user, …/csv-export, …/rate-limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from include.sandbox.onesignal.model import App, Settings, User, packed
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window

APP = "6f1c8e1e-3c1a-4e7e-9d0a-2f5b7c9d1e42"
"""Id of the app."""
_NUMBER = re.compile(r"[0-9A-Za-z-]{8,64}")


@dataclass(frozen=True, slots=True)
class File(Reply):
    """An answer that is no JSON."""

    data: bytes = b""

    @property
    def content(self) -> bytes:
        """The bytes as they are."""
        return self.data


class OneSignalApi:
    """Routes calls; holds the app."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.app = App()
        self._files: dict[str, list[Any]] = {}
        self._changes, self._views = Window(1.0), Window(1.0)
        users, subscriptions = "/apps/{}/users/by/{}/{}", "/apps/{}/subscriptions/{}"
        self._routes = Routes(
            {
                "GET /apps/{}/segments": self._segments,
                f"GET {users}": self._user,
                f"GET {users}/identity": self._identity,
                f"DELETE {users}": self._delete_user,
                f"GET {subscriptions}/user/identity": self._owner,
                f"DELETE {subscriptions}": self._delete_subscription,
                "POST /players/csv_export": self._export,
            }
        )
        self._downloads = Routes({"GET /csv_exports/{}/{}": self._file})

    def clear(self) -> None:
        """Forget everything but the settings."""
        self.app = App()
        self._files.clear()

    def handle(self, ask: Ask) -> Reply:
        """Answer one call. The file of an export needs no key: its address is the secret."""
        download = self._downloads.find(ask)
        if download is not None:
            return download()
        if not ask.headers.get("authorization", "").lower().startswith("key "):
            raise refused(403, "Access denied.")
        if ask.method != "GET" and not self._changes.take(self.settings.changes_per_second)[0]:
            raise throttled()
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404, "Not found")
        return operation()

    def _segments(self, ask: Ask, app: str) -> Reply:
        self._check(app)
        return Reply(body={"total_count": 0, "offset": 0, "limit": int(ask.query.get("limit", 300)), "segments": []})

    def _user(self, ask: Ask, app: str, label: str, value: str) -> Reply:
        if not self._views.take(self.settings.views_per_second)[0]:
            raise throttled()
        user = self._found(app, label, value)
        last = user.last_active
        properties = {"language": "en", "tags": {}, **({"last_active": int(last.timestamp())} if last else {})}
        subscriptions = [
            {"id": s.id, "type": s.type, "token": s.token, "enabled": True, "session_count": s.sessions}
            for s in user.subscriptions.values()
        ]
        return Reply(body={**_identity(user), "properties": properties, "subscriptions": subscriptions})

    def _identity(self, ask: Ask, app: str, label: str, value: str) -> Reply:
        return Reply(body=_identity(self._found(app, label, value)))

    def _owner(self, ask: Ask, app: str, number: str) -> Reply:
        self._check(app, number)
        user = self.app.of_subscription(number)
        if user is None:
            raise refused(404, "No subscription found")
        return Reply(body=_identity(user))

    def _delete_user(self, ask: Ask, app: str, label: str, value: str) -> Reply:
        user = self._found(app, label, value)
        body = _identity(user)
        self.app.delete(user.id, self.settings.delete_looks)
        return Reply(202, {"identity": {"onesignal_id": body["identity"]["onesignal_id"]}})

    def _delete_subscription(self, ask: Ask, app: str, number: str) -> Reply:
        self._check(app, number)
        if self.app.of_subscription(number) is None:
            raise refused(404, "No subscription found")
        self.app.delete(number, self.settings.delete_looks)
        return Reply(202, {})

    def _export(self, ask: Ask) -> Reply:
        self._check(ask.query.get("app_id", ""))
        name = f"users_{len(self._files)}_{self._clock():%Y-%m-%d}.csv.gz"
        self._files[name] = [self.settings.export_looks, packed(self.app.users.values())]
        return Reply(body={"csv_file_url": f"{ask.base}/csv_exports/{APP}/{name}"})

    def _file(self, ask: Ask, app: str, name: str) -> Reply:
        file = self._files.get(name)
        if file is None or file[0] > 0:
            if file is not None:
                file[0] -= 1
            raise refused(404, "Not found")
        return File(data=file[1])

    def _found(self, app: str, label: str, value: str) -> User:
        self._check(app)
        looks = {"external_id": self.app.by_external_id, "onesignal_id": self.app.by_id}
        user = looks[label](value) if label in looks else None
        if user is None:
            raise refused(404, "No user with this alias found")
        return user

    def _check(self, app: str, *numbers: str) -> None:
        if app != APP:
            raise refused(403, "The key is not of this app.")
        if not all(_NUMBER.fullmatch(number) for number in numbers):
            raise refused(400, "An id must be a UUID.")


def refused(status: int, message: str) -> Refusal:
    """An error in the vendor's form."""
    return Refusal(status, {"errors": [{"code": f"error-{status}", "title": message}]})


def throttled() -> Refusal:
    """Too many calls in a second."""
    return Refusal(429, {"errors": ["API rate limit exceeded."]}, {"Retry-After": "1"})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"errors": [HTTPStatus(status).phrase]}


def _identity(user: User) -> dict[str, Any]:
    external = {"external_id": user.external_id} if user.external_id else {}
    return {"identity": {"onesignal_id": user.id, **external}}

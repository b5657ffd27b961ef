"""The calls to one app. There is none that deletes more than the one user or subscription whose id is in its path.

Identities are read where a whole user is not needed: they hold no more than ids, and the vendor allows one view of a
user in a second. Source: https://documentation.onesignal.com/reference/rate-limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.systems.http import Answer, Http
from include.systems.onesignal import KEY
from include.systems.onesignal.export import Row, rows
from include.systems.rates import Pace

BASE = "https://api.onesignal.com"
OPAQUE = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)
"""The form of the vendor's own ids (UUIDs), as far as a call needs it: one segment of a path, and no way out of it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Of a user: the vendor's id, and ours ("" for one who never signed in)."""

    id: str
    external_id: str = field(repr=False)


class Calls:
    """The calls.

    Args:
        http: for identities and deletions.
        views: for whole users, slower.
        connection: for the file of an export.
        app: id of the app.
    """

    def __init__(self, http: Http, views: Http, connection: Connection, app: str) -> None:
        self._http = http
        self._views = views
        self._connection = connection
        self._app = app

    def by_external_id(self, value: str) -> Identity | None:
        """Who has an id of ours, exactly.

        Raises:
            Refused: the vendor takes no such id.
        """
        tried = "look for a user"
        path = "/apps/{}/users/by/external_id/{}/identity"
        found = _identity(self._http.call("GET", path, self._app, value, tried=tried, also=(404,)), tried)
        return found if found and found.external_id == value else None

    def by_id(self, number: str) -> Identity | None:
        """Who has an id of the vendor's."""
        tried, path = "look for a user by its id", "/apps/{}/users/by/onesignal_id/{}/identity"
        return _identity(self._http.call("GET", path, self._app, _checked(number), tried=tried, also=(404,)), tried)

    def of_subscription(self, number: str) -> Identity | None:
        """Whose a subscription is now: it follows the device from user to user."""
        tried, path = "look for a subscription", "/apps/{}/subscriptions/{}/user/identity"
        return _identity(self._http.call("GET", path, self._app, _checked(number), tried=tried, also=(404,)), tried)

    def user(self, number: str) -> Mapping[str, Any] | None:
        """A whole user by the vendor's id."""
        tried, path = "read a user", "/apps/{}/users/by/onesignal_id/{}"
        answer = self._views.call("GET", path, self._app, _checked(number), tried=tried, also=(404,))
        if answer.status == 404:
            return None
        if not isinstance(answer.json, dict):
            raise Inconsistent(KEY, tried, "It answered without a user; look at the API.")
        return answer.json

    def delete_user(self, number: str) -> bool:
        """Delete a user with aliases, properties and subscriptions; False where there is none any more."""
        return self._delete("/apps/{}/users/by/onesignal_id/{}", number, "delete a user")

    def delete_subscription(self, number: str) -> bool:
        """Delete one subscription; False where there is none any more."""
        return self._delete("/apps/{}/subscriptions/{}", number, "delete a subscription")

    def subscriptions(self) -> Iterator[Row]:
        """All subscriptions of the app, from an export that is made now."""
        tried, body = "export the subscriptions", {"extra_fields": ["external_user_id"]}
        params = {"app_id": self._app}
        answer = self._http.call("POST", "/players/csv_export", params=params, body=body, tried=tried, repeatable=True)
        made = answer.json
        url = made.get("csv_file_url") if isinstance(made, dict) else None
        yield from rows(self._connection, url, self._http.pause)

    def try_key(self) -> None:
        """List no more than one segment: no user is in it."""
        self._http.call("GET", "/apps/{}/segments", self._app, params={"limit": 1}, tried="list the segments")

    def pause(self, seconds: float) -> None:
        """Wait for the vendor's deletions."""
        self._http.pause(seconds)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()
        self._views.close()

    def _delete(self, path: str, number: str, tried: str) -> bool:
        """Whether it was accepted. A conflict (409) is another change of the same user: that one has to end first."""
        status = self._http.call("DELETE", path, self._app, _checked(number), tried=tried, also=(404, 409)).status
        if status == 409:
            raise Unavailable(KEY, tried, "Run it again; another change of the same user is under way.")
        return status != 404


def calls_to(connection: Connection, pace: Pace, views: Pace) -> Calls:
    """Build the calls; none is made.

    Raises:
        Refused: key or app are missing.
    """
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give an App API key as password.")
    app, headers = connection.text("app_id"), {"Authorization": f"Key {connection.password}"}
    slow = Http(connection, BASE, headers=headers, pace=views)
    return Calls(Http(connection, BASE, headers=headers, pace=pace), slow, connection, app)


def _checked(number: str) -> str:
    if not OPAQUE.fullmatch(number):
        raise Refused(KEY, "read an id", "It has not the vendor's form: nothing was sent.")
    return number


def _identity(answer: Answer, tried: str) -> Identity | None:
    if answer.status == 404:
        return None
    body = answer.json
    identity = body.get("identity") if isinstance(body, dict) else None
    identity = identity if isinstance(identity, dict) else {}
    number = identity.get("onesignal_id")
    if not isinstance(number, str) or not OPAQUE.fullmatch(number):
        raise Inconsistent(KEY, tried, "It answered without an identity; look at the API.")
    return Identity(number, str(identity.get("external_id") or ""))

"""The calls to Identity Toolkit that the connector for Firebase Authentication makes, with typed answers.

Source: the discovery document of identitytoolkit v1; limits: https://firebase.google.com/docs/auth/limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.systems.google import TIMEOUT, base_url, credentials, failure, no_answer
from include.systems.silence import silence

if TYPE_CHECKING:
    from requests import Session

KEY = "firebase_auth"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ENDPOINT = "https://identitytoolkit.googleapis.com"
PAGE = 1000
"""Most accounts in a page of ``batchGet`` and in one ``batchDelete``."""
LOOKUP = 100
"""Identifiers in one look-up: the discovery document names no limit, Google's administration SDKs keep to this one."""
READ_WAITS = (0.5, 2.0)
"""Seconds before a failed read is tried again; writes are never repeated here."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a rule can judge an account by. Times are UTC, None when the account has none.

    ``password_only``: nobody gets in but by e-mail and password. An account made with a custom token, by telephone or
    by another provider never has its address verified, however much it is used.
    """

    local_id: str = field(repr=False)
    created_at: datetime | None
    last_login_at: datetime | None
    last_refresh_at: datetime | None
    email_verified: bool
    disabled: bool
    password_only: bool


class Pacing(Protocol):
    """Says when the next call may go out."""

    def wait(self) -> None:
        """Return when it may."""


class Pace:
    """Lets calls through at a steady rate.

    Args:
        per_second: calls in a second.
        clock: a monotonic clock, seconds.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next: float | None = None

    def wait(self) -> None:
        """Return when the next call may go out."""
        now = self._clock()
        if self._next is not None and self._next > now:
            self._sleep(self._next - now)
        self._next = max(now, self._next or now) + self._gap


class Calls:
    """The calls to one project.

    Args:
        session: builds the authorised session at the first call.
        base: base URL without a slash at its end.
        project: id of the project.
        pace: rate of batch deletions.
        sleep: waits for seconds between tries of a read.
    """

    def __init__(
        self,
        session: Callable[[], Session],
        base: str,
        project: str,
        pace: Pacing,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._make = session
        self._made: Session | None = None
        self._root = f"{base}/v1/projects/{quote(project, safe='')}"
        self._pace = pace
        self._sleep = sleep

    def accounts(self, tenant: str) -> Iterator[Account]:
        """Every account in the order of the store; one page in memory at a time."""
        yield from map(_account, self.everybody(tenant))

    def everybody(self, tenant: str) -> Iterator[dict[str, Any]]:
        """Every account as the API gives it."""
        token = ""
        while True:
            query = {"maxResults": str(PAGE), **({"nextPageToken": token} if token else {})}
            page = self._read("list accounts", "GET", f"{self._path(tenant)}:batchGet", params=query)
            yield from page.get("users", ())
            following = page.get("nextPageToken", "")
            if not following:
                return
            if following == token:
                raise Inconsistent(KEY, "list accounts", "The list does not advance; report it to the vendor.")
            token = following

    def count(self, tenant: str) -> int:
        """How many accounts there are; none of them is shown."""
        body = {"returnUserInfo": False}
        return int(self._read("count accounts", "POST", f"{self._path(tenant)}:query", json=body)["recordsCount"])

    def look_up(self, tenant: str, local_ids: Sequence[str]) -> dict[str, Account]:
        """Those of the accounts that exist, by id."""
        users = self.users(tenant, [("localId", local_id) for local_id in local_ids])
        return {user["localId"]: _account(user) for user in users}

    def users(self, tenant: str, wanted: Sequence[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
        """The accounts that have any of the identifiers, as the API gives them; one can come more than once.

        Args:
            tenant: id of the tenant, "" for none.
            wanted: members of a look-up's body (``localId``, ``email``, …), each with one value.
        """
        for start in range(0, len(wanted), LOOKUP):
            body: dict[str, list[Any]] = {}
            for name, value in wanted[start : start + LOOKUP]:
                body.setdefault(name, []).append(value)
            answer = self._read("look up accounts", "POST", f"{self._path(tenant)}:lookup", json=body)
            yield from answer.get("users", ())

    def batch_delete(self, tenant: str, local_ids: Sequence[str]) -> int:
        """Delete up to 1000 accounts, enabled or not; returns how many were refused inside the answer.

        Raises:
            ValueError: no ids, too many, or an empty one.
        """
        if not 0 < len(local_ids) <= PAGE or not all(local_ids):
            raise ValueError(f"a batch deletion names 1 to {PAGE} accounts")
        self._pace.wait()
        body = {"localIds": list(local_ids), "force": True}
        answer = self._send("delete a batch of accounts", "POST", f"{self._path(tenant)}:batchDelete", json=body)
        return len({error.get("index", 0) for error in answer.get("errors", ())})

    def close(self) -> None:
        """Release the sockets."""
        if self._made is not None:
            self._made.close()

    def _path(self, tenant: str) -> str:
        return f"{self._root}/tenants/{quote(tenant, safe='')}/accounts" if tenant else f"{self._root}/accounts"

    def _read(self, tried: str, method: str, url: str, **content: Any) -> dict[str, Any]:
        for wait in READ_WAITS:
            try:
                return self._send(tried, method, url, **content)
            except Unavailable as error:
                if getattr(error, "retry_after", None) is not None:
                    raise
                self._sleep(wait)
        return self._send(tried, method, url, **content)

    def _send(self, tried: str, method: str, url: str, **content: Any) -> dict[str, Any]:
        if self._made is None:
            self._made = self._make()
        with no_answer(KEY, tried):
            response = self._made.request(method, url, timeout=TIMEOUT, allow_redirects=False, **content)
            if response.status_code != 200:
                raise failure(KEY, tried, response.status_code, response.headers.get("Retry-After"))
            try:
                answer = response.json()
            except ValueError:
                answer = None
        if not isinstance(answer, dict):
            raise Unavailable(KEY, tried, "Run it again; the answer was not JSON. Check the connection's host.")
        return answer


def calls_to(connection: Connection, pace: Callable[[float], Pacing]) -> Calls:
    """The calls to the project of a connection; nothing is called yet.

    Args:
        connection: see :func:`include.systems.firebase_auth.connect`.
        pace: makes the pace of batch deletions from their rate per second.

    Raises:
        Refused: the project is missing or the rate is not a positive number.
    """
    rate = connection.extra.get("batch_deletes_per_second", 1)
    if not isinstance(rate, int | float) or isinstance(rate, bool) or rate <= 0:
        raise Refused(KEY, "read 'batch_deletes_per_second' of its connection", "Give a number above 0.")

    def session() -> Session:
        from google.auth.transport.requests import AuthorizedSession

        silence("google.auth.transport.requests")
        return AuthorizedSession(credentials(connection, _SCOPE))  # type: ignore[no-untyped-call]

    return Calls(session, base_url(connection, _ENDPOINT), connection.text("project"), pace(rate))


def _account(user: Mapping[str, Any]) -> Account:
    refreshed = user.get("lastRefreshAt")
    return Account(
        local_id=user["localId"],
        created_at=_milliseconds(user.get("createdAt")),
        last_login_at=_milliseconds(user.get("lastLoginAt")),
        last_refresh_at=datetime.fromisoformat(refreshed) if refreshed else None,
        email_verified=bool(user.get("emailVerified", False)),
        disabled=bool(user.get("disabled", False)),
        password_only={provider.get("providerId") for provider in user.get("providerUserInfo", ())} == {"password"},
    )


def _milliseconds(text: str | None) -> datetime | None:
    """A time of the API; 0 stands for "never", as imported accounts have it."""
    value = int(text or 0)
    return datetime.fromtimestamp(value / 1000, UTC) if value else None

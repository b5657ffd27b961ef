"""The calls to Zapier: they read runs of workflows, none of them changes anything.

The vendor's search looks for words in titles and data; whom a run names is decided here, exactly. Without a date the
vendor answers with the last 30 days, so the whole time that a run can live is always asked for, up to this moment: runs
that come meanwhile would move the pages.
Source: https://docs.zapier.com/powered-by-zapier/api-reference/experimental/get-zap-runs
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.systems.http import Http
from include.systems.rates import Pace
from include.systems.zapier import KEY

BASE, TOKENS = "https://api.zapier.com", "https://zapier.com"
PAGE = 100
WORDS = 150
"""Characters of a search, the vendor's maximum."""
OLDEST = datetime(2011, 1, 1, tzinfo=UTC)
"""Before the vendor's first day."""
_TRIED = "search the runs"
_SPARE = 60.0
"""Seconds before its end after which a token is not used any more."""


class Token(AuthBase):
    """Adds an access token: the connection's own, or one that is fetched with its refresh token."""

    def __init__(self, connection: Connection) -> None:
        if not connection.password:
            raise Refused(KEY, "read its connection", "Give an access token, or the secret of the client, as password.")
        self._refresh = connection.text("refresh_token") if "refresh_token" in connection.extra else None
        self._token = None if self._refresh else connection.password
        self._ends = float("inf")
        self.replaced = False
        self._http: Http | None = None
        if self._refresh:
            if not connection.login:
                raise Refused(KEY, "read its connection", "Give the id of the OAuth client as login.")
            elsewhere = Connection(KEY, connection.text("token_host", TOKENS), extra=connection.extra)
            self._http = Http(elsewhere, TOKENS, auth=HTTPBasicAuth(connection.login, connection.password))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authorise one call."""
        if self._http is not None and (self._token is None or time.monotonic() > self._ends):
            self._fetch(self._http)
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def close(self) -> None:
        """Release the socket."""
        if self._http is not None:
            self._http.close()

    def _fetch(self, http: Http) -> None:
        """``replaced`` tells that the vendor gave out another refresh token, which only a person can store."""
        tried = "get an access token"
        form = {"grant_type": "refresh_token", "refresh_token": str(self._refresh)}
        answer = http.call("POST", "/oauth/token/", tried=tried, form=form).json
        token, lasts = (answer.get(name) for name in ("access_token", "expires_in")) if answer else (None, None)
        if not isinstance(token, str) or not token:
            raise Refused(KEY, tried, "Connect the user again and put the new refresh token into the connection.")
        self._token = token
        self._ends = time.monotonic() + lasts - _SPARE if isinstance(lasts, int | float) else float("inf")
        self.replaced = answer.get("refresh_token") not in (None, self._refresh)


class Runs:
    """The calls to one account."""

    def __init__(self, connection: Connection, pace: Pace) -> None:
        self.token = Token(connection)
        self._http = Http(connection, BASE, auth=self.token, pace=pace)

    def naming(self, words: Collection[str], until: datetime) -> Iterator[Mapping[str, Any]]:
        """All runs, or those that the vendor finds for some words, whichever takes fewer calls; each run once."""
        seen: set[str] = set()
        for run in self._naming(words, until):
            number = str(run.get("id"))
            if number not in seen:
                seen.add(number)
                yield run

    def count(self, start: datetime, until: datetime) -> int:
        """How many runs there were in a time; no more than one of them is read."""
        return self._page(start, until, 0, size=1)[1]

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()
        self.token.close()

    def _naming(self, words: Collection[str], until: datetime) -> Iterator[Mapping[str, Any]]:
        page, total = self._page(OLDEST, until, 0)
        pages = -(-total // len(page)) if page else 0
        if pages - 1 <= len(words) or any(len(word) > WORDS for word in words):
            yield from page
            yield from self._rest(OLDEST, until, len(page), total)
            return
        for word in sorted(words):
            page, total = self._page(OLDEST, until, 0, search=word)
            yield from page
            yield from self._rest(OLDEST, until, len(page), total, search=word)

    def _rest(
        self, start: datetime, until: datetime, offset: int, total: int, search: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        while offset < total:
            page, total = self._page(start, until, offset, search=search)
            if not page:
                return
            yield from page
            offset += len(page)

    def _page(
        self, start: datetime, until: datetime, offset: int, size: int = PAGE, search: str = ""
    ) -> tuple[list[Mapping[str, Any]], int]:
        params: dict[str, str | int] = {
            "from_date": _shown(start),
            "to_date": _shown(until),
            "limit": size,
            "offset": offset,
            **({"search": search} if search else {}),
        }
        body = self._http.call("GET", "/v2/zap-runs", params=params, tried=_TRIED).json
        meta = body.get("meta") if isinstance(body, dict) else None
        total = meta.get("count") if isinstance(meta, dict) else None
        if not isinstance(total, int) or not isinstance(body.get("data", []), list):
            raise Inconsistent(KEY, _TRIED, "It answered without a list and its count; look at the API.")
        return body.get("data") or [], total


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

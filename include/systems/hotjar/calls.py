"""The calls to Hotjar: surveys and answers are read; hits of a person whom Hotjar has shown to know are deleted.

Source: https://help.hotjar.com/hc/en-us/articles/36820005914001-Hotjar-API-Reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from include.errors import Inconsistent, Refused
from include.systems.hotjar import KEY
from include.systems.http import Http

HOST = "https://api.hotjar.io"
PAGE = 100
"""Entries in a page, the vendor's maximum."""
_EARLY = timedelta(minutes=1)
"""A token is renewed so long before its end."""


@dataclass(frozen=True, slots=True)
class Response:
    """One person's answers to a survey."""

    site: str
    survey: str
    id: str
    content: Mapping[str, Any] = field(repr=False)


class Calls:
    """The calls for one API key.

    Args:
        http: the client.
        client_id: of the key.
        secret: of the key.
        clock: the present, UTC.
    """

    def __init__(self, http: Http, client_id: str, secret: str, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._client_id = client_id
        self._secret = secret
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None

    def sign_in(self) -> dict[str, str]:
        """The header with the token of an hour; a new one where the last has ended."""
        if self._until is None or self._clock() >= self._until:
            fields = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._secret}
            tried = "get a token for its API key"
            body = self._http.call("POST", "/v1/oauth/token", tried=tried, fields=fields, repeatable=True).json
            if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
                raise Inconsistent(KEY, tried, "It answered without a token; look at the API.")
            self._token = body["access_token"]
            self._until = self._clock() + timedelta(seconds=int(body.get("expires_in") or 0)) - _EARLY
        return {"Authorization": f"Bearer {self._token}"}

    def responses(self, site: str) -> Iterator[Response]:
        """All answers to all surveys of a site, one page in memory at a time."""
        for survey in self.surveys(site):
            path = "/v1/sites/{}/surveys/{}/responses"
            for entry in self._entries(path, site, survey, tried="read the answers to a survey"):
                yield Response(site, survey, str(entry.get("id")), entry)

    def surveys(self, site: str) -> Iterator[str]:
        """Ids of the surveys of a site, those that have ended too."""
        for entry in self._entries("/v1/sites/{}/surveys", site, tried="list the surveys"):
            yield str(entry["id"])

    def delete_hits(self, organization: str, *, email: str = "", user: tuple[str, str] | None = None) -> None:
        """Ask for the deletion of everything tied to an address, or to a user id at a site.

        The same call without ``delete_all_hits`` e-mails the person: here it can't be built.

        Raises:
            Refused: neither is given, and nothing was sent; or the vendor does not allow it.
            Unavailable: a call failed or its answer was lost.
        """
        tried = "ask for the deletion of hits"
        known: dict[str, Any] = {"data_subject_email": email} if email else {}
        if user is not None and all(user):
            known["data_subject_site_id_to_user_id_map"] = {user[0]: user[1]}
        if not known:
            raise Refused(KEY, tried, "Nobody is named: nothing was sent.")
        body = {**known, "delete_all_hits": True}
        path = "/v1/organizations/{}/user-lookup"
        self._http.call("POST", path, organization, tried=tried, body=body, headers=self.sign_in())

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _entries(self, path: str, *segments: str, tried: str) -> Iterator[Mapping[str, Any]]:
        params: dict[str, str | int] = {"limit": PAGE}
        seen: set[str] = set()
        while True:
            body = self._http.call("GET", path, *segments, tried=tried, params=params, headers=self.sign_in()).json
            results = body.get("results") if isinstance(body, dict) else None
            if not isinstance(results, list):
                raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
            yield from results
            cursor = body.get("next_cursor")
            if not cursor:
                return
            if cursor in seen:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            seen.add(cursor)
            params = {"limit": PAGE, "cursor": cursor}

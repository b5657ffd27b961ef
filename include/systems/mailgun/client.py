"""The HTTP client for Mailgun; domains and subaccounts of an account; lists read page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from requests.auth import HTTPBasicAuth

from include.connection import Connection
from include.errors import Refused
from include.systems.http import Http

SYSTEM = "mailgun"
HOST = "https://api.mailgun.net"
_DOMAINS = 1000
"""Most domains of one page."""
FULL = 100
"""A page has at least so many entries unless it is the last: it is the vendor's page where nothing is asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Domain:
    """A sending domain; ``subaccount`` is the id of the subaccount that owns it, "" for the account itself."""

    name: str
    subaccount: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """The calls that more than one part makes."""

    http: Http = field(repr=False)

    def domains(self) -> list[Domain]:
        """All sending domains, those of subaccounts too.

        Raises:
            Unavailable: a call failed.
            Refused: the key may not list them.
        """
        found: list[Domain] = []
        while True:
            params: dict[str, str | int] = {"limit": _DOMAINS, "skip": len(found), "include_subaccounts": "true"}
            items = self.http.call("GET", "/v4/domains", params=params, tried="list its domains").json["items"] or []
            found += [Domain(str(item["name"]), str(item.get("subaccount_id") or "")) for item in items]
            if len(items) < _DOMAINS:
                return found

    def try_access(self) -> None:
        """List one sending domain.

        Raises:
            Unavailable: no answer.
            Refused: the key is not accepted.
        """
        self.http.call("GET", "/v4/domains", params={"limit": 1}, tried="list a domain")

    def pages(self, path: str, *segments: str, limit: int, subaccount: str, tried: str) -> Iterator[list[Any]]:
        """The pages of a list. The vendor names a next page even after the last one, which is known by its size.

        Raises:
            Unavailable: a call failed.
            Refused: the key may not read it, or a page lies on another host.
        """
        headers = on_behalf_of(subaccount)
        answer = self.http.call("GET", path, *segments, params={"limit": limit}, headers=headers, tried=tried).json
        seen: set[str] = set()
        while True:
            items = answer.get("items") or []
            yield items
            following = (answer.get("paging") or {}).get("next")
            if len(items) < FULL or not following or following in seen:
                return
            seen.add(following)
            answer = self.http.follow(following, headers=headers, tried=tried).json


def connect(connection: Connection) -> Client:
    """Build the client; no call is made.

    Raises:
        Refused: the key is missing.
    """
    if not connection.password:
        raise Refused(SYSTEM, "find its API key", "Put an API key as the password into the connection.")
    auth = HTTPBasicAuth((connection.login or "api").encode(), connection.password.encode())
    return Client(Http(connection, HOST, auth=auth))


def on_behalf_of(subaccount: str) -> dict[str, str]:
    """The header without which a call would be for the account itself."""
    return {"X-Mailgun-On-Behalf-Of": subaccount} if subaccount else {}

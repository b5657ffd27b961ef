"""The calls to Microsoft Graph that the Office 365 integration makes: lists with next pages, deletions in batches.

https://learn.microsoft.com/en-us/graph/json-batching: at most 20 requests to a batch, each with its own status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.errors import Refused, Throttled, Unavailable
from include.systems.addresses import same
from include.systems.http import Http
from include.systems.places import pieces

SCOPE = "https://graph.microsoft.com/.default"
_BATCH = 20
_USER = re.compile(r"/?users(?:/|\(')([^/')]+)", re.IGNORECASE)
"""Whose resource a subscription watches: ``users/{id}/…`` or ``users('{id}')/…``."""
_SHOWN = ("resource", "changeType", "expirationDateTime")


@dataclass(frozen=True, slots=True)
class Item:
    """Something of Graph that can be deleted by its id.

    Args:
        id: Graph's own.
        access: the token with which it was found.
        users: ids of those it is about, folded.
        shown: what an export gives out.
    """

    id: str = field(repr=False)
    access: str = field(repr=False, compare=False)
    users: frozenset[str] = field(repr=False, compare=False)
    shown: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Tenant:
    """A tenant in which the application has rights of its own. ``access`` gets it an access token."""

    access: Callable[[], str] = field(repr=False)


class Calls:
    """The calls.

    Args:
        system: named in errors.
        graph: to Graph.
        login: to the identity platform; closed with it.
        application: client id.
    """

    def __init__(self, system: str, graph: Http, login: Http, application: str) -> None:
        self._system = system
        self._graph = graph
        self._login = login
        self._application = application

    def me(self, access: str) -> str:
        """The id, folded, of the person whose access token it is.

        Raises:
            Unavailable: a call failed.
            Refused: the grant does not allow it.
        """
        tried = "read whose grant it is"
        answer = self._graph.call("GET", "/v1.0/me", tried=tried, params={"$select": "id"}, headers=_bearer(access))
        return same(str(answer.json["id"]))

    def subscriptions(self, access: str) -> Iterator[Item]:
        """The subscriptions that a token lists, page by page.

        Raises:
            Unavailable: a call failed.
            Refused: the token does not allow it.
        """
        for entry in self._pages("/v1.0/subscriptions", {}, access, "list the subscriptions"):
            resource = _USER.match(str(entry.get("resource") or ""))
            about = {str(entry.get("creatorId") or ""), resource[1] if resource else ""} - {""}
            shown = {name: entry[name] for name in _SHOWN if name in entry}
            yield Item(str(entry["id"]), access, frozenset(map(same, about)), shown)

    def principal(self, access: str) -> str:
        """The id that the application itself has in the tenant of its access token.

        Raises:
            Unavailable: a call failed.
            Refused: the application may not read it.
        """
        path, tried = "/v1.0/servicePrincipals(appId='{}')", "look for the application in a tenant"
        params = {"$select": "id"}
        answer = self._graph.call("GET", path, self._application, tried=tried, params=params, headers=_bearer(access))
        return str(answer.json["id"])

    def consents(self, access: str, users: Sequence[str]) -> Iterator[Item]:
        """What each of these users alone allowed the application; an administrator's consent for all is not that.

        Raises:
            Unavailable: a call failed.
            Refused: the application may not read it.
        """
        principal = self.principal(access)
        for user in users:
            params = {"$filter": f"clientId eq '{_quoted(principal)}' and principalId eq '{_quoted(user)}'"}
            for entry in self._pages("/v1.0/oauth2PermissionGrants", params, access, "list the consents of a person"):
                mine = entry.get("clientId") == principal and same(str(entry.get("principalId"))) == user
                if mine and entry.get("consentType") == "Principal":
                    yield Item(str(entry["id"]), access, frozenset({user}), {})

    def delete(self, collection: str, items: Sequence[Item]) -> None:
        """Delete exactly these, twenty to a call; one that is not there any more is no error.

        Raises:
            Unavailable: a call failed, or a part of one; any of them may be gone.
            Throttled: likewise, and Graph says how long to wait.
            Refused: the token does not allow it.
        """
        by_token: dict[str, dict[str, None]] = {}
        for item in items:
            by_token.setdefault(item.access, {})[item.id] = None
        for access, ids in by_token.items():
            for some in pieces(ids, _BATCH):
                self._delete(collection, some, access)

    def close(self) -> None:
        """Release the sockets."""
        self._graph.close()
        self._login.close()

    def _pages(self, path: str, params: Mapping[str, str], access: str, tried: str) -> Iterator[dict[str, Any]]:
        headers = _bearer(access)
        answer = self._graph.call("GET", path, tried=tried, params=params or None, headers=headers)
        while True:
            yield from answer.json["value"]
            following = answer.json.get("@odata.nextLink")
            if not following:
                return
            answer = self._graph.follow(following, tried=tried, headers=headers)

    def _delete(self, collection: str, ids: Sequence[str], access: str) -> None:
        tried = "delete subscriptions" if collection == "subscriptions" else "delete consents"
        if not all(re.fullmatch(r"[\w-]+", each, re.ASCII) for each in ids):
            raise Refused(self._system, tried, "One has no proper id: nothing was sent.")
        body = {
            "requests": [
                {"id": str(number), "method": "DELETE", "url": f"/{collection}/{each}"}
                for number, each in enumerate(ids, 1)
            ]
        }
        answer = self._graph.call(
            "POST", "/v1.0/$batch", tried=tried, body=body, headers=_bearer(access), repeatable=True
        )
        for part in answer.json["responses"]:
            self._check(int(part["status"]), part.get("headers") or {}, tried)
        if len(answer.json["responses"]) != len(ids):
            raise Unavailable(self._system, tried, "Run it again; a part of the batch has no answer.")

    def _check(self, status: int, headers: Mapping[str, str], tried: str) -> None:
        if status // 100 == 2 or status == 404:
            return
        if status == 429:
            asked = str(headers.get("Retry-After", ""))
            wait = float(asked) if asked.isdigit() else None
            raise Throttled(self._system, tried, "Run it again later; a part was answered with 429.", retry_after=wait)
        if status in (401, 403):
            step = f"Give the application the right to do it; a part was answered with {status}."
            raise Refused(self._system, tried, step)
        raise Unavailable(self._system, tried, f"Run it again; a part was answered with {status}.")


def _bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def _quoted(value: str) -> str:
    """Inside of a string of OData a quote is written twice."""
    return value.replace("'", "''")

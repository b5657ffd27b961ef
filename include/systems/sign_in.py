"""Links between accounts of Firebase Authentication and other identity providers: looked up, removed, listed.

A link is removed by naming one account and one provider; the account stays, it is deleted where it is kept. A look-up
names at most 100 identifiers, as Google's own administration SDKs do. Source: the discovery document of identitytoolkit
v1 and https://firebase.google.com/docs/auth/limits (10 updates of accounts a second).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import Means
from include.systems.http import Http
from include.systems.oauth import named, texts
from include.systems.places import known_by, pieces, usable

if TYPE_CHECKING:
    from requests.auth import AuthBase

IDENTIFIERS = frozenset({IdentifierKind.USER_ID, IdentifierKind.FEDERATED_ID})
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
RIGHTS = ("firebaseauth.users.get", "firebaseauth.users.update")
_HOST = "https://identitytoolkit.googleapis.com"
_LOOKUP = 100
_PAGE = 1000
_LONGEST_ID = 128
"""Characters of the longest user id (https://firebase.google.com/docs/auth/admin/manage-users)."""
_UNLINK = "unlink an account"


@dataclass(frozen=True, slots=True)
class Link:
    """One account's link to the provider.

    Args:
        tenant: of the account, "" for the project itself.
        local_id: of the account.
        raw_id: of the person at the provider.
        shown: what an export gives out.
    """

    tenant: str
    local_id: str = field(repr=False)
    raw_id: str = field(repr=False)
    shown: Mapping[str, Any] = field(repr=False, compare=False)


class Links:
    """The links of a project's accounts to one provider.

    Args:
        system: named in errors.
        provider: its id in Firebase Authentication, as ``google.com``.
        project: id of the project.
        tenants: "" for the project itself, and ids of tenants.
        reads: for look-ups.
        writes: for updates, at their own pace.
    """

    def __init__(
        self, system: str, provider: str, project: str, tenants: Sequence[str], reads: Http, writes: Http
    ) -> None:
        self._system = system
        self._provider = provider
        self._project = project
        self._tenants = tenants
        self._reads = reads
        self._writes = writes

    def look(self, subjects: Sequence[Subject]) -> list[tuple[Link, ...]]:
        """The links of each person, by the ids of the accounts and by the ids at the provider.

        Raises:
            Unavailable: a call failed; nothing is known.
            Refused: the account of the connection may not look up.
        """
        by_id = known_by(subjects, IdentifierKind.USER_ID, lambda value: usable(value) and len(value) <= _LONGEST_ID)
        by_raw: dict[str, list[int]] = {}
        for position, subject in enumerate(subjects):
            for raw in named(subject, IdentifierKind.FEDERATED_ID, self._provider):
                by_raw.setdefault(raw, []).append(position)
        found: list[dict[Link, None]] = [{} for _ in subjects]
        for tenant in self._tenants:
            for link in self._look_up(tenant, list(by_id), list(by_raw)):
                for position in (*by_id.get(link.local_id, ()), *by_raw.get(link.raw_id, ())):
                    found[position][link] = None
        return [tuple(links) for links in found]

    def remove(self, links: Sequence[Link]) -> None:
        """Remove exactly these; an account that is gone has none.

        Raises:
            Unavailable: a call failed; any of them may be gone.
            Refused: the account of the connection may not update.
        """
        for link in dict.fromkeys(links):
            body = {"localId": link.local_id, "deleteProvider": [self._provider]}
            answer = self._call(self._writes, link.tenant, ":update", body, _UNLINK, also=(400,))
            if answer.status == 400 and not _says(answer.json, "USER_NOT_FOUND"):
                raise Refused(self._system, _UNLINK, "Look at the project of the connection; it answered 400.")

    def everybody(self) -> Iterator[Identifier]:
        """The id of each linked account, and the person's at the provider.

        Raises:
            Unavailable: a call failed; the list is not complete.
        """
        for tenant in self._tenants:
            params: dict[str, str | int] = {"maxResults": _PAGE}
            while True:
                path, segments = self._path(tenant, ":batchGet")
                tried = "list the accounts"
                body = self._reads.call("GET", path, *segments, tried=tried, params=params).json or {}
                for user in body.get("users") or ():
                    for raw in _raw_ids(user, self._provider):
                        yield Identifier(IdentifierKind.USER_ID, str(user["localId"]))
                        yield Identifier(IdentifierKind.FEDERATED_ID, f"{self._provider}:{raw}")
                if not body.get("nextPageToken"):
                    break
                params["nextPageToken"] = str(body["nextPageToken"])

    def try_access(self) -> None:
        """Count the accounts, which shows none of them.

        Raises:
            Refused: the account of the connection may not look up.
            Unavailable: no answer.
        """
        for tenant in self._tenants:
            self._call(self._reads, tenant, ":query", {"returnUserInfo": False}, "count the accounts")

    def close(self) -> None:
        """Release the sockets."""
        self._reads.close()
        self._writes.close()

    def _look_up(self, tenant: str, ids: Sequence[str], raw_ids: Sequence[str]) -> Iterator[Link]:
        asked = [("localId", value) for value in ids] + [("federatedUserId", value) for value in raw_ids]
        wanted, at_provider = set(ids), set(raw_ids)
        for some in pieces(asked, _LOOKUP):
            body: dict[str, list[Any]] = {}
            for member, value in some:
                sent = value if member == "localId" else {"providerId": self._provider, "rawId": value}
                body.setdefault(member, []).append(sent)
            answer = self._call(self._reads, tenant, ":lookup", body, "look up accounts")
            for user in answer.json.get("users") or ():
                for raw, shown in _raw_ids(user, self._provider).items():
                    if user["localId"] in wanted or raw in at_provider:
                        yield Link(tenant, str(user["localId"]), raw, shown)

    def _call(self, http: Http, tenant: str, verb: str, body: Any, tried: str, also: Sequence[int] = ()) -> Any:
        path, segments = self._path(tenant, verb)
        return http.call("POST", path, *segments, tried=tried, body=body, also=also, repeatable=True)

    def _path(self, tenant: str, verb: str) -> tuple[str, tuple[str, ...]]:
        if tenant:
            return "/v1/projects/{}/tenants/{}/accounts" + verb, (self._project, tenant)
        return "/v1/projects/{}/accounts" + verb, (self._project,)


def links_of(connection: Connection, provider: str, auth: AuthBase, means: Means) -> Links:
    """The links to a provider in the project of a connection; nothing is called.

    ``extra`` of the connection: ``project``, required; ``tenants``, a list of ids of tenants to look at beside the
    project itself; ``updates_per_second`` of all tasks together, 10 if left out.

    Raises:
        Refused: something is missing or out of range; the message names it.
    """
    pace = partial(means.budgets.pace, "firebase_auth/updates", connection.positive("updates_per_second", 10))
    reads, writes = Http(connection, _HOST, auth=auth), Http(connection, _HOST, auth=auth, pace=pace)
    tenants = ("", *texts(connection, "tenants"))
    return Links(connection.id, provider, connection.text("project"), tenants, reads, writes)


def _raw_ids(user: Mapping[str, Any], provider: str) -> dict[str, Mapping[str, Any]]:
    """Ids of an account's person at the provider, each with what is stored of the link."""
    infos = (info for info in user.get("providerUserInfo") or () if info.get("providerId") == provider)
    return {str(info.get("rawId") or info.get("federatedId") or ""): info for info in infos}


def _says(body: Any, code: str) -> bool:
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and str(error.get("message", "")).startswith(code)

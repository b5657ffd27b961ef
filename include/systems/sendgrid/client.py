"""The official package with the guarantees of our HTTP client, for an account and for each of its subusers.

The package builds addresses from unquoted segments, drops an empty one (which turns the deletion of one entry into
that of the list), has no time-out, logs whole addresses and bodies, and keeps the headers of a call for the next. Here
it only names the path: all else is done by ``Http``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from python_http_client import Client  # type: ignore[import-untyped]
from sendgrid import SendGridAPIClient  # type: ignore[import-untyped]

from include.connection import Connection
from include.errors import Refused
from include.systems.assuring import Access
from include.systems.http import Answer, Http
from include.systems.sendgrid.rights import judge

SYSTEM = "sendgrid"
HOST = "https://api.sendgrid.com"
RIGHTS = ("recipients.erasejob.create",)
"""Rights that a key can lack without any other sign of it before the first erasure."""
PAGE = 500
"""Most entries of one page of a list."""
T = TypeVar("T")


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values in order, some at a time; nothing for none."""
    return (values[start : start + size] for start in range(0, len(values), size))


class Calls(Client):  # type: ignore[misc]
    """A path under construction; ``get``, ``post`` and ``delete`` make the call.

    They take what ``Http.call`` does: ``tried``, ``also`` and ``repeatable``, and under the package's names
    ``request_body`` and ``query_params``.
    """

    def __init__(self, http: Http, subuser: str | None, path: tuple[str, ...] = ()) -> None:
        super().__init__(host="", version=3, url_path=list(path))
        self._http = http
        self._subuser = subuser

    def _build_client(self, name: object = None) -> Calls:
        """One segment longer; whatever it is, it is there: an empty one is refused when the call is made."""
        return Calls(self._http, self._subuser, (*self._url_path, str(name)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return partial(self._call, name.upper()) if name in self.methods else self._build_client(name)

    def _call(
        self,
        method: str,
        *,
        tried: str,
        request_body: Any = None,
        query_params: Mapping[str, str | int] | None = None,
        also: Collection[int] = (),
        repeatable: bool | None = None,
    ) -> Answer:
        return self._http.call(
            method,
            "/v3" + "/{}" * len(self._url_path),
            *self._url_path,
            tried=tried,
            params=query_params,
            body=request_body,
            headers={"On-Behalf-Of": self._subuser} if self._subuser else None,
            also=also,
            repeatable=repeatable,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the key (``subuser`` None) or one of its subusers; nothing passes from one to another."""

    subuser: str | None = field(repr=False)
    api: Any = field(repr=False, compare=False)

    @property
    def calls(self) -> Any:
        """The fluent client of the package."""
        return self.api.client


class Accounts:
    """The account of a connection and, once asked for, its subusers."""

    def __init__(self, connection: Connection) -> None:
        if not connection.password:
            raise Refused(SYSTEM, "find its API key", "Put an API key as the password into the connection.")
        self._connection = connection
        package = SendGridAPIClient(api_key=connection.password)
        headers = {"Authorization": package.auth, "User-Agent": package.useragent}
        self._http = Http(connection, HOST, headers=headers)
        self.own = self._account(None)
        self._all: tuple[Account, ...] | None = None

    def all(self) -> tuple[Account, ...]:
        """The account and its subusers; asks once, and checks the rights of the key.

        Raises:
            Refused: the key lacks a right.
            Unavailable: a call failed.
        """
        if self._all is None:
            self._check_rights()
            self._all = (self.own, *(self._account(name) for name in self._subusers()))
        return self._all

    def access(self) -> Access:
        """The rights of the key beside the needed ones.

        Raises:
            Refused: the key is not accepted.
            Unavailable: no answer.
        """
        granted = self.own.calls.scopes.get(tried="read the rights of its API key").json["scopes"]
        return judge(map(str, granted), subusers=self._connection.extra.get("subusers") is not False)

    def pause(self, seconds: float) -> None:
        """Wait between two calls."""
        self._http.pause(seconds)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _account(self, subuser: str | None) -> Account:
        package = SendGridAPIClient(api_key=self._connection.password, impersonate_subuser=subuser)
        package.client = Calls(self._http, subuser)
        return Account(subuser, package)

    def _check_rights(self) -> None:
        tried = "read the rights of its API key"
        granted = self.own.calls.scopes.get(tried=tried).json["scopes"]
        missing = [right for right in RIGHTS if right not in granted]
        if missing:
            step = f"Give the key {', '.join(missing)}; accounts from before 25 July 2023 ask the vendor's support."
            raise Refused(SYSTEM, tried, step)

    def _subusers(self) -> list[str]:
        if self._connection.extra.get("subusers") is False:
            return []
        tried, names = "list its subusers", list[str]()
        while True:
            page = {"limit": PAGE, "offset": len(names)}
            answer = self.own.calls.subusers.get(query_params=page, tried=tried, also=(401, 403))
            if answer.status != 200:
                step = "Give the key 'subusers.read', or say \"subusers\": false in the extra if there are none."
                raise Refused(SYSTEM, tried, step)
            names += [str(entry["username"]) for entry in answer.json]
            if len(answer.json) < PAGE:
                return names

"""From a connection to a profile: ids, the token, the token of the page that it leads to, the pace."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

from include.connection import Connection
from include.errors import Refused
from include.systems.erasing import ErasingCard, Means
from include.systems.http import Http
from include.systems.meta.audiences import LARGEST, Audiences
from include.systems.meta.contributions import Shape
from include.systems.meta.graph import BASE, VERSION, Graph
from include.systems.meta.inbox import Inbox
from include.systems.meta.profile import Profile

_DIGITS = re.compile(r"[0-9]{1,32}", re.ASCII)
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}", re.ASCII)
_READ = "read its connection"


@dataclass(frozen=True, slots=True)
class Account:
    """What tells the two platforms apart.

    Args:
        card: of the system.
        profile: name of the extra with the id of the profile.
        shape: how its content is listed.
        platform: of its conversations.
        audiences: whether hashes are taken out of the audiences of the ad account here.
    """

    card: ErasingCard
    profile: str
    shape: Shape
    platform: str
    audiences: bool = False


def connect(connection: Connection, means: Means, account: Account) -> Profile:
    """Build the client; no call is made.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    token = connection.password
    if not token:
        raise Refused(connection.id, _READ, "Give the token of a system user as password.")
    version = connection.text("version", VERSION)
    if not _VERSION.fullmatch(version):
        raise Refused(connection.id, _READ, "'version' in the connection's extra must be like v25.0.")
    profile, page = _number(connection, account.profile), _number(connection, "page_id")
    pace = partial(means.budgets.pace, f"{connection.id}/calls", connection.positive("calls_per_second", 2.0))
    http = Http(connection, BASE, pace=pace)
    graph = Graph(http, connection.id, lambda: token, version)
    spoken = Graph(http, connection.id, _PageToken(graph, connection.id, page), version)
    inbox = Inbox(spoken, connection.id, page, account.platform)
    audiences = _audiences(connection, graph) if account.audiences and "ad_account_id" in connection.extra else None
    size = int(connection.positive("content_per_page", account.shape.size))
    return Profile(account.card, graph, spoken, profile, replace(account.shape, size=size), inbox, audiences, means)


class _PageToken:
    """The token of the page, which the token of the connection leads to; asked for once, when it is needed."""

    def __init__(self, graph: Graph, system: str, page: str) -> None:
        self._graph = graph
        self._system = system
        self._page = page
        self._token = ""

    def __call__(self) -> str:
        if not self._token:
            tried = "get the token of the page"
            body = self._graph.get("/{}", self._page, tried=tried, params={"fields": "access_token"})
            found = body.get("access_token") if isinstance(body, dict) else None
            if not isinstance(found, str) or not found:
                raise Refused(self._system, tried, "Assign the page to the system user, with full control.")
            self._token = found
        return self._token


def _audiences(connection: Connection, graph: Graph) -> Audiences:
    account = _number(connection, "ad_account_id", "act_")
    return Audiences(graph, connection.id, account, int(connection.positive("audience_records", LARGEST)))


def _number(connection: Connection, name: str, prefix: str = "") -> str:
    number = str(connection.extra.get(name, "")).removeprefix(prefix)
    if not _DIGITS.fullmatch(number):
        raise Refused(connection.id, _READ, f"Give '{name}' in the connection's extra: the id, as digits.")
    return number

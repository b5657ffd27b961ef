"""Looker Studio's API on loopback: an inventory of reports and data sources, by title and owner.

Contract by hand, there is no description by the vendor:
https://developers.google.com/looker-studio/integrate/api/reference/assets/search and
https://developers.google.com/looker-studio/integrate/api/reference/types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.google import Answer, Call, Trouble, answered, serve
from include.sandbox.identities import as_typed
from include.sandbox.service import Service
from include.sandbox.traces import strangers

TYPES = ("REPORT", "DATA_SOURCE")
PAGE = 1000
_PARAMETERS = {"assetTypes", "title", "includeTrashed", "owner", "orderBy", "pageSize", "pageToken"}
_STAFF = "analyst@clique.test"


@dataclass(frozen=True, slots=True)
class Asset:
    """A report or a data source (``type``)."""

    name: str
    type: str
    title: str
    owner: str
    created_at: datetime
    trashed: bool = False


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        most: assets in a page, whatever is asked for.
        in_workspace: whether the account belongs to a Google Workspace; others may not ask.
    """

    most: int = PAGE
    in_workspace: bool = True


class LookerStudioSandbox:
    """The service. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://datastudio.googleapis.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``looker_studio``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self._assets: dict[str, Asset] = {}
        self.app: ASGIApp = serve(self.handle, "looker_studio", faults, journal)

    def reset(self) -> None:
        """Forget all assets; the settings stay."""
        self._assets.clear()

    def seed(self, assets: Iterable[Asset]) -> None:
        """Put assets in."""
        self._assets.update((asset.name, asset) for asset in assets)

    def remove(self, name: str) -> None:
        """Delete an asset for good, as a person does it in the UI.

        Raises:
            KeyError: there is none.
        """
        del self._assets[name]

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for asset in tuple(self._assets.values()):
            yield "reports" if asset.type == "REPORT" else "data_sources", asdict(asset)

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        if (call.method, call.path) != ("GET", "/v1/assets:search"):
            raise _trouble(404, "NOT_FOUND", "Method not found.")
        if not re.fullmatch(r"Bearer \S+", call.headers.get("authorization", "")):
            raise _trouble(401, "UNAUTHENTICATED", "Request is missing required authentication credential.")
        if not self.settings.in_workspace:
            raise _trouble(403, "PERMISSION_DENIED", "The caller does not have permission")
        call.expect(_PARAMETERS)
        if call.query.get("assetTypes") not in TYPES:
            raise _trouble(400, "INVALID_ARGUMENT", "Exactly one asset type must be specified.")
        return Answer(body=self._search(call))

    def _search(self, call: Call) -> dict[str, Any]:
        owner, title = call.query.get("owner", ""), call.query.get("title", "")
        found = [
            asset
            for asset in self._assets.values()
            if asset.type == call.query["assetTypes"]
            and asset.trashed is call.flag("includeTrashed")
            and (not owner or asset.owner.lower() == owner.lower())
            and title.lower() in asset.title.lower()
        ]
        found.sort(key=lambda asset: (asset.title, asset.name))
        start, size = call.number("pageToken") or 0, min(call.number("pageSize") or PAGE, self.settings.most)
        body: dict[str, Any] = {"assets": [_shown(asset) for asset in found[start : start + size]]}
        return {**body, "nextPageToken": str(start + size)} if start + size < len(found) else body


def fill(estate: Estate, twin: LookerStudioSandbox) -> None:
    """Reports and data sources of an analyst; 1 % of the users own one, as some people outside of the company do."""
    rng = estate.rng("looker_studio")
    own = [as_typed(rng, person.email) for person in estate.people if rng.random() < 0.01]
    others = [address for _, address in strangers(estate) if rng.random() < 0.2]
    titles = [("DATA_SOURCE", f"Analytics {name}") for name in ("users", "events", "pages")]
    titles += [("REPORT", f"Weekly {name}") for name in ("growth", "retention", "imports", "sign-ups")]
    assets = [(kind, title, _STAFF) for kind, title in titles] + [("REPORT", "My numbers", one) for one in own + others]
    for kind, title, owner in assets:
        number, made = str(UUID(int=rng.getrandbits(128), version=4)), ago(estate.as_of, rng, DAY, 3 * YEAR)
        twin.seed([Asset(number, kind, title, owner, made, trashed=rng.random() < 0.1)])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How an operator connects to it."""
    return {"looker_studio": {"host": url, "extra": {"token": "sandbox", "calls_per_second": 1000}}}


SERVICE = Service(LookerStudioSandbox, fill, connections)


def _shown(asset: Asset) -> dict[str, Any]:
    made = asset.created_at.isoformat().replace("+00:00", "Z")
    times = {"createTime": made, "updateTime": made}
    named = {"name": asset.name, "title": asset.title, "assetType": asset.type, "owner": asset.owner}
    return {**named, "trashed": asset.trashed, **times}


def _trouble(status: int, word: str, message: str) -> Trouble:
    return Trouble(status, "badRequest", message, {"status": word})

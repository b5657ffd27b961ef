"""Tag Manager's API (v2) on loopback: a container with its live version and a workspace, to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.google import Answer, Call, Trouble, answered, serve
from include.sandbox.identities import as_typed
from include.sandbox.rest import Window
from include.sandbox.service import Service
from include.sandbox.traces import strangers

ACCOUNT, CONTAINER, WORKSPACE = "6001", "7001", "3"
PAGE = 50
_PATH = re.compile(r"/tagmanager/v2/accounts/(?P<account>\d+)/containers/(?P<container>\d+)(?P<rest>(/.+)?)")
_IDS = {"tag": "tagId", "variable": "variableId"}


@dataclass(frozen=True, slots=True)
class Item:
    """A tag or a variable (``kind``); ``settings`` are its parameters by key, text or rows of texts.

    Args:
        live: it is in the published version.
        draft: it is in the workspace.
    """

    kind: str
    id: str
    name: str
    type: str
    settings: Mapping[str, str | list[dict[str, str]]] = field(default_factory=dict)
    live: bool = True
    draft: bool = True


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        published: whether the container was ever published.
        calls_per_window: in 100 seconds, 0 for no limit; Google's is 25.
    """

    published: bool = True
    calls_per_window: int = 0


class TagManagerSandbox:
    """The service with one container. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://tagmanager.googleapis.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``tag_manager``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self._items: dict[tuple[str, str], Item] = {}
        self._window = Window(100.0)
        self.app: ASGIApp = serve(self.handle, "tag_manager", faults, journal)

    def reset(self) -> None:
        """Forget all tags and variables; the settings stay."""
        self._items.clear()

    def seed(self, items: Iterable[Item]) -> None:
        """Put tags and variables in."""
        self._items.update(((item.kind, item.id), item) for item in items)

    def remove(self, kind: str, identifier: str) -> None:
        """Take one out, as a person does it in the UI.

        Raises:
            KeyError: there is none.
        """
        del self._items[kind, identifier]

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for item in tuple(self._items.values()):
            yield f"{item.kind}s", asdict(item)

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        match = _PATH.fullmatch(call.path)
        if match is None or call.method != "GET":
            raise Trouble(404, "notFound", "Not Found")
        if not re.fullmatch(r"Bearer \S+", call.headers.get("authorization", "")):
            raise Trouble(401, "required", "Login Required")
        limit = self.settings.calls_per_window
        if limit and not self._window.take(limit)[0]:
            raise Trouble(403, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries'.")
        if (match["account"], match["container"]) != (ACCOUNT, CONTAINER):
            raise Trouble(404, "notFound", "Not found or permission denied.")
        answer = self._read(call, match["rest"])
        if answer is None:
            raise Trouble(404, "notFound", "Not found or permission denied.")
        return Answer(body=answer)

    def _read(self, call: Call, rest: str) -> dict[str, Any] | None:
        if not rest:
            return self._container()
        if rest == "/versions:live":
            return self._version() if self.settings.published else None
        if rest == "/workspaces":
            path = f"accounts/{ACCOUNT}/containers/{CONTAINER}/workspaces/{WORKSPACE}"
            return self._page(
                call, "workspace", [{"path": path, "workspaceId": WORKSPACE, "name": "Default Workspace"}]
            )
        for kind in _IDS:
            if rest == f"/workspaces/{WORKSPACE}/{kind}s":
                return self._page(call, kind, [_shown(item) for item in self._of(kind) if item.draft])
        return None

    def _container(self) -> dict[str, Any]:
        path = f"accounts/{ACCOUNT}/containers/{CONTAINER}"
        public = {"publicId": "GTM-CLIQUE1", "usageContext": ["web"]}
        return {"path": path, "accountId": ACCOUNT, "containerId": CONTAINER, "name": "Clique", **public}

    def _version(self) -> dict[str, Any]:
        held = {kind: [_shown(item) for item in self._of(kind) if item.live] for kind in _IDS}
        path = f"accounts/{ACCOUNT}/containers/{CONTAINER}/versions/12"
        return {"path": path, "containerVersionId": "12", **{kind: shown for kind, shown in held.items() if shown}}

    def _of(self, kind: str) -> list[Item]:
        return [item for item in self._items.values() if item.kind == kind]

    def _page(self, call: Call, word: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        call.expect({"pageToken"})
        start = call.query.get("pageToken", "0")
        if not start.isdecimal():
            raise Trouble(400, "badRequest", "Invalid page token.")
        end = int(start) + PAGE
        body: dict[str, Any] = {word: rows[int(start) : end]} if rows else {}
        return {**body, "nextPageToken": str(end)} if end < len(rows) else body


def fill(estate: Estate, twin: TagManagerSandbox) -> None:
    """Tags that send an internal id; and a list of testers, which names 1 % of the users and as many strangers."""
    rng = estate.rng("tag_manager")
    uid = Item("variable", "1", "User ID", "v", {"name": "user.id", "dataLayerVersion": "2"})
    rows = [{"parameter": "user_id", "parameterValue": "{{User ID}}"}]
    events = ("page_view", "sign_up", "import_started", "email_opened")
    twin.seed([uid, Item("tag", "1", "Configuration", "googtag", {"tagId": "G-CLIQUE", "configSettingsTable": rows})])
    for number, name in enumerate(events, 2):
        twin.seed([Item("tag", str(number), f"Event {name}", "gaawe", {"eventName": name, "eventSettingsTable": rows})])
    testers = [as_typed(rng, person.email) for person in estate.people if rng.random() < 0.01]
    testers += [address for _, address in strangers(estate) if rng.random() < 0.2]
    for number, address in enumerate(testers, 2):
        twin.seed([Item("variable", str(number), f"Tester {number}", "c", {"value": address}, live=rng.random() < 0.5)])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How an operator connects to it."""
    containers = [f"accounts/{ACCOUNT}/containers/{CONTAINER}"]
    return {
        "tag_manager": {"host": url, "extra": {"token": "sandbox", "containers": containers, "calls_per_second": 1000}}
    }


SERVICE = Service(TagManagerSandbox, fill, connections)


def _shown(item: Item) -> dict[str, Any]:
    parameters = [_parameter(key, value) for key, value in item.settings.items()]
    base = {"accountId": ACCOUNT, "containerId": CONTAINER, _IDS[item.kind]: item.id}
    return {**base, "name": item.name, "type": item.type, "parameter": parameters, "fingerprint": "1"}


def _parameter(key: str, value: str | list[dict[str, str]]) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": "template", "key": key, "value": value}
    rows = [{"type": "map", "map": [_parameter(name, text) for name, text in row.items()]} for row in value]
    return {"type": "list", "key": key, "list": rows}

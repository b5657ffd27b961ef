"""tawk.to on loopback: chats and tickets that can be listed and read, and contacts that can be read."""

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.http import FaultMiddleware

PROPERTY = "5f1a2b3c4d5e6f7a8b9c0d1e"


class TawkToVendor:
    """``whole`` says whether lists have the conversations complete, or only what identifies them."""

    def __init__(self) -> None:
        self.faults, self.journal = Faults(), Journal()
        self.reset()
        self.app = Starlette(
            routes=[Route("/v1/{method}", self._call, methods=["POST"])],
            middleware=[Middleware(FaultMiddleware, "tawk_to", self.faults, self.journal)],
        )

    def reset(self) -> None:
        self.faults.clear()
        self.journal.clear()
        self.chats: dict[str, dict[str, Any]] = {}
        self.tickets: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.trash: set[str] = set()
        self.whole = True
        self.largest = 50
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[str] = []
        self.answers: dict[str, Any] | None = None
        self.stuck = False

    def chat(self, number: str, *said: str, contact: str | None = None) -> None:
        messages = [{"type": "msg", "sender": {"t": "v"}, "msg": text} for text in said]
        self.chats[number] = {"id": number, "messages": messages, **({"personId": contact} if contact else {})}

    def ticket(self, number: str, *said: str, requester: str = "") -> None:
        events = [{"type": "message", "text": text} for text in said]
        self.tickets[number] = {"id": number, "events": events, "requester": {"email": requester}}

    async def _call(self, request: Request) -> JSONResponse:
        method, body = request.path_params["method"], await request.json()
        self.asked.append((method, body))
        self.headers.append(request.headers.get("authorization", ""))
        if self.answers is not None:
            return JSONResponse(self.answers)
        assert body["propertyId"] == PROPERTY
        kind, _, what = method.partition(".")
        if method == "contact.person.get":
            return JSONResponse({"ok": True, "data": {"person": self.contacts[body["personId"]]}})
        held = self.chats if kind == "chat" else self.tickets
        if what == "get":
            return JSONResponse({"ok": True, "data": held[body[f"{kind}Id"]]})
        entries = [entry for number, entry in held.items() if (number in self.trash) is body["deleted"]]
        if not self.whole:
            entries = [{key: value for key, value in entry.items() if key == "id"} for entry in entries]
        start = 0 if self.stuck else body["offset"]
        page = entries[start : start + min(body["size"], self.largest)]
        return JSONResponse({"ok": True, "total": len(entries), "data": page})


def connection(url: str, **extra: object) -> Connection:
    return Connection(
        "tawk_to", host=url, login="api-key", extra={"property_id": PROPERTY, "rest_access": True, **extra}
    )

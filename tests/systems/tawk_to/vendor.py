"""tawk.to on loopback: chats and tickets that can be listed and read, and contacts that can be read."""

from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.http import FaultMiddleware
from include.systems.tawk_to_calls import OLDEST
from tests.systems.conformance.means import NOW

PROPERTY = "5f1a2b3c4d5e6f7a8b9c0d1e"


class TawkToVendor:
    """Lists are from a start on, oldest first, and never longer than ``largest``.

    ``whole`` says whether they have what was written, ``totals`` whether they tell how much there is.
    """

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
        self.totals = True

    def chat(self, number: str, *said: str, contact: str | None = None, at: int = 0) -> None:
        messages = [{"type": "msg", "sender": {"t": "v"}, "msg": text} for text in said]
        when = self._when(at or len(self.chats))
        self.chats[number] = {"id": number, "createdOn": when, "messages": messages, "messageCount": len(said)}
        self.chats[number].update({"personId": contact} if contact else {})

    def ticket(self, number: str, *said: str, requester: str = "", contact: str | None = None) -> None:
        messages = [{"type": "msg", "msg": text} for text in said]
        requested = {"email": requester, "personId": contact}
        when = self._when(len(self.tickets))
        self.tickets[number] = {"id": number, "createdOn": when, "messages": messages, "requester": requested}

    def _when(self, second: int) -> str:
        return (NOW - timedelta(days=30) + timedelta(seconds=second)).isoformat(timespec="milliseconds")

    async def _call(self, request: Request) -> JSONResponse:
        method, body = request.path_params["method"], await request.json()
        self.asked.append((method, body))
        self.headers.append(request.headers.get("authorization", ""))
        if self.answers is not None:
            return JSONResponse(self.answers)
        assert body["propertyId"] == PROPERTY
        kind, _, what = method.partition(".")
        if method == "contact.person.get":
            return self._one({number: {"person": held} for number, held in self.contacts.items()}, body["personId"])
        held = self.chats if kind == "chat" else self.tickets
        if what == "get":
            return self._one(held, body[f"{kind}Id"])
        entries = [entry for number, entry in held.items() if (number in self.trash) is body["deleted"]]
        start = datetime.fromisoformat(OLDEST if self.stuck else body["startDate"])
        entries = [entry for entry in entries if datetime.fromisoformat(entry["createdOn"]) >= start]
        if not self.whole:
            entries = [{key: value for key, value in entry.items() if key != "messages"} for entry in entries]
        answer = {"ok": True, "data": entries[: min(body["size"], self.largest)]}
        return JSONResponse({**answer, "total": len(entries)} if self.totals else answer)

    def _one(self, held: dict[str, Any], number: str) -> JSONResponse:
        if number not in held:
            return JSONResponse({"ok": False, "error": "not_found", "message": "There is none."}, 404)
        return JSONResponse({"ok": True, "data": held[number]})


def connection(url: str, **extra: object) -> Connection:
    return Connection(
        "tawk_to", host=url, login="api-key", extra={"property_id": PROPERTY, "rest_access": True, **extra}
    )

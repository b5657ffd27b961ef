"""Analytics on loopback: it takes deletions and acknowledges them, as far as it wants."""

import json
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.google import Call
from include.sandbox.http import FaultMiddleware
from tests.systems.conformance.means import NOW


class AnalyticsVendor:
    """``received`` has every accepted submission in order; identifiers in ``refuses`` are answered with 400."""

    def __init__(self) -> None:
        self.faults, self.journal = Faults(), Journal()
        self.reset()
        self.app = Starlette(
            routes=[Route("/v1alpha/properties/{number}:submitUserDeletion", self._submit, methods=["POST"])],
            middleware=[Middleware(FaultMiddleware, "google_analytics", self.faults, self.journal)],
        )

    def reset(self) -> None:
        self.faults.clear()
        self.journal.clear()
        self.received: list[tuple[str, str, str]] = []
        self.calls: list[Call] = []
        self.tokens: list[str] = []
        self.refuses: set[str] = set()
        self.limit = 10_000
        self.now: datetime = NOW

    async def _submit(self, request: Request) -> JSONResponse:
        body = await request.body()
        path = request.scope["raw_path"].decode()
        self.calls.append(Call("POST", path, dict(request.query_params), request.headers, body, ""))
        self.tokens.append(request.headers.get("authorization", ""))
        if len(self.received) >= self.limit:
            return JSONResponse({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}}, 429)
        ((member, value),) = json.loads(body).items()
        if value in self.refuses:
            return JSONResponse({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": value}}, 400)
        self.received.append((request.path_params["number"], member, value))
        at = self.now + timedelta(seconds=len(self.received))
        return JSONResponse({"deletionRequestTime": at.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")})


def connection(url: str, **extra: object) -> Connection:
    known = {"properties": ["1001"], "token": "sandbox", "calls_per_second": 1000, **extra}
    return Connection("google_analytics", host=url, extra=known)

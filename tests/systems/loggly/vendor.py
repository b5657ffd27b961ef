"""Loggly on loopback: a log with a careless search, pages with a cursor, and a subscription."""

import itertools
import re
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.http import FaultMiddleware

_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"')


class LogglyVendor:
    """Finds every event that has any word of a phrase, in any case: more than was asked for, as a search engine may."""

    def __init__(self) -> None:
        self.faults, self.journal = Faults(), Journal()
        self.reset()
        self.app = Starlette(
            routes=[Route("/apiv2/customer", self._customer), Route("/apiv2/events/iterate", self._iterate)],
            middleware=[Middleware(FaultMiddleware, "loggly", self.faults, self.journal)],
        )

    def reset(self) -> None:
        self.faults.clear()
        self.journal.clear()
        self.events: list[dict[str, Any]] = []
        self.subscription: dict[str, Any] = {"volume_limit_mb": 200, "retention_days": 30}
        self.page = 1000
        self.asked: list[dict[str, str]] = []
        self.headers: list[str] = []
        self.next_host = ""
        self._cursors: dict[str, list[dict[str, Any]]] = {}
        self._numbers = itertools.count()

    def log(self, text: str, at: datetime, **fields: Any) -> str:
        number = f"event-{next(self._numbers)}"
        stamp = int(at.timestamp() * 1000)
        event = {"id": number, "timestamp": stamp, "raw": text, "logmsg": text, "event": {"json": fields}, "tags": []}
        self.events.append(event)
        return number

    async def _customer(self, request: Request) -> JSONResponse:
        self.headers.append(request.headers.get("authorization", ""))
        return JSONResponse({"tokens": ["t"], "subdomain": "example", "subscription": self.subscription})

    async def _iterate(self, request: Request) -> JSONResponse:
        self.headers.append(request.headers.get("authorization", ""))
        params = dict(request.query_params)
        self.asked.append(params)
        if "next" in params:
            found = self._cursors.pop(params["next"])
        else:
            wanted = [re.sub(r"\\(.)", r"\1", phrase).lower() for phrase in _PHRASE.findall(params["q"])]
            words = {word for phrase in wanted for word in re.findall(r"\w+", phrase)}
            found = [event for event in self.events if any(word in str(event).lower() for word in words)]
        size = min(self.page, int(params.get("size", self.page)))
        answer: dict[str, Any] = {"events": found[:size]}
        if len(found) > size:
            cursor = f"cursor-{next(self._numbers)}"
            self._cursors[cursor] = found[size:]
            answer["next"] = f"{self.next_host or str(request.base_url).rstrip('/')}/apiv2/events/iterate?next={cursor}"
        return JSONResponse(answer)


def connection(url: str) -> Connection:
    return Connection("loggly", host=url, password="api-token")

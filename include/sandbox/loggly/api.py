"""Loggly's retrieval API on loopback. Nothing deletes an event; all end with the retention of the subscription.

Contract by hand, there is no description by the vendor:
https://documentation.solarwinds.com/en/success_center/loggly/content/admin/paginating-event-retrieval-api.htm and
https://documentation.solarwinds.com/en/success_center/loggly/content/admin/api-retrieving-data.htm.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from include.sandbox.loggly.query import BadQuery, Index
from include.sandbox.rest import Ask, Refusal, Reply, Routes

PAGE = (50, 1000)
"""Least and most events of a page."""
MAX_SEARCH = 5000
CACHE = timedelta(minutes=10)
"""How long the next page can be asked for."""
_SPAN = re.compile(r"-?(\d+)(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Event:
    """A log event of a client: a JSON object."""

    id: str
    at: datetime
    content: dict[str, Any]
    host: str = "192.0.2.10"


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        retention_days: after which events vanish, counted from their own time.
    """

    retention_days: int = 30


@dataclass(slots=True)
class _Found:
    """A search whose pages are being read."""

    events: list[str]
    size: int
    place: int
    asked: datetime


class LogglyApi:
    """Routes calls; holds the events."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.events: dict[str, Event] = {}
        self._index: Index | None = None
        self._open: dict[str, _Found] = {}
        self._routes = Routes(
            {
                "GET /apiv2/events/iterate": self._iterate,
                "GET /apiv2/search": self._search,
                "GET /apiv2/events": self._events,
                "GET /apiv2/customer": self._customer,
            }
        )

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not ask.bearer:
            raise refused(401, "Authentication credentials were not provided.")
        self.settle()
        try:
            operation = self._routes.find(ask)
        except Refusal:
            raise refused(405, f"Method {ask.method} not allowed.") from None
        if operation is None:
            raise refused(404, "Not found.")
        return operation()

    def add(self, event: Event) -> None:
        """Take in an event."""
        self.events[event.id] = event
        self._index = None

    def clear(self) -> None:
        """Forget everything."""
        self.events.clear()
        self._open.clear()
        self._index = None

    def settle(self) -> None:
        """Forget what is past the retention."""
        oldest = self._clock() - timedelta(days=self.settings.retention_days)
        gone = [event.id for event in self.events.values() if event.at <= oldest]
        for identifier in gone:
            del self.events[identifier]

    def _iterate(self, ask: Ask) -> Reply:
        if "next" in ask.query:
            token = ask.query["next"]
            found = self._open.get(token)
            if found is None or self._clock() > found.asked + CACHE:
                raise refused(404, "The search has expired.")
        else:
            size = self._size(ask, PAGE[0], PAGE[1])
            token = str(uuid.uuid4())
            found = self._open[token] = _Found(self._matching(ask), max(PAGE[0], size), 0, self._clock())
        found.asked = self._clock()
        page = found.events[found.place : found.place + found.size]
        found.place += found.size
        body: dict[str, Any] = {"events": self._shown(page)}
        if len(page) == found.size:
            body["next"] = f"{ask.base}/apiv2/events/iterate?next={token}"
        else:
            del self._open[token]
        return Reply(body=body)

    def _search(self, ask: Ask) -> Reply:
        token = str(uuid.uuid4().int)[:19]
        size = self._size(ask, 50, MAX_SEARCH)
        self._open[token] = _Found(self._matching(ask), size, 0, self._clock())
        start, end = self._span(ask)
        rsid = {"status": "SCHEDULED", "elapsed_time": 0.0, "id": token}
        return Reply(body={"rsid": {**rsid, "date_from": _milliseconds(start), "date_to": _milliseconds(end)}})

    def _events(self, ask: Ask) -> Reply:
        found, page = self._open.get(ask.query.get("rsid", "")), ask.query.get("page", "0")
        if found is None or self._clock() > found.asked + CACHE or not page.isdecimal():
            raise refused(404, "There is no such search.")
        start = int(page) * found.size
        shown = self._shown(found.events[start : start + found.size])
        return Reply(body={"total_events": len(found.events), "page": int(page), "events": shown})

    def _customer(self, ask: Ask) -> Reply:
        days = self.settings.retention_days
        subscription = {"retention_days": days, "key": "standard", "volume_limit_mb": 1024}
        return Reply(body={"subdomain": "clique", "tokens": [], "subscription": subscription})

    def _matching(self, ask: Ask) -> list[str]:
        if self._index is None:
            self._index = Index((event.id, event.content) for event in self.events.values())
        try:
            found = self._index.search(ask.query.get("q", ""))
        except BadQuery as problem:
            raise refused(400, str(problem)) from None
        start, end = self._span(ask)
        events = [self.events[one] for one in found if one in self.events and start <= self.events[one].at <= end]
        rising = ask.query.get("order", "desc") == "asc"
        return [event.id for event in sorted(events, key=lambda event: (event.at, event.id), reverse=not rising)]

    def _shown(self, identifiers: list[str]) -> list[dict[str, Any]]:
        return [_shown(self.events[one]) for one in identifiers if one in self.events]

    def _span(self, ask: Ask) -> tuple[datetime, datetime]:
        return self._time(ask.query.get("from", "-24h")), self._time(ask.query.get("until", "now"))

    def _time(self, text: str) -> datetime:
        if text == "now":
            return self._clock()
        if match := _SPAN.fullmatch(text):
            return self._clock() - timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            raise refused(400, "from and until must be times.") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _size(self, ask: Ask, default: int, most: int) -> int:
        text = ask.query.get("size", str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise refused(400, f"size must be between 1 and {most}.")
        return int(text)


def refused(status: int, message: str) -> Refusal:
    """An error with its sentence."""
    return Refusal(status, {"message": message})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"message": HTTPStatus(status).phrase}


def _shown(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "timestamp": _milliseconds(event.at),
        "raw": json.dumps(event.content, ensure_ascii=False),
        "logmsg": "",
        "logtypes": ["json"],
        "tags": ["client"],
        "unparsed": None,
        "event": {"json": event.content, "http": {"clientHost": event.host, "contentType": "text/plain"}},
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

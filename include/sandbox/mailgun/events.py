"""Events of a domain (deprecated by the vendor) and the logs of the account that take their place. Read only."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from include.sandbox.mailgun.errors import refused
from include.sandbox.mailgun.model import Domain, Event
from include.sandbox.rest import Ask, Reply

MAX_EVENTS = 300
MAX_LOGS = 1000
_READ: dict[str, Callable[[Event], str]] = {
    "recipient": lambda event: event.recipient,
    "event": lambda event: event.event,
    "subject": lambda event: event.subject,
    "from": lambda event: event.sender,
    "to": lambda event: event.recipient,
    "message-id": lambda event: event.message_id,
}


class Events:
    """The operations.

    Args:
        domain: finds a domain or refuses.
        domains: all of them.
        clock: the time of the service.
    """

    def __init__(
        self, domain: Callable[[str], Domain], domains: Iterable[Domain], clock: Callable[[], datetime]
    ) -> None:
        self._domain = domain
        self._domains = tuple(domains)
        self._clock = clock

    @property
    def table(self) -> dict[str, Callable[..., Reply]]:
        """Routes."""
        return {
            "GET /v3/{}/events": self._first,
            "GET /v3/{}/events/{}": self._next,
            "POST /v1/analytics/logs": self._logs,
        }

    def _first(self, ask: Ask, domain: str) -> Reply:
        return self._page(ask, domain, dict(ask.query), 0)

    def _next(self, ask: Ask, domain: str, token: str) -> Reply:
        query, offset = _opened(token)
        return self._page(ask, domain, query, offset)

    def _page(self, ask: Ask, domain: str, query: dict[str, str], offset: int) -> Reply:
        limit = query.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= MAX_EVENTS:
            raise refused(400, f"limit must be between 1 and {MAX_EVENTS}")
        now = self._clock()
        begin, end = (_moment(query[name]) if name in query else None for name in ("begin", "end"))
        rising = query.get("ascending") == "yes" or (begin is not None and end is not None and begin < end)
        earliest, latest = sorted((begin or (now - timedelta(days=90)), end or now))
        found = [
            event
            for event in self._domain(domain).events_of(query.get("recipient"))
            if earliest <= event.at <= latest
            and all(_same(read(event), query[name]) for name, read in _READ.items() if name in query)
        ]
        found.sort(key=lambda event: (event.at, event.id), reverse=not rising)
        start, step = ask.base + f"/v3/{domain}/events/", int(limit)
        paging = {
            name: start + _token(query, max(0, place))
            for name, place in {"next": offset + step, "previous": offset - step, "first": 0, "last": 0}.items()
        }
        return Reply(body={"items": [_event(event) for event in found[offset : offset + step]], "paging": paging})

    def _logs(self, ask: Ask) -> Reply:
        body = ask.json
        if not isinstance(body, dict):
            raise refused(400, "invalid request body")
        now = self._clock()
        start = _rfc2822(body.get("start"), now - timedelta(days=1))
        end = _rfc2822(body.get("end"), now)
        pagination = body.get("pagination") or {}
        limit = pagination.get("limit", 100)
        if not isinstance(limit, int) or not 1 <= limit <= MAX_LOGS:
            raise refused(400, f"pagination limit must be between 1 and {MAX_LOGS}")
        offset = _opened(pagination["token"])[1] if pagination.get("token") else 0
        conditions = [_condition(part) for part in (body.get("filter") or {}).get("AND", ())]
        exact = next((values for name, sign, values in conditions if (name, sign) == ("recipient", "=")), None)
        found = [
            (event, domain)
            for domain in self._domains
            for address in exact or (None,)
            for event in domain.events_of(address)
            if start <= event.at <= end and all(_fits(event, domain, *condition) for condition in conditions)
        ]
        rising = str(pagination.get("sort", "")).endswith(":asc")
        found.sort(key=lambda pair: (pair[0].at, pair[0].id), reverse=not rising)
        tokens = {"previous": max(0, offset - limit), "next": offset + limit, "first": 0}
        shown = found[offset : offset + limit]
        return Reply(
            body={
                "start": format_datetime(start),
                "end": format_datetime(end),
                "items": [_log(event, domain) for event, domain in shown],
                "pagination": {name: _token({}, place) for name, place in tokens.items()} | {"total": len(found)},
                "aggregates": {},
            }
        )


def _condition(part: Any) -> tuple[str, str, tuple[str, ...]]:
    try:
        name, sign = part["attribute"], part["comparator"]
        values = tuple(str(value["value"]) for value in part["values"])
    except (KeyError, TypeError):
        raise refused(400, "invalid filter") from None
    if (name not in _READ and name != "domain") or sign not in ("=", "!=", "contains") or not values:
        raise refused(400, f"invalid filter attribute or comparator: {name} {sign}")
    return name, sign, values


def _fits(event: Event, domain: Domain, name: str, sign: str, values: tuple[str, ...]) -> bool:
    known = (domain.name if name == "domain" else _READ[name](event)).lower()
    wanted = [value.lower() for value in values]
    if sign == "contains":
        return any(value in known for value in wanted)
    return (known in wanted) == (sign == "=")


def _same(known: str, wanted: str) -> bool:
    return known.lower() == wanted.lower()


def _event(event: Event) -> dict[str, Any]:
    headers = {"message-id": event.message_id, "from": event.sender, "to": event.recipient, "subject": event.subject}
    return {
        "id": event.id,
        "event": event.event,
        "timestamp": event.at.timestamp(),
        "log-level": "error" if event.event == "failed" else "info",
        "recipient": event.recipient,
        "recipient-domain": event.recipient.rpartition("@")[2].lower(),
        "flags": {"is-authenticated": True, "is-routed": False, "is-test-mode": False},
        "message": {"headers": headers, "attachments": [], "size": 586},
        "tags": [],
        "user-variables": dict(event.variables),
        **({"reason": event.reason} if event.reason else {}),
    }


def _log(event: Event, domain: Domain) -> dict[str, Any]:
    return {
        "id": event.id,
        "event": event.event,
        "@timestamp": event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "account": {"id": "1"},
        "domain": {"name": domain.name},
        "recipient": event.recipient,
        "recipient-domain": event.recipient.rpartition("@")[2].lower(),
        "message": {
            "headers": {
                "message-id": event.message_id,
                "from": event.sender,
                "to": event.recipient,
                "subject": event.subject,
            },
            "attachments": [],
            "size": 586,
        },
        "user-variables": json.dumps(event.variables),
        "tags": [],
    }


def _token(query: dict[str, str], offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([query, offset]).encode()).decode().rstrip("=")


def _opened(token: str) -> tuple[dict[str, str], int]:
    try:
        query, offset = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        raise refused(400, "invalid page token") from None
    return query, offset


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError):
        return _rfc2822(text, None)


def _rfc2822(text: Any, default: datetime | None) -> datetime:
    if text is None and default is not None:
        return default
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        raise refused(400, "failed to parse a time; it must be in RFC 2822") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

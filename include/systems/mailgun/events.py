"""What Mailgun logged about a recipient: it can be counted, not deleted, and is gone 30 days after the newest event.

Stored messages are kept for 7 days at most and are thereby gone before the events that speak of them. The log is asked
for one address at a time: that several values of a filter mean "one of them" is stated nowhere. Where an account has no
log yet (404), the events of each domain are asked, an interface that the vendor is about to close.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/logs
https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from include.systems.addresses import same
from include.systems.mailgun.client import Client, on_behalf_of

KEPT = timedelta(days=30)
_LOGS = 100
_EVENTS = 300
_TRIED = "read the log of a recipient"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when, for which recipient (folded), and what the message carried."""

    id: str
    at: datetime
    recipient: str = field(repr=False)
    message_id: str = field(repr=False)
    key: str = field(repr=False)


def of_recipient(client: Client, address: str, start: datetime, end: datetime) -> list[Event]:
    """All events of exactly this recipient, in all domains and subaccounts.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not read them.
    """
    items = _logs(client, address, start, end)
    if items is None:
        items = list(_events(client, address, start, end))
    return [event for event in map(_event, items) if event.recipient == same(address)]


def _logs(client: Client, address: str, start: datetime, end: datetime) -> list[dict[str, Any]] | None:
    """None where the account has no log."""
    values = [{"label": address, "value": address}]
    paging: dict[str, Any] = {"sort": "timestamp:desc", "limit": _LOGS}
    body = {
        "start": format_datetime(start.astimezone(UTC)),
        "end": format_datetime(end.astimezone(UTC)),
        "filter": {"AND": [{"attribute": "recipient", "comparator": "=", "values": values}]},
        "include_subaccounts": True,
        "pagination": paging,
    }
    found: list[dict[str, Any]] = []
    tokens: set[str] = set()
    while True:
        answer = client.http.call("POST", "/v1/analytics/logs", body=body, tried=_TRIED, also=(404,), repeatable=True)
        if answer.status == 404:
            return None
        items = answer.json["items"] or []
        found += items
        token = answer.json["pagination"].get("next")
        if len(items) < _LOGS or not token or token in tokens:
            return found
        tokens.add(token)
        paging["token"] = token


def _events(client: Client, address: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    params: dict[str, str | int] = {
        "recipient": address,
        "limit": _EVENTS,
        "begin": str(int(start.timestamp())),
        "end": str(int(end.timestamp()) + 1),
    }
    for domain in client.domains():
        headers = on_behalf_of(domain.subaccount)
        answer = client.http.call("GET", "/v3/{}/events", domain.name, params=params, headers=headers, tried=_TRIED)
        while items := answer.json.get("items"):
            yield from items
            following = (answer.json.get("paging") or {}).get("next")
            if not following:
                break
            answer = client.http.follow(following, headers=headers, tried=_TRIED)


def _event(item: dict[str, Any]) -> Event:
    headers = (item.get("message") or {}).get("headers") or {}
    return Event(
        str(item["id"]),
        _at(item),
        same(str(item.get("recipient") or "")),
        str(headers.get("message-id") or "").strip("<>"),
        str(_variables(item.get("user-variables")).get("key") or ""),
    )


def _at(item: dict[str, Any]) -> datetime:
    """The log writes ISO 8601, the events a number of seconds (their description says nanoseconds)."""
    if "@timestamp" in item:
        return datetime.fromisoformat(str(item["@timestamp"])).astimezone(UTC)
    seconds = float(item["timestamp"])
    return datetime.fromtimestamp(seconds / 1e9 if seconds > 1e12 else seconds, UTC)


def _variables(value: Any) -> dict[str, Any]:
    """An object with the events, the same as JSON in a string with the log."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

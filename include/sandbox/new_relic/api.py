"""NerdGraph on loopback, as far as reading one account goes. Errors of a query come with status 200."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.new_relic import graphql, nrql
from include.sandbox.rest import Ask, Refusal, Reply, Window, serve

ACCOUNT = 4200001
NAMESPACES = {
    "Log": "Log",
    "APM": "Transaction",
    "APM Errors": "TransactionError",
    "Browser": "PageView",
    "Browser events": "AjaxRequest",
    "Browser JS errors": "JavaScriptError",
}
"""Names of retention, each with the type of event that it is about."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event; ``attributes`` are beside its type and time."""

    type: str
    at: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        subscription_days: retention of the subscription.
        rules: own retention of namespaces, in days.
        queries_per_minute: of the account, on the machine's clock.
        may_see_retention: whether the user of the key does.
    """

    subscription_days: int = 30
    rules: dict[str, int] = field(default_factory=lambda: {"Log": 30, "Browser": 8})
    queries_per_minute: int = 3000
    may_see_retention: bool = True


class NewRelicSandbox:
    """The service with one account. Any user key is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.newrelic.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``new_relic``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._events: list[Event] = []
        self._window = Window(60.0, time.time)
        self.app: ASGIApp = serve(self.handle, "new_relic", faults, journal, error)

    def reset(self) -> None:
        """Forget all events; the settings stay."""
        self._events.clear()

    def seed(self, events: Iterable[Event]) -> None:
        """Put events in."""
        self._events.extend(events)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._settle()
        for event in tuple(self._events):
            yield "events", asdict(event)

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if (ask.method, ask.path.rstrip("/")) != ("POST", "/graphql"):
            raise Refusal(404, {"errors": [{"message": "Not Found"}]})
        if not ask.headers.get("api-key"):
            raise Refusal(401, {"errors": [{"message": "Your API key is missing or invalid."}]})
        body = ask.json if isinstance(ask.json, dict) else {}
        try:
            fields = graphql.parse(str(body.get("query")), body.get("variables") or {})
            return Reply(body={"data": {one.name: self._root(one) for one in fields}})
        except graphql.BadQuery:
            return _problem("Syntax error", "GRAPHQL_PARSE_ERROR")
        except nrql.BadQuery:
            return _problem("NRQL Syntax Error", "INVALID_INPUT")
        except _Trouble as trouble:
            return _problem(trouble.message, trouble.kind)

    def _root(self, asked: graphql.Field) -> dict[str, Any]:
        if asked.name != "actor":
            raise _unknown(asked)
        return {one.name: self._account(one) for one in asked.below}

    def _account(self, asked: graphql.Field) -> dict[str, Any]:
        if asked.name != "account":
            raise _unknown(asked)
        if asked.arguments.get("id") != ACCOUNT:
            raise _Trouble("Access denied.", "ACCESS_DENIED")
        return {one.name: self._part(one) for one in asked.below}

    def _part(self, asked: graphql.Field) -> Any:
        if asked.name == "id":
            return ACCOUNT
        if asked.name == "nrql":
            return self._nrql(asked)
        if asked.name == "dataManagement":
            if not self.settings.may_see_retention:
                return None
            return {one.name: _selected(one, self._retention(one)) for one in asked.below}
        raise _unknown(asked)

    def _nrql(self, asked: graphql.Field) -> dict[str, Any]:
        if not self._window.take(self.settings.queries_per_minute)[0]:
            raise _Trouble("Too many requests", "TOO_MANY_REQUESTS")
        if [one.name for one in asked.below] != ["results"]:
            raise _unknown(asked)
        self._settle()
        rows = [
            {**event.attributes, "timestamp": _milliseconds(event.at), "eventType": event.type}
            for event in self._events
        ]
        return {"results": nrql.run(str(asked.arguments.get("query")), rows, _milliseconds(self._clock()))}

    def _retention(self, asked: graphql.Field) -> Any:
        known: dict[str, Any] = {
            "customizableRetention": {"eventNamespaces": [{"namespace": name} for name in NAMESPACES]},
            "eventRetentionRules": [
                {"namespace": name, "retentionInDays": days, "deletedAt": None}
                for name, days in self.settings.rules.items()
            ],
            "retentionAudit": [
                {"namespace": name, "subscriptionRetentionInDays": self.settings.subscription_days}
                for name in NAMESPACES
            ],
        }
        if asked.name not in known:
            raise _unknown(asked)
        return known[asked.name]

    def _settle(self) -> None:
        """Forget what is past its retention."""
        lasts = {
            kind: timedelta(days=self.settings.rules.get(name, self.settings.subscription_days))
            for name, kind in NAMESPACES.items()
        }
        now = self._clock()
        self._events = [event for event in self._events if event.at > now - lasts[event.type]]


class _Trouble(Exception):
    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"errors": [{"message": HTTPStatus(status).phrase}]}


def _problem(message: str, kind: str) -> Reply:
    return Reply(body={"data": None, "errors": [{"message": message, "extensions": {"errorClass": kind}}]})


def _unknown(asked: graphql.Field) -> _Trouble:
    return _Trouble(f'Cannot query field "{asked.name}".', "GRAPHQL_VALIDATION_ERROR")


def _selected(asked: graphql.Field, value: Any) -> Any:
    """Only what was asked for."""
    if isinstance(value, list):
        return [_selected(asked, one) for one in value]
    if not isinstance(value, dict):
        return value
    if any(one.name not in value for one in asked.below):
        raise _unknown(asked)
    return {one.name: _selected(one, value[one.name]) for one in asked.below}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

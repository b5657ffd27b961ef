"""Zapier on loopback: runs of workflows that can be searched and not deleted, a history that ends, OAuth tokens.

Contract by hand; the vendor's description is at https://api.zapier.com/schema:
https://docs.zapier.com/powered-by-zapier/api-reference/experimental/get-zap-runs,
https://docs.zapier.com/powered-by-zapier/api-reference/authentication. The history is emptied on the first Monday of a
month of everything before the month before. What is in Tables is seen by no call.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.identities import as_typed
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, serve, whole
from include.sandbox.service import Service
from include.sandbox.traces import strangers

_ZAPS = ("New lead to Slack", "Event guests to Clique", "Weekly digest", "Clique to spreadsheet")
_WORDS = 150


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        calls_per_minute: 60 for an IP address.
        retention_days: of a plan that sets it; 0 for the usual history.
        page: most runs of a page.
        rotates: whether a refresh token is replaced when it is used.
        refresh_token: the one that is good; any is, while it is "".
    """

    calls_per_minute: int = 60_000
    retention_days: int = 0
    page: int = 100
    rotates: bool = False
    refresh_token: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow, with what went in and what came out."""

    id: str
    zap: str
    at: datetime
    data_in: Mapping[str, Any]
    data_out: Mapping[str, Any]
    status: str = "success"


class ZapierSandbox:
    """The service, its runs, and rows of tables. Any bearer token is accepted, none is not.

    Args:
        faults: shared with the other services of the sandbox; this one is ``zapier``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._runs: dict[str, Run] = {}
        self._rows: list[dict[str, Any]] = []
        self._window = Window(60.0)
        self._routes = Routes({"GET /v2/zap-runs": self._search, "POST /oauth/token": self._token})
        self.app: ASGIApp = serve(self.handle, "zapier", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self._runs.clear()
        self._rows.clear()

    def seed(self, runs: Iterable[Run] = (), rows: Iterable[dict[str, Any]] = ()) -> None:
        """Put runs and rows of tables in."""
        self._runs.update((run.id, run) for run in runs)
        self._rows += rows

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._settle()
        for run in tuple(self._runs.values()):
            yield "runs", asdict(run)
        for row in tuple(self._rows):
            yield "rows", dict(row)

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_minute)[0]:
            raise Refusal(429, error(429)[1], {"Retry-After": "60"})
        operation = self._routes.find(ask)
        if operation is None:
            raise Refusal(404, error(404)[1])
        if not ask.bearer and not ask.basic[0]:
            raise Refusal(401, error(401)[1])
        self._settle()
        return operation()

    def _token(self, ask: Ask) -> Reply:
        form = dict(ask.form)
        if form.get("grant_type") != "refresh_token" or not form.get("refresh_token"):
            raise Refusal(400, {"error": "unsupported_grant_type"})
        if self.settings.refresh_token not in ("", form["refresh_token"]):
            raise Refusal(400, {"error": "invalid_grant"})
        token = secrets.token_urlsafe(16) if self.settings.rotates else form["refresh_token"]
        self.settings.refresh_token = token if self.settings.rotates else self.settings.refresh_token
        lasting = {"token_type": "Bearer", "expires_in": 36_000, "scope": "zap:runs"}
        return Reply(body={"access_token": secrets.token_urlsafe(16), "refresh_token": token, **lasting})

    def _search(self, ask: Ask) -> Reply:
        if not ask.bearer:
            raise Refusal(401, error(401)[1])
        try:
            limit, offset = min(whole(ask, "limit", 10), self.settings.page), whole(ask, "offset", 0)
            start = _moment(ask.query.get("from_date")) or self._clock() - timedelta(days=30)
            end = _moment(ask.query.get("to_date")) or self._clock() + DAY
        except ValueError:
            raise Refusal(400, error(400)[1]) from None
        text = ask.query.get("search", "").lower()
        if len(text) > _WORDS or limit < 1 or offset < 0:
            raise Refusal(400, error(400)[1])
        found = [run for run in self._runs.values() if start <= run.at < end and text in _text(run)]
        found.sort(key=lambda run: (run.at, run.id), reverse=True)
        page = found[offset : offset + limit]
        following = offset + len(page)
        more = f"{ask.base}/v2/zap-runs?offset={following}&limit={limit}" if following < len(found) else None
        meta = {"count": len(found), "limit": limit, "offset": offset}
        return Reply(body={"links": {"next": more, "prev": None}, "meta": meta, "data": [_shown(run) for run in page]})

    def _settle(self) -> None:
        """Forget what the history lets go of."""
        now = self._clock()
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        monday = first + timedelta(days=(7 - first.weekday()) % 7)
        kept = (first - DAY).replace(day=1)
        if now < monday:
            kept = (kept - DAY).replace(day=1)
        if self.settings.retention_days:
            kept = now - timedelta(days=self.settings.retention_days)
        for run in tuple(self._runs.values()):
            if run.at < kept:
                del self._runs[run.id]


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"errors": [{"status": status, "code": "error", "title": "Error", "detail": f"It answered {status}."}]}


def fill(estate: Estate, service: ZapierSandbox) -> None:
    """Runs about a fifth of the users, by address or id, of the last weeks; others about nobody; and strangers."""
    rng = estate.rng("zapier")
    for person in estate.people:
        for _ in range(rng.choice((1, 1, 2)) if rng.random() < 0.2 else 0):
            whom = {"email": as_typed(rng, person.email), "name": person.name}
            about = whom if rng.random() < 0.7 else {"user": person.uid}
            service.seed([_run(estate, rng, about)])
    for _, address in strangers(estate):
        service.seed([_run(estate, rng, {"email": address})])
    for _ in range(len(estate.people) // 10):
        service.seed([_run(estate, rng, {"count": rng.randrange(1000)})])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How the product reaches it."""
    extra = {"tables": False, "calls_per_second": 1000, "refresh_token": "sandbox", "token_host": url}
    return {"zapier": {"host": url, "login": "sandbox", "password": "sandbox", "extra": extra}}


SERVICE = Service(ZapierSandbox, fill, connections)


def _run(estate: Estate, rng: Random, about: Mapping[str, Any]) -> Run:
    at = ago(estate.as_of, rng, timedelta(hours=1), 40 * DAY)
    result = {"message": f"Handled {next(iter(about.values()))}", "ok": True}
    return Run(str(UUID(int=rng.getrandbits(128), version=4)), rng.choice(_ZAPS), at, about, result)


def _text(run: Run) -> str:
    return json.dumps([run.zap, run.data_in, run.data_out], ensure_ascii=False, default=str).lower()


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "zap_id": 104445735,
        "start_time": run.at.isoformat().replace("+00:00", "Z"),
        "end_time": run.at.isoformat().replace("+00:00", "Z"),
        "status": run.status,
        "zap_title": run.zap,
        "steps": [{"status": run.status, "start_time": run.at.isoformat()}],
        "data_in": dict(run.data_in),
        "data_out": dict(run.data_out),
    }

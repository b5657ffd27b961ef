"""PhantomBuster's API (v2) on loopback."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.phantombuster.filters import BadFilter, passes
from include.sandbox.phantombuster.model import ALL, Lead, LeadList, Run
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, serve

_OPTIONS = {"paginationOrder", "paginationSize", "paginationOffset", "paginationProperty", "includeTotalCount"}
_BY_LIST = {"paginationOptions", "withLeadObjectsOfTypes", "withCompanies"}


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        most: leads in a page, and runs, whatever is asked for.
        calls_per_minute: the vendor publishes no number.
    """

    most: int = 100
    calls_per_minute: int = 60_000


class PhantomBusterSandbox:
    """The service with one workspace. Any API key is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.phantombuster.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``phantombuster``. ``PARTIAL`` deletes every
            second lead of a call and counts those only.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._leads: dict[str, Lead] = {}
        self._lists: dict[str, LeadList] = {}
        self._agents: dict[str, str] = {}
        self._runs: dict[str, Run] = {}
        self._window = Window()
        self._routes = Routes(
            {
                "POST /api/v2/org-storage/leads/by-list/{}": self._by_list,
                "POST /api/v2/org-storage/leads/delete-many": self._delete_leads,
                "POST /api/v2/org-storage/lists/save": self._save_list,
                "POST /api/v2/org-storage/lists/delete": self._delete_list,
                "GET /api/v2/org-storage/lists/fetch": self._list,
                "GET /api/v2/org-storage/lists/fetch-all": self._all_lists,
                "GET /api/v2/agents/fetch-all": self._all_agents,
                "GET /api/v2/containers/fetch-all": self._all_runs,
                "GET /api/v2/containers/fetch-result-object": self._result,
                "GET /api/v2/orgs/fetch-resources": self._resources,
            }
        )
        self.app: ASGIApp = serve(self.handle, "phantombuster", faults, journal, error)
        self.reset()

    def reset(self) -> None:
        """Forget all data but the list of all leads; the settings stay."""
        self._leads.clear()
        self._lists.clear()
        self._agents.clear()
        self._runs.clear()
        everything = {"filter": {"linkedinProfileSlug": {"operator": "contains", "valueToCompare": ""}}}
        self._lists[ALL] = LeadList(ALL, "All leads", everything)

    def seed(self, leads: Iterable[Lead] = (), runs: Iterable[Run] = (), lists: Iterable[LeadList] = ()) -> None:
        """Put records in; an agent is there when it ran."""
        self._leads.update((lead.id, lead) for lead in leads)
        self._lists.update((one.id, one) for one in lists)
        for run in runs:
            self._agents.setdefault(run.agent, f"Phantom {run.agent}")
            self._runs[run.id] = run

    def remove_results(self, agent: str) -> None:
        """Delete what an agent collected, as a person does it in the UI."""
        self._runs = {number: run for number, run in self._runs.items() if run.agent != agent}

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record; the list of all leads, which is always there, is none."""
        held: dict[str, dict[str, Any]] = {
            "leads": {**self._leads},
            "lists": {number: one for number, one in self._lists.items() if number != ALL},
            "results": {**self._runs},
        }
        for collection, rows in held.items():
            for row in rows.values():
                yield collection, asdict(row)

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not ask.headers.get("x-phantombuster-key"):
            raise _refused(401, "Unauthorized")
        if not self._window.take(self.settings.calls_per_minute)[0]:
            raise _refused(429, "Too many requests")
        try:
            operation = self._routes.find(ask)
        except Refusal:
            raise _refused(405, "Method not allowed") from None
        if operation is None:
            raise _refused(404, "Not found")
        return operation()

    def _by_list(self, ask: Ask, number: str) -> Reply:
        body = _object(ask, _BY_LIST)
        options = body.get("paginationOptions", {})
        if not isinstance(options, dict) or options.keys() - _OPTIONS:
            raise _refused(400, "Invalid pagination options")
        found = self._found(number)
        if options.get("paginationOrder", "ASC") == "DESC":
            found.reverse()
        start = _whole(options.get("paginationOffset", 0))
        size = min(_whole(options.get("paginationSize", self.settings.most)), self.settings.most)
        leads = [lead.shown() for lead in found[start : start + size]]
        return Reply(body={"leads": leads, "totalCount": len(found)} if options.get("includeTotalCount") else leads)

    def _found(self, number: str) -> list[Lead]:
        if number not in self._lists:
            raise _refused(400, "List not found")
        condition = self._lists[number].filter
        try:
            found = [lead for lead in self._leads.values() if passes(lead.shown(), condition)]
        except BadFilter:
            raise _refused(400, "Invalid filter") from None
        return sorted(found, key=lambda lead: (min((e.at for e in lead.editions), default=self._clock()), lead.id))

    def _delete_leads(self, ask: Ask) -> Reply:
        ids = _object(ask, {"ids"}).get("ids")
        if not isinstance(ids, list) or not all(isinstance(number, str) for number in ids):
            raise _refused(400, "Invalid payload: ids")
        taken = ids[::2] if ask.partial else ids
        return Reply(body={"deletedCount": sum(self._leads.pop(number, None) is not None for number in set(taken))})

    def _save_list(self, ask: Ask) -> Reply:
        body = _object(ask, {"id", "name", "filter", "description", "tags"})
        if not isinstance(body.get("name"), str) or not isinstance(body.get("filter"), dict):
            raise _refused(400, "Invalid payload: name and filter are required")
        number = str(body.get("id") or int(max(self._lists, key=int)) + 1)
        self._lists[number] = LeadList(number, body["name"], body["filter"], str(body.get("description", "")))
        return Reply(body=self._lists[number].shown())

    def _delete_list(self, ask: Ask) -> Reply:
        number = str(_object(ask, {"id"}).get("id"))
        if self._lists.pop(number, None) is None:
            raise _refused(400, "List not found")
        return Reply(body={"id": number})

    def _list(self, ask: Ask) -> Reply:
        found = self._lists.get(ask.query.get("id", ""))
        return Reply(body=None if found is None else found.shown())

    def _all_lists(self, ask: Ask) -> Reply:
        return Reply(body=[one.shown() for one in self._lists.values()])

    def _all_agents(self, ask: Ask) -> Reply:
        last = {run.agent: run.ended_at for run in sorted(self._runs.values(), key=lambda run: run.ended_at)}
        rows = [
            {"id": number, "name": name, "createdAt": 0, "nbContainersRunning": 0}
            | ({"lastEndedAt": _milliseconds(last[number])} if number in last else {})
            for number, name in self._agents.items()
        ]
        return Reply(body=rows)

    def _all_runs(self, ask: Ask) -> Reply:
        if ask.query.get("agentId") not in self._agents:
            raise _refused(400, "Agent not found")
        before = ask.query.get("beforeEndedAt")
        size = min(_whole(ask.query.get("limit", self.settings.most)), self.settings.most)
        runs = [run for run in self._runs.values() if run.agent == ask.query["agentId"]]
        runs = [run for run in runs if before is None or _milliseconds(run.ended_at) < _whole(before)]
        runs.sort(key=lambda run: run.ended_at, reverse=True)
        shown = [
            {"id": run.id, "status": "finished", "launchType": "manual", "retryNumber": 0, "exitCode": 0}
            | {"createdAt": _milliseconds(run.ended_at) - 60_000, "endedAt": _milliseconds(run.ended_at)}
            for run in runs[:size]
        ]
        return Reply(body={"maxLimitReached": len(runs) > size, "containers": shown})

    def _result(self, ask: Ask) -> Reply:
        run = self._runs.get(ask.query.get("id", ""))
        if run is None:
            raise _refused(404, "Container not found")
        return Reply(body={"resultObject": None if run.rows is None else json.dumps(list(run.rows))})

    def _resources(self, ask: Ask) -> Reply:
        used = Counter(run.agent for run in self._runs.values())
        body: dict[str, Any] = {f"{span}{name}": 0 for span in ("daily", "monthly") for name in _QUOTAS}
        body |= {"dailyResourceNextResetAt": 0, "monthlyResourceNextResetAt": 0, "s3Storage": 0}
        return Reply(body={**body, "agentCount": len(used), "planName": "starter", "plan": _PLAN})


_QUOTAS = ("ExecutionTime", "Mail", "Captcha", "DiscoveredMail", "AiCredit", "SerpCredits")
_LIMITS = (
    *("s3Storage", "mongoStorage", "parallelism", "agents", "scripts", "duration", "monthlyPrice", "yearlyPrice"),
    *("dailyExecutionTime", "dailyMails", "dailyCaptchas", "dailyDiscoveredMails", "dailyAiCredits"),
)
_PLAN = {"name": "starter", "isAvailable": True, "isUpgradable": True, **dict.fromkeys(_LIMITS, 0)}


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"status": "error", "error": HTTPStatus(status).phrase}


def _refused(status: int, message: str) -> Refusal:
    return Refusal(status, {"status": "error", "error": message})


def _object(ask: Ask, known: set[str]) -> dict[str, Any]:
    body = ask.json
    if not isinstance(body, dict) or body.keys() - known:
        raise _refused(400, "Invalid payload")
    return body


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _refused(400, "Invalid number")
    return value


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

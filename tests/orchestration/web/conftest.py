"""The pages as Airflow mounts them: real vault and ledger, Airflow's own tokens and roles, its REST API on loopback."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from include.erasure.evidence import outcome_entry
from include.ledger.entry import Entry, Json, Kind, Recorded
from include.ledger.log import Ledger
from include.subjects.vault import Vault
from include.systems import registry
from include.systems.erasing import Did, Receipt
from tests.conftest import MASTER_KEY
from tests.loopback import serve
from tests.orchestration.conftest import own_connections

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = {"Origin": "http://testserver"}


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **of: float) -> None:
        self.now += timedelta(**of)


@dataclass
class AirflowTwin:
    """The part of Airflow's REST API that the pages call. It keeps what it was sent."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    paused: bool = False
    answers: int | None = None
    """A status that it answers everything with."""

    def app(self) -> FastAPI:
        app = FastAPI()
        base = "/api/v2/dags/subject_request"

        @app.middleware("http")
        async def note(request: Request, call_next: Any) -> Response:
            self.tokens.add(request.headers.get("authorization", ""))
            self.seen.append(f"{request.method} {request.url} {(await request.body()).decode()}")
            return Response("<h1>down</h1>", self.answers) if self.answers else await call_next(request)

        @app.get(base)
        def dag() -> Any:
            return {"dag_id": "subject_request", "is_paused": self.paused}

        @app.post(f"{base}/dagRuns")
        async def start(request: Request) -> Any:
            run = await request.json()
            assert set(run) == {"dag_run_id", "logical_date", "conf"}
            if run["dag_run_id"] in self.runs:
                return JSONResponse({"detail": "it is there"}, 409)
            self.runs[run["dag_run_id"]] = {**run, "state": "queued"}
            return self.runs[run["dag_run_id"]]

        @app.get(f"{base}/dagRuns")
        def listing(run_id_prefix_pattern: str) -> Any:
            found = [run for name, run in self.runs.items() if name.startswith(run_id_prefix_pattern)]
            return {"dag_runs": found[::-1], "total_entries": len(found)}

        @app.get(f"{base}/dagRuns/{{name:path}}")
        def one(name: str) -> Any:
            return self.runs[name] if name in self.runs else JSONResponse({"detail": f"no {name}"}, 404)

        return app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def airflow_server() -> Iterator[tuple[AirflowTwin, str]]:
    twin = AirflowTwin()
    with serve(twin.app()) as url:
        yield twin, url


@pytest.fixture
def airflow(airflow_server: tuple[AirflowTwin, str], monkeypatch: pytest.MonkeyPatch) -> AirflowTwin:
    twin, url = airflow_server
    vars(twin).update(vars(AirflowTwin()))
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"{url}/execution/")
    return twin


@pytest.fixture
def site(
    vault: Vault,
    ledger: Ledger,
    vault_url: str,
    ledger_url: str,
    airflow: AirflowTwin,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> FastAPI:
    """The application, mounted as Airflow mounts it; of its protection nothing is replaced but Airflow's database."""
    from airflow.api_fastapi.auth.managers import base_auth_manager
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.core_api import security

    from include.orchestration import web

    url = make_url(vault_url)
    host = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    own = {
        **own_connections(ledger_url),
        "AIRFLOW_CONN_PRIVACY_VAULT": json.dumps(
            {"conn_type": "postgres", "login": url.username, "password": url.password or "unused", **host}
        ),
        "AIRFLOW_CONN_PRIVACY_VAULT_KEY": json.dumps(
            {"conn_type": "generic", "password": base64.b64encode(MASTER_KEY).decode()}
        ),
        "PRIVACY_REPORTS": str(tmp_path / "reports"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "k" * 64,
        "AIRFLOW__API__SECRET_KEY": "s" * 32,
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    manager = SimpleAuthManager()
    monkeypatch.setattr(base_auth_manager.RevokedToken, "is_revoked", lambda jti: False)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(security, "get_auth_manager", lambda: manager)
    monkeypatch.setattr("include.orchestration.desk.now", clock)
    vault.clock = ledger.clock = clock
    outer = FastAPI()
    outer.mount("/privacy", web.app)
    return outer


class Browser(TestClient):
    """Somebody with Airflow's cookie; reads the token of a form from its page, as a browser does."""

    def fill(self, page: str, action: str | None = None, *, files: Any = None, **fields: str) -> Any:
        found = re.search(r'name="token" value="([^"]+)"', self.get(f"/privacy{page}").text)
        token = found[1] if found else ""
        data = {"token": token, **fields}
        return self.post(f"/privacy{action or page}", data=data, files=files, headers=ORIGIN)

    def open_request(self, **fields: str) -> str:
        """Open a request; returns its id."""
        answer = self.fill("/requests/new", **{"type": "erasure", **fields})
        assert answer.status_code == 303, answer.text
        return re.search(r"req_[a-z2-7]{16}", answer.headers["location"])[0]  # type: ignore[index]


def token_of(user: str, role: str | None) -> str:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api import security

    return str(security.get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=user, role=role)))


def browser(site: FastAPI, user: str, role: str | None) -> Browser:
    client = Browser(site, follow_redirects=False)
    client.cookies.set("_token", token_of(user, role))
    return client


@pytest.fixture
def operator(site: FastAPI) -> Browser:
    """May open requests."""
    return browser(site, "dpo", "op")


@pytest.fixture
def viewer(site: FastAPI) -> Browser:
    """May only look."""
    return browser(site, "auditor", "viewer")


def kinds(ledger: Ledger, ref: str) -> list[Kind]:
    return [recorded.entry.kind for recorded in ledger.entries(run=ref)]


def newest(ledger: Ledger, ref: str) -> Recorded:
    return list(ledger.entries(run=ref))[-1]


def planned(ledger: Ledger, ref: str, *systems: str, approve: bool = False) -> None:
    """Write what the tasks write up to the plan, and the approval."""
    steps: list[Json] = [{"system": system, "counts": {"keys": 3}, "stays": []} for system in systems]
    match: dict[str, Json] = {"match": "one", "candidates": 1, "chosen": None, "identifiers": {"email": 1}}
    found: dict[str, Json] = {"counts": {"keys": 3}, "stays": [], "clean_at": None, "connector": "x/1"}
    plan: dict[str, Json] = {"systems": steps, "digest": "d" * 64, "batch_digest": "b" * 64, "to_do": True}
    ledger.append(
        [
            Entry(Kind.IDENTITY, ref, body=match),
            *(Entry(Kind.FOUND, ref, system=system, body=found) for system in systems),
            Entry(Kind.PLAN, ref, body=plan),
        ]
    )
    if approve:
        body: dict[str, Json] = {"choice": "approved", "digest": "d" * 64, "batch_digest": "b" * 64}
        ledger.append([Entry(Kind.DECISION, ref, body={**body, "by": "staff_x", "reason": "DSR-7"})])


def by_hand(ledger: Ledger, ref: str, system: str = "tawk_to") -> None:
    """Write what a push writes where a person has to do the work."""
    card = registry.erasing_card(system)
    intent: dict[str, Json] = {
        "found": 3,
        "digest": "d" * 64,
        "identifiers": {},
        "holds_version": 0,
        "connector": "x/1",
    }
    (written,) = ledger.append([Entry(Kind.INTENT, ref, system=system, body=intent)])
    receipt = Receipt(ref, Did.MANUAL, next_action="Delete conversation c-1 in the dashboard.")
    ledger.append([outcome_entry(card, written.index, receipt)])

"""What surrounds a task: connections in the environment as a deployment gives them, a seeded company, a run."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from sqlalchemy.engine import make_url

from include.erasure.desk import Desk
from include.ledger.database import engine_for
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.orchestration import erasing
from include.sandbox.app import Sandbox, connections
from include.sandbox.estate import Estate

KEY = bytes(range(32))
PSEUDONYMS = Pseudonymiser(KEY)
NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)

MakeContext = Callable[..., Any]


def own_connections(ledger_url: str) -> dict[str, str]:
    """The product's own connections, to a ledger's database."""
    url = make_url(ledger_url)
    ledger = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    login = {"login": url.username, "password": url.password or "unused"}
    key = base64.b64encode(KEY).decode()
    return {
        "AIRFLOW_CONN_PRIVACY_LEDGER": json.dumps({"conn_type": "postgres", **ledger, **login}),
        "AIRFLOW_CONN_PRIVACY_PSEUDONYMS": json.dumps({"conn_type": "generic", "password": key}),
    }


@pytest.fixture
def deployed(ledger_url: str, company_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Connections to a fresh ledger and a small seeded company; a trial installation."""
    company_sandbox.company.faults.clear()
    company_sandbox.company.seed(Estate(NIGHT, people=60, workspaces=6, seed=7))
    environ = {**connections(company_sandbox.endpoints), **own_connections(ledger_url)}
    for name, value in {**environ, "PRIVACY_MODE": "trial", "PRIVACY_REPORTS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    # The run stands for a fixed night; the clock of the task must not be earlier than it.
    monkeypatch.setattr("include.orchestration.desk.now", lambda: NIGHT)


@pytest.fixture
def company_connections(company_sandbox: Sandbox) -> dict[str, str]:
    """The connections to the company's systems, by the name of their variable."""
    return connections(company_sandbox.endpoints)


@pytest.fixture
def evidence(ledger_url: str) -> Iterator[Ledger]:
    """The same ledger, to look at what was written."""
    engine = engine_for(ledger_url)
    yield Ledger(engine, lambda: NIGHT)
    engine.dispose()


@pytest.fixture
def context() -> MakeContext:
    """A task's context with what the product reads of it."""

    def make(**params: object) -> Any:
        run = SimpleNamespace(dag_id="retention", run_id="scheduled__tonight", run_after=NIGHT, conf=params)
        return {
            "dag_run": run,
            "logical_date": NIGHT - timedelta(days=1),
            "data_interval_end": NIGHT,
            "params": params,
            "task_instance": SimpleNamespace(id="ti"),
        }

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a task would have put under Required Actions."""
    question: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **given: question.update(given))
    return question


@pytest.fixture
def erasure_desk(deployed: None, vault_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk like that of the tasks, for what the test does itself."""
    url = make_url(vault_url)
    place = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    login = {"login": url.username, "password": url.password or "unused"}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT", json.dumps({"conn_type": "postgres", **place, **login}))
    key = base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT_KEY", json.dumps({"conn_type": "generic", "password": key}))
    with erasing.open_erasure_desk() as opened:
        yield opened


@pytest.fixture
def estate(deployed: None) -> Estate:
    """The company of the fixture ``deployed``."""
    return Estate(NIGHT, people=60, workspaces=6, seed=7)

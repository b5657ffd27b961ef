"""The steps of the DAG of anonymised aggregates, on a sandbox company, a real ledger and a real vault."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from sqlalchemy.engine import make_url

from include.analytics.releases import Releases
from include.errors import Refused, Unavailable
from include.ledger.database import engine_for
from include.ledger.log import Ledger
from include.orchestration import aggregates
from include.orchestration.aggregates import aggregate_batch, close_aggregates, forecast_tables, publish_table
from include.sandbox.app import Sandbox, connections
from include.sandbox.faults import Fault, FaultKind
from tests.analytics import kit
from tests.orchestration.conftest import own_connections

NIGHT = datetime(2026, 11, 23, 5, tzinfo=UTC)
"""The night after a Sunday: days and weeks are due, months are not."""
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()

Enter = Callable[..., SimpleNamespace]


@pytest.fixture
def deployed(
    ledger_url: str, vault_url: str, company_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vault = make_url(vault_url)
    place = {"host": vault.query.get("host") or vault.host, "port": vault.port, "schema": vault.database}
    environ = {
        **connections(company_sandbox.endpoints),
        **own_connections(ledger_url),
        "AIRFLOW_CONN_PRIVACY_VAULT": json.dumps(
            {"conn_type": "postgres", **place, "login": vault.username, "password": vault.password or "unused"}
        ),
        "AIRFLOW_CONN_PRIVACY_VAULT_KEY": json.dumps({"conn_type": "generic", "password": MASTER_KEY}),
        "PRIVACY_AGGREGATES": str(tmp_path / "out"),
        "PRIVACY_SPOOL": str(tmp_path / "spool"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aggregates, "specification", kit.specification)
    monkeypatch.setattr("include.orchestration.desk.now", lambda: NIGHT)
    week = [kit.SUNDAY - timedelta(days=number) for number in range(7)]
    kit.seed(company_sandbox, list(kit.events(kit.users(60), week)))


@pytest.fixture
def store(ledger_url: str) -> Iterator[Releases]:
    engine = engine_for(ledger_url)
    yield Releases(Ledger(engine, lambda: NIGHT))
    engine.dispose()


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Make a run the one that a task finds itself in; returns the events on assets that the task added."""

    def make(run: str = "scheduled__1", end: datetime = NIGHT, **params: object) -> SimpleNamespace:
        added = SimpleNamespace(assets=[])

        def add(asset: Any, extra: dict[str, object]) -> None:
            added.assets.append((asset.name, extra))

        context = {
            "dag_run": SimpleNamespace(dag_id="anonymised_aggregates", run_id=run, run_after=end, conf=params),
            "data_interval_end": end,
            "params": params,
            "outlet_events": {aggregates.RELEASED: SimpleNamespace(add=add)},
        }
        monkeypatch.setattr(aggregates, "get_current_context", lambda: context)
        return added

    return make


def night() -> None:
    """All tasks of a night that are not skipped."""
    for batch, tables in (("usage_daily", ("daily_total", "daily_countries", "daily_features")), WEEKLY):
        aggregate_batch.function(batch=batch)
        for table in tables:
            publish_table.function(batch=batch, table=table)
    close_aggregates.function()


WEEKLY = ("activity_weekly", ("weekly_activity",))


def published(tmp_path: Path) -> dict[str, bytes]:
    out = tmp_path / "out"
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("deployed")
def test_a_night_releases_what_is_due_and_tells_by_assets(enter: Enter, store: Releases, tmp_path: Path) -> None:
    events = enter()
    night()
    assert [(one.place.table, one.place.start) for one in store.all()] == [
        ("daily_total", kit.SUNDAY),
        ("daily_countries", kit.SUNDAY),
        ("daily_features", kit.SUNDAY),
        ("weekly_activity", kit.SUNDAY - timedelta(days=6)),
    ]
    assert events.assets[0][0] == "aggregate_daily_total"
    assert len(events.assets) == 4
    for (_, extra), release in zip(events.assets, store.all(), strict=True):
        assert extra["manifest"] == release.manifest
        assert f"{extra['path']}/manifest.json" in published(tmp_path)


@pytest.mark.usefixtures("deployed")
def test_retry_clear_and_backfill_give_the_same_bytes_and_cost_nothing(
    enter: Enter, store: Releases, tmp_path: Path, company_sandbox: Sandbox
) -> None:
    enter()
    night()
    before, spent = published(tmp_path), store.spent([date(2026, 11, 1)])
    kit.seed(company_sandbox, [])  # everybody was erased
    night()
    enter("manual__clear")
    night()
    shutil.rmtree(tmp_path / "out")
    enter("backfill__1")
    night()
    assert published(tmp_path) == before
    assert store.spent([date(2026, 11, 1)]) == spent
    assert len(store.all()) == 4


@pytest.mark.usefixtures("deployed")
def test_a_batch_of_which_no_period_ends_is_skipped(enter: Enter, store: Releases) -> None:
    enter(end=NIGHT - timedelta(days=1))
    with pytest.raises(AirflowSkipException):
        aggregate_batch.function(batch="activity_weekly")
    with pytest.raises(AirflowSkipException):
        publish_table.function(batch="activity_weekly", table="weekly_activity")
    assert store.all() == []


@pytest.mark.usefixtures("deployed")
def test_a_dry_run_forecasts_and_touches_nothing(enter: Enter, store: Releases, tmp_path: Path) -> None:
    enter(dry_run=True)
    assert set(forecast_tables.function()) == {table.id for table in kit.specification().tables}
    with pytest.raises(AirflowSkipException):
        aggregate_batch.function(batch="usage_daily")
    assert close_aggregates.function()["budget_percent"] == 0
    assert store.all() == []
    assert published(tmp_path) == {}


@pytest.mark.usefixtures("deployed")
def test_a_missing_table_makes_the_run_red_and_is_named(enter: Enter, company_sandbox: Sandbox) -> None:
    enter()
    aggregate_batch.function(batch="usage_daily")
    company_sandbox.company.faults.add(Fault("elasticsearch", FaultKind.DROP, times=100))
    with pytest.raises(Unavailable):
        aggregate_batch.function(batch="activity_weekly")
    company_sandbox.company.faults.clear()
    with pytest.raises(Refused, match="not settled"):
        publish_table.function(batch="activity_weekly", table="weekly_activity")
    with pytest.raises(AirflowFailException, match=r"Not released: weekly_activity\..*Budget 2026-11: 6 % used"):
        close_aggregates.function()


@pytest.mark.usefixtures("deployed")
def test_the_result_of_a_task_names_nobody(enter: Enter) -> None:
    enter()
    results = [aggregate_batch.function(batch="usage_daily"), publish_table.function("usage_daily", "daily_total")]
    results += [forecast_tables.function(), close_of(enter)]
    text = json.dumps(results)
    assert not [user for user in kit.users(60) if user in text]


def close_of(enter: Enter) -> object:
    enter(end=NIGHT - timedelta(days=1), dry_run=True)
    return close_aggregates.function()


@pytest.mark.parametrize(
    ("end", "params", "day"),
    [
        (NIGHT, {}, date(2026, 11, 22)),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), {}, date(2026, 11, 22)),
        (datetime(2026, 11, 23, 0, tzinfo=UTC), {}, date(2026, 11, 22)),
        (NIGHT, {"day": "2026-10-31"}, date(2026, 10, 31)),
    ],
)
def test_a_run_is_about_the_last_whole_day_or_the_one_of_the_form(
    end: datetime, params: dict[str, str], day: date
) -> None:
    run = SimpleNamespace(run_after=end, conf=params)
    assert aggregates.day_of({"dag_run": run, "data_interval_end": end, "params": params}) == day


@pytest.mark.parametrize("params", [{"day": "yesterday"}, {"user": "u1"}])
def test_a_form_with_anything_else_is_refused(params: dict[str, str]) -> None:
    context = {"dag_run": SimpleNamespace(run_after=NIGHT, conf=params), "params": params}
    with pytest.raises(Refused) as caught:
        aggregates.day_of(context)
    assert "u1" not in str(caught.value)

"""The steps of the DAG of anonymised aggregates. Heavy imports wait until a task runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.analytics.batches import Batch, batches, ending_with
from include.analytics.spec import Specification, Table
from include.analytics.spec import load as load_specification
from include.errors import Refused
from include.orchestration.recovery import shielded
from include.orchestration.settings import Settings
from include.policy.loader import load

if TYPE_CHECKING:
    from include.analytics.making import Office
    from include.subjects.vault import Vault

RELEASED = AssetAlias("anonymised_aggregates")
"""Stands for the asset of each table: a mapped task knows its own only when it runs."""

FORM = ("day", "dry_run")
"""Fields of the trigger form. Airflow lets unknown keys of ``conf`` through; this product does not."""


def specification() -> Specification:
    """The release specification, read when the DAG is parsed."""
    return load_specification(Settings.read().releases_file)


def batches_of_specification() -> tuple[Batch, ...]:
    """The batches of tables, read when the DAG is parsed."""
    return batches(specification())


def asset_of(table: str) -> Asset:
    """The asset of a table; an event on it says that a release was published."""
    return Asset(name=f"aggregate_{table}", uri=f"privacy://aggregates/{table}")


def day_of(context: Mapping[str, Any]) -> date:
    """The last whole day (UTC) before the end of the run's data interval, or the one of the form.

    Raises:
        Refused: an unknown field, or a day that is none.
    """
    from include.orchestration.night import plain

    dag_run = context["dag_run"]
    unknown = set(dag_run.conf or {}) - set(FORM)
    if unknown:
        step = f"It knows {', '.join(FORM)}."
        raise Refused("aggregates", f"read {len(unknown)} unknown field(s) of the trigger form", step)
    given = context["params"].get("day")
    if given is None:
        return (plain(context.get("data_interval_end") or dag_run.run_after) - timedelta(days=1)).date()
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise Refused("aggregates", "read the day of the run", "Write it as 2026-11-22.") from None


def _dry(context: Mapping[str, Any]) -> bool:
    return context["params"].get("dry_run") is True


@task(task_id="forecast")
def forecast_tables() -> dict[str, str]:
    """What each table would show at the company's size, from public figures alone."""
    from include.analytics.forecast import forecast

    with shielded("forecast"):
        day_of(get_current_context())
        return {
            outlook.table: f"{'good' if outlook.sensible else 'no use'}: {outlook.sentence}"
            for outlook in forecast(specification())
        }


@task(task_id="aggregate")
def aggregate_batch(batch: str) -> dict[str, object]:
    """Make and settle what is missing of the period that the run's day ends, if it ends one."""
    from include.analytics.making import make
    from include.retention.run import run_id

    context = get_current_context()
    due, start = _due(context, batch)
    with shielded(f"aggregation of {batch}"):
        run = run_id(context["dag_run"].dag_id, context["dag_run"].run_id)
        with open_office() as office:
            made = make(office, due, start, run)
    return {"batch": batch, "start": start.isoformat(), "made": made, "tables": len(due.tables)}


@task(task_id="publish", outlets=[RELEASED], map_index_template="{{ task.op_kwargs['table'] }}")
def publish_table(batch: str, table: str) -> dict[str, object]:
    """Copy the settled release of one table to the published folder, byte for byte."""
    from include.analytics.making import place_of
    from include.analytics.outputs.folder import write_release

    context = get_current_context()
    due, start = _due(context, batch)
    with shielded(f"publication of {table}"):
        one = _table(due.tables, table)
        with open_office() as office:
            release = office.releases.find(place_of(office.specification, one, start))
            if release is None:
                raise Refused("aggregates", f"publish {table}", "It was not settled: clear the task before this one.")
            path = write_release(Settings.read().aggregates, office.releases.files(release))
    context["outlet_events"][RELEASED].add(asset_of(table), extra={"path": path, "manifest": release.manifest})
    return {"table": table, "path": path, "manifest": release.manifest, "entry": release.entry}


@task(task_id="close", trigger_rule="all_done")
def close_aggregates() -> dict[str, object]:
    """List all releases, read the budget, and end the run red unless every table that was due is released."""
    from include.analytics.gauge import gauge
    from include.analytics.making import place_of
    from include.analytics.outputs.folder import write_index

    context = get_current_context()
    with shielded("closing of the run"), open_office() as office:
        day = day_of(context)
        due = [] if _dry(context) else ending_with(office.specification, day)
        missing = [
            table.id
            for batch, start in due
            for table in batch.tables
            if office.releases.find(place_of(office.specification, table, start)) is None
        ]
        if not _dry(context):
            write_index(Settings.read().aggregates, office.releases.manifests())
        shown = gauge(office.releases, office.specification, day.replace(day=1))
    if missing:
        raise AirflowFailException(f"Not released: {', '.join(missing)}. Open the red tasks. Budget {shown}")
    return {"day": day.isoformat(), "budget": str(shown), "budget_percent": shown.percent}


def _due(context: Mapping[str, Any], batch: str) -> tuple[Batch, date]:
    """The batch and the first day of the period that the run's day ends.

    Raises:
        AirflowSkipException: it ends none, or this is a dry run.
    """
    day = day_of(context)
    if _dry(context):
        raise AirflowSkipException("A dry run: see the forecast.")
    for one, start in ending_with(specification(), day):
        if one.id == batch:
            return one, start
    raise AirflowSkipException(f"No period of this batch ends with {day}.")


def _table(tables: Sequence[Table], table_id: str) -> Table:
    for table in tables:
        if table.id == table_id:
            return table
    raise Refused("aggregates", f"find the table '{table_id}'", "The specification changed: start a new run.")


@contextmanager
def open_office() -> Iterator[Office]:
    """The means of one task.

    Raises:
        Refused: policy, specification or connections are wrong.
        Unavailable: a database does not answer.
    """
    from include.analytics.making import Office
    from include.analytics.releases import Releases
    from include.ledger.connect import open_ledger
    from include.orchestration.desk import connection, now

    settings = Settings.read()
    policy = load(settings.policy_file)
    ledger = open_ledger(connection("privacy_ledger"), now)
    vault = None
    try:
        # A company without requests of persons has no vault; then nobody was erased by this product.
        vault = _open_vault() if policy.requests is not None else None
        yield Office(
            specification=specification(),
            policy=policy,
            releases=Releases(ledger),
            connection=connection,
            vault=vault,
            are_erased=lambda users: _erased(vault, users),
            clock=now,
            spool=settings.spool,
        )
    finally:
        ledger.engine.dispose()
        if vault is not None:
            vault.engine.dispose()


def _open_vault() -> Vault:
    from include.orchestration.desk import connection, now
    from include.subjects.connect import open_vault

    return open_vault(connection("privacy_vault"), connection("privacy_vault_key"), now)


def _erased(vault: Vault | None, users: Sequence[str]) -> Sequence[bool]:
    from include.policy.persons import IdentifierKind
    from include.subjects.identifiers import Identifier
    from include.subjects.tombstones import erased

    if vault is None:
        return [False] * len(users)
    return erased(vault, [Identifier(IdentifierKind.USER_ID, user) for user in users])

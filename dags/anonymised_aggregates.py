"""# Anonymised aggregates: figures about the use of the product that stay anonymous.

**When.** Every night at 05:00 UTC for the day before, five hours after it ended: events that arrive later are in no
release. Tables by week or month are made in the night after their last day; their groups are skipped in all others.

**What it does.** `forecast` says from public figures alone which tables make sense at the company's size. Then, for
each source and length of period, `aggregate` reads the events of the period once, leaves out everybody who is
restricted, has objected, asked to be erased or was erased, adds noise, and settles each table: the release, its debit
from the privacy budget and its entry in the evidence ledger are one transaction. `publish` copies what is settled, one
task for each table, and marks the table's asset. `close` lists all releases and reads the budget.

**A release is for good.** Clearing, retrying or backfilling gives the same bytes again and costs nothing, even if
people were erased since. Only a changed specification makes a new release, at a new price.

**When it is red.** `aggregate`: a source did not answer, or the budget of the month is used up; the log says which.
Nothing of a table is public before it is settled. Clearing is always safe. `close` names the tables that are missing.

**After an outage.** Missed nights are not caught up by themselves. Trigger a run with a `day`, or backfill:
`airflow backfill create --dag-id anonymised_aggregates --from-date … --to-date …`.

**By hand.** *Trigger* with a `day`, or as a `dry_run`: the forecast and the budget, no event is read, nothing is spent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TaskGroup

from include.orchestration.aggregates import (
    aggregate_batch,
    batches_of_specification,
    close_aggregates,
    forecast_tables,
    publish_table,
)
from include.orchestration.pools import AGGREGATES_POOL
from include.orchestration.recovery import default_args

with DAG(
    dag_id="anonymised_aggregates",
    dag_display_name="Anonymised aggregates",
    schedule=CronDataIntervalTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["privacy", "analytics"],
    default_args=default_args(retries=4, retry_delay=timedelta(seconds=30)),
    params={
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="The last day (UTC) of the periods to release. Empty: the day before the scheduled night.",
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Forecast only; nothing is spent."),
    },
) as dag:
    forecast, closed = forecast_tables(), close_aggregates()

    for batch in batches_of_specification():
        with TaskGroup(group_id=batch.id) as group:
            aggregated = aggregate_batch.override(pool=AGGREGATES_POOL)(batch=batch.id)
            tables = [table.id for table in batch.tables]
            aggregated >> publish_table.partial(batch=batch.id).expand(table=tables)
        forecast >> group >> closed

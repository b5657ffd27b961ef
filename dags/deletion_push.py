"""# Deletion push: every approved deletion, in every system, in bulk.

**When.** Every night, and as soon as a request is approved.

**What it does.** Stage by stage, in the order of the policy file, one task per system erases the data of all approved
requests whose turn has come, with an intent before and an outcome after each call, and reads back. People are told
before their address leaves the mailers. Legal holds and cancellations are read again before each bulk call.

**When it is red.** A system failed for at least one request: its task's last line says what to do. That request alone
waits for it. Clearing a failed task is always safe: it looks again and goes on from what the system holds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from include.orchestration.erasing import APPROVED, answer_people, close_push, erase_in, requests_of_policy
from include.orchestration.pools import REQUESTS_POOL
from include.orchestration.recovery import default_args

if (REQUESTS := requests_of_policy()) is not None:
    with DAG(
        dag_id="deletion_push",
        dag_display_name="Deletion push",
        schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("30 3 * * *", timezone="UTC"), assets=[APPROVED]),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["privacy", "requests"],
        default_args=default_args(retries=4, retry_delay=timedelta(seconds=30)),
    ) as dag:
        closed = close_push()
        before: list[object] = []
        for stage in REQUESTS.stages:
            if stage.name == REQUESTS.answer.before:
                told = answer_people.override(trigger_rule="all_done")()
                before >> told >> closed
                before = [told]
            if stage.systems:
                # Each request waits by itself for the systems before: one that is down holds up its own requests only.
                erased = erase_in.override(task_id=stage.name, trigger_rule="all_done", pool=REQUESTS_POOL).expand(
                    key=list(stage.systems)
                )
                before >> erased >> closed
                before = [erased]

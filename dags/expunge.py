"""# Expunge: make deleted records leave the disk.

Elasticsearch marks deleted documents and keeps their bytes until segments are merged; Redis keeps removed keys in its
append-only file until that is rewritten. Once a week, at a quiet hour, this DAG asks each store that works like that to
let go of them, and writes to the ledger what the store said. It deletes no record.

**When it is red.** Managed services often forbid the command: the task says so. The horizon is then the vendor's, as
the report tells for each system. Everything else is tried again by itself. A store without a connection is skipped.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from include.orchestration.expunge import expunge_system
from include.orchestration.recovery import default_args
from include.orchestration.retention import rules_by_system

with DAG(
    dag_id="expunge",
    dag_display_name="Expunge",
    schedule="30 4 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["privacy", "retention"],
    default_args=default_args(retries=3, retry_delay=timedelta(minutes=5)),
) as dag:
    expunge_system.expand(key=sorted(rules_by_system()))

"""# Third-party sync: look again, long after a deletion.

**When.** Every night.

**What it does.** In each system it looks again at the people whose deletion a vendor had only accepted or whose data
were expiring, once the vendor's date has come, and at everybody 1 and 30 days after their erasure (the days are in the
policy file). What is found again becomes `residual_found`, is shown, and is erased again by *Deletion push*. A request
in which nothing can change any more is closed, and its key in the vault destroyed.

**When it is red.** A system did not answer: clear its task. Nothing is deleted here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from include.orchestration.erasing import alarm_residuals, close_requests, recheck_in, requests_of_policy
from include.orchestration.pools import REQUESTS_POOL
from include.orchestration.recovery import default_args

if (REQUESTS := requests_of_policy()) is not None:
    with DAG(
        dag_id="third_party_sync",
        dag_display_name="Third-party sync",
        schedule="30 4 * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["privacy", "requests"],
        default_args=default_args(retries=4, retry_delay=timedelta(seconds=30)),
    ) as dag:
        looked = recheck_in.override(pool=REQUESTS_POOL).expand(key=list(REQUESTS.systems))
        looked >> alarm_residuals() >> close_requests()

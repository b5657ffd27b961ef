"""# Subject request: from a person's request to an approved plan.

**How it starts.** On the page *Privacy > Requests*, by a CSV file there, or by another system through its REST
endpoint: the identifiers go into the vault, and this DAG gets the request's id alone. Its form takes nothing else.

**What it does.** `identify` collects everything the person is known by; where several people match, it asks. `find`
counts what each system holds. `plan` shows counts, grounds for what stays and dates, and waits under *Required Actions*
for a decision that is bound to the plan's digest. `hand_over` starts the DAG *Deletion push*. Nothing is deleted here.

**When it is red.** A `find` that failed blocks the plan: mend what its last line says and clear it. Clearing any task
is safe. *Evidence* on the run shows the request's time line.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from include.orchestration.erasing import REQUEST_ID, find_in, hand_over, requests_of_policy
from include.orchestration.pools import REQUESTS_POOL
from include.orchestration.recovery import default_args
from include.orchestration.request_operators import ApproveErasure, IdentifyPerson

if (REQUESTS := requests_of_policy()) is not None:
    with DAG(
        dag_id="subject_request",
        dag_display_name="Subject request",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        # A run whose plan waits for a human counts as active, for days.
        max_active_runs=1000,
        doc_md=__doc__,
        tags=["privacy", "requests"],
        default_args=default_args(retries=4, retry_delay=timedelta(seconds=30)),
        params={
            "request_id": Param(
                type="string",
                pattern=REQUEST_ID,
                title="Request",
                description="Id of a request (req_…) or of a batch (bat_…), as the page Privacy > Requests shows it. "
                "Never a person's identifier.",
            ),
        },
    ) as dag:
        identify = IdentifyPerson(task_id="identify")
        plan = ApproveErasure(task_id="plan", trigger_rule="all_done")
        for_each = list(REQUESTS.systems)
        identify >> find_in.override(pool=REQUESTS_POOL).expand(key=for_each) >> plan >> hand_over()

"""# Assurance: is everything connected, and is what the policy says of the systems still true?

**When.** Every day, after the night's deletions.

**What it does.** For each system of the policy file one task looks at four things and writes counts to the ledger.
*Access*: the key works, has the rights it needs and no more, does not end within 30 days, and the vendor does not end
its API within 180. *Claims*: what the policy says of the system ("no identifiers are sent") is looked at where the
vendor can be asked without a side effect. *Drift*: the vendor's own settings of retention beside the policy's
periods. *People who came back*: everybody in the system is compared with the tombstones of erased people; for those
who are there again requests are opened as one batch, and `start_returned` starts *Subject request* for it: find,
plan, your approval. Nothing is deleted here. `report` writes the assurance report (tab *Evidence* of the run, and
*Privacy*).

**When it is red.** A claim is violated: the report says which, with counts and never a value; stop the sending, or
change the policy. A key does not work, lacks a right or has ended: mend the connection (docs/connections.md), then
clear the task. A system did not answer: clear its task. A skipped task is a system that is **not connected**: nothing
is known of it, and each request names it as not looked into.

**When people came back.** Read where in the report, and find out how (an import, a form, a restored backup). Decline
the plan if they are here on purpose: their tombstones are lifted and nobody asks again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from include.orchestration.assurance import StartReturned, check_system, report_checks, systems_of_policy
from include.orchestration.erasing import requests_of_policy
from include.orchestration.pools import REQUESTS_POOL
from include.orchestration.recovery import default_args

if requests_of_policy() is not None:
    with DAG(
        dag_id="assurance",
        dag_display_name="Assurance",
        schedule="30 5 * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["privacy", "assurance"],
        default_args=default_args(retries=3, retry_delay=timedelta(minutes=1)),
    ) as dag:
        checked = check_system.override(pool=REQUESTS_POOL).expand(key=systems_of_policy())
        checked >> StartReturned(task_id="start_returned", trigger_rule="all_done")
        checked >> report_checks()

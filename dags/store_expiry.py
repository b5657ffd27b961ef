"""# Store expiry: let a store expire one rule's records by itself.

Firestore's time to live, a bucket's lifecycle rule, an index lifecycle, a key's time to live: where a store has such a
setting, it is a second net under the nightly sweep. The sweep itself never changes settings; this DAG does, for one
rule, when a person starts it.

**Mind:** a store's own expiry deletes without plan, guard and evidence, and knows no legal holds. It is refused while a
hold is in force on the rule; before you set a hold later, remove the setting in the vendor's console. Months count 31
days there, so that nothing goes earlier than the policy says.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from include.orchestration.expiry import set_store_expiry
from include.orchestration.recovery import default_args
from include.orchestration.retention import rules_by_system

with DAG(
    dag_id="store_expiry",
    dag_display_name="Store expiry",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    doc_md=__doc__,
    tags=["privacy", "retention"],
    default_args=default_args(retries=2, retry_delay=timedelta(seconds=30)),
    params={
        "rule": Param(
            "",
            type="string",
            enum=["", *sorted(rule for rules in rules_by_system().values() for rule in rules)],
            title="Rule",
            description="The rule whose location the store shall expire by itself, after the rule's period.",
        )
    },
) as dag:
    set_store_expiry()

"""# Retention: the policy's periods, applied every night.

**What it does.** For each rule of the policy file that a store of this company can carry out:
`plan` counts what is due and the guard judges the plan; `sweep` deletes or anonymises exactly that, in batches, each
with an intent before and an outcome after it in the evidence ledger, and then looks again. `close` signs the ledger's
checkpoint, writes the audit report and ends the run red unless every rule is proved.

**When a plan awaits input**, the guard stopped it: too many records, an unconfirmed period, a strange
date. Nothing has been deleted. Open *Required Actions*, read counts and digest, approve or decline. Approval lets
exactly that plan through.

**When a run is red.** Open the failed task: its last line says which system, what was tried and what to do. Clearing a
failed `sweep` is always safe: it settles what the last try left open and goes on. A store that is down stops its own
rules only.

**A skipped task** belongs to a system that is **not connected**: its rules are not applied, and the report names the
gap. Create the connection (docs/connections.md); the next night applies them, or clear the `plan` task.

**By hand.** *Trigger* with a date (`as_of`), as a `dry_run` (counts and judges, touches nothing), or for some rules or
systems. No field takes a person's identifier.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Param, task_group

from include.orchestration.plan_operator import PlanRule
from include.orchestration.pools import SLOTS
from include.orchestration.recovery import default_args
from include.orchestration.retention import close_night, open_night, rules_by_system, sweep_rule

RULES = rules_by_system()

with DAG(
    dag_id="retention",
    dag_display_name="Retention",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["privacy", "retention"],
    default_args=default_args(retries=4, retry_delay=timedelta(seconds=30)),
    params={
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date",
            title="As of",
            description="The day the run stands for (UTC). Empty: the day it is scheduled for.",
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Count and judge; delete nothing."),
        "rules": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": sorted(rule for rules in RULES.values() for rule in rules)},
            examples=sorted(rule for rules in RULES.values() for rule in rules),
            title="Rules",
            description="Only these rules. Empty: all.",
        ),
        "systems": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": sorted(RULES)},
            examples=sorted(RULES),
            title="Systems",
            description="Only these systems. Empty: all.",
        ),
    },
) as dag:
    opened = open_night()
    closed = close_night.override(outlets=[Asset(name="retention_evidence", uri="privacy://evidence/retention")])()

    for system, rules in RULES.items():

        @task_group(group_id=system)
        def rule_group(rule: str, system: str = system) -> None:
            """Plan and sweep of one rule."""
            plan = PlanRule(task_id="plan", rule=rule, pool=system, map_index_template="{{ task.rule }}")
            # All slots of the pool: one sweep at a time in a system, while plans may be counted side by side.
            plan >> sweep_rule.override(pool=system, pool_slots=SLOTS, map_index_template="{{ task.op_args[0] }}")(rule)

        opened >> rule_group.expand(rule=rules) >> closed

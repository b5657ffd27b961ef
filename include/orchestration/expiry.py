"""The one step of the DAG that lets a store expire records by itself."""

from __future__ import annotations

from airflow.sdk import get_current_context, task

from include.errors import Refused
from include.orchestration.recovery import shielded


@task(task_id="set")
def set_store_expiry() -> dict[str, object]:
    """Set the expiry of the chosen rule's location; see ``include.retention.expiry``."""
    from include.orchestration.desk import now, open_desk, open_system
    from include.retention.desk import Night
    from include.retention.expiry import set_expiry
    from include.retention.run import run_id

    context = get_current_context()
    dag_run = context["dag_run"]
    with shielded("setting of a store's expiry"):
        rule_id = str(context["params"]["rule"])
        if set(dag_run.conf or {}) - {"rule"} or not rule_id:
            raise Refused("store_expiry", "read the trigger form", "Choose a rule; the form has no other field.")
        night = Night(run_id(dag_run.dag_id, dag_run.run_id), now())
        with open_desk() as desk:
            rule = desk.rule(rule_id)
            by = desk.pseudonyms.staff(getattr(dag_run, "triggering_user_name", None) or "unknown")
            with open_system(desk.system_of(rule)) as system:
                setting = set_expiry(desk, night, rule, system, by=by)
    return {"rule": rule_id, "setting": setting.setting, "configured": setting.configured, "agrees": setting.agrees}

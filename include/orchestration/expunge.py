"""The step of the weekly DAG that makes deleted records leave the disk."""

from __future__ import annotations

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.recovery import shielded


@task(task_id="expunge", map_index_template="{{ task.op_kwargs['key'] }}")
def expunge_system(key: str) -> dict[str, object]:
    """Expunge one system; skipped where nothing is connected, or the store keeps nothing of a deleted record."""
    from include.orchestration.desk import now, open_desk, open_system, skip_unless_connected
    from include.retention.desk import Night
    from include.retention.expunge import expunge
    from include.retention.run import run_id

    dag_run = get_current_context()["dag_run"]
    with shielded(f"expunging of {key}"), open_desk() as desk:
        skip_unless_connected(key, lambda: None, "the nightly report names it as a gap.")
        with open_system(key) as system:
            places = expunge(desk, Night(run_id(dag_run.dag_id, dag_run.run_id), now()), system)
    if not places:
        raise AirflowSkipException(f"{key} keeps nothing of a deleted record that could be expunged")
    return {"system": key, "places": places}

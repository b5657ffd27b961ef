"""The steps of the DAG that checks the systems every night. Heavy imports wait until a task runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.errors import Unavailable
from include.orchestration.erasing import open_erasure_desk
from include.orchestration.recovery import shielded
from include.orchestration.settings import Settings
from include.policy.loader import load

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from include.assurance.evidence import Night


def systems_of_policy() -> list[str]:
    """Keys of all systems, those that nothing reaches included. Read when the DAG is parsed."""
    return list(load(Settings.read().policy_file).systems)


def night_of(context: Mapping[str, Any]) -> Night:
    """The round of checks that a run stands for."""
    from include.assurance.evidence import Night
    from include.orchestration.night import plain
    from include.retention.run import run_id

    dag_run = context["dag_run"]
    return Night(run_id(dag_run.dag_id, dag_run.run_id), plain(context.get("data_interval_end") or dag_run.run_after))


@task(task_id="check", map_index_template="{{ task.op_kwargs['key'] }}")
def check_system(key: str) -> dict[str, object]:
    """Look at access, claims, drift and people who came back in one system."""
    from include.assurance.checks import assure
    from include.assurance.evidence import State
    from include.orchestration.desk import find_connection

    with shielded(f"checks of {key}"), open_erasure_desk() as desk:
        states = assure(desk, night_of(get_current_context()), key, find_connection(key))
        name = desk.policy.systems[key].name
        if State.NO_ANSWER in states:
            raise Unavailable(
                key, "carry out every check", "What was looked at is in the report; the rest is repeated."
            )
    bad = [state.value for state in states if state in {State.VIOLATED, State.BROKEN}]
    if bad:
        raise AirflowFailException(f"{name}: {_counted(bad)}. The assurance report of this run says what to do.")
    if State.NOT_CONNECTED in states:
        raise AirflowSkipException(f"{name} is not connected: nothing is known of it. It is a gap in the report.")
    return {"system": key, "checks": dict(Counter(state.value for state in states))}


class StartReturned(TriggerDagRunOperator):
    """Start *Subject request* for the people who came back this night; skipped where there are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            trigger_dag_id="subject_request",
            logical_date=None,
            skip_when_already_exists=True,
            # The form of that DAG takes the id of a request and nothing else.
            openlineage_inject_parent_info=False,
            **kwargs,
        )

    def execute(self, context: Context) -> Any:
        """Hand over the batch of this night."""
        from include.requests.opening import repair

        with shielded("requests of people who came back"), open_erasure_desk() as desk:
            repair(desk.vault, desk.ledger)
            batch = night_of(context).batch
            opened = len(desk.open_requests(batch=batch))
        if not opened:
            raise AirflowSkipException("Nobody came back for whom a request was to be opened.")
        self.conf = {"request_id": batch}
        self.trigger_run_id = f"request__{batch}__1"
        return super().execute(context)


@task(task_id="report", trigger_rule="all_done", retries=2)
def report_checks() -> dict[str, object]:
    """Write the report; end the run red if a claim is violated or a key does not work. Old tombstones are removed."""
    from include.assurance.evidence import KINDS
    from include.ledger.instants import instant
    from include.reports import store
    from include.reports.assurance import ALARM, assurance_report
    from include.subjects import tombstones

    with shielded("report of the checks"), open_erasure_desk() as desk:
        night = night_of(get_current_context())
        entries = desk.ledger.entries(run=night.run, kinds=KINDS)
        report = assurance_report(desk.policy, night, entries, str(instant(desk.clock())))
        page = store.write_assurance(report, Settings.read().reports)
        tombstones.expire(desk.vault)
    if report.verdict == ALARM:
        raise AirflowFailException(f"{report.sentence} See {page}.")
    return {"run": night.run, "verdict": report.verdict, "report": page}


def _counted(states: list[str]) -> str:
    return ", ".join(f"{count} check(s): {state}" for state, count in Counter(states).items())

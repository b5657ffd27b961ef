"""The steps of the retention DAG, as plain functions of Airflow's context. Heavy imports wait until a task runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.errors import Refused, Unavailable
from include.orchestration.recovery import shielded
from include.orchestration.settings import Settings
from include.policy.loader import load

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from include.orchestration.night import Request
    from include.retention.planning import Planned
    from include.retention.status import RuleStatus

_GAP = "its rules are not applied. The report of this run names it as a gap."


def rules_by_system() -> dict[str, list[str]]:
    """Ids of the rules by system, in the order of the policy file. Read when the DAG is parsed."""
    policy = load(Settings.read().policy_file)
    found: dict[str, list[str]] = {}
    for rule in policy.rules:
        found.setdefault(policy.holdings[rule.holding].system, []).append(rule.id)
    return found


def request_of(context: Mapping[str, Any]) -> Request:
    """What this DAG run asks for."""
    from include.orchestration.night import read_request

    dag_run = context["dag_run"]
    return read_request(
        dag_id=dag_run.dag_id,
        airflow_run=dag_run.run_id,
        # With either of Airflow's cron timetables the end of the interval is the night that has come; the logical date
        # of one of them is the night before.
        scheduled_for=context.get("data_interval_end") or dag_run.run_after,
        params=context["params"],
        conf=dag_run.conf or {},
    )


@task(task_id="open")
def open_night() -> dict[str, object]:
    """Check form, clocks, policy and ledger, and write what this run is for."""
    from include.orchestration.desk import open_desk
    from include.retention.run import chosen_rules, open_run

    with shielded("opening of the run"):
        request = request_of(get_current_context())
        with open_desk() as desk:
            rules = chosen_rules(desk, request.rules, request.systems)
            open_run(desk, request.night, rules)
        return {"run": request.night.run, "rules": len(rules), "dry_run": request.night.dry_run}


def plan_in_context(rule_id: str, context: Context) -> Planned | None:
    """Plan one rule; None when the filters of this run leave it out. Skipped where nothing is connected."""
    from include.orchestration.desk import open_desk, open_system, skip_unless_connected
    from include.retention.planning import leave_out, plan_rule
    from include.retention.run import chosen_rules

    request = request_of(context)
    with open_desk() as desk:
        rule = desk.rule(rule_id)
        if rule not in chosen_rules(desk, request.rules, request.systems):
            return None
        skip_unless_connected(desk.system_of(rule), partial(leave_out, desk, request.night, rule), _GAP)
        with open_system(desk.system_of(rule)) as system:
            return plan_rule(desk, request.night, rule, system)


def record_decision(rule_id: str, context: Context, *, approved: str | None, user: str, reason: str) -> str:
    """Write who decided what about the newest plan of this run. Returns the plan's digest.

    Args:
        rule_id: the rule.
        context: Airflow's.
        approved: how the digest of the plan begins that was approved; None if it was declined.
        user: Airflow's id of the person; only a pseudonym of it is written.
        reason: as typed, checked.

    Raises:
        Unavailable: another plan was approved than the newest one; the next try asks again.
    """
    from include.ledger.entry import Kind
    from include.ledger.recent import latest
    from include.orchestration.desk import open_desk
    from include.retention.evidence import Place, decision_entry

    request = request_of(context)
    with open_desk() as desk:
        plan = latest(desk.ledger, [Kind.PLAN], run=request.night.run, rule=rule_id)[0].entry
        place = Place(request.night.run, rule_id, str(plan.system))
        digest = str(plan.body["digest"])
        if approved is not None and not (approved and digest.startswith(approved)):
            raise Unavailable("approval", f"approve rule {rule_id}", "There is a newer plan: it is asked about anew.")
        staff = desk.pseudonyms.staff(user)
        desk.ledger.append([decision_entry(place, digest, approved=approved is not None, by=staff, reason=reason)])
        return digest


@task(task_id="sweep")
def sweep_rule(rule_id: str) -> dict[str, object]:
    """Carry out the allowed plan of one rule and read back. A declined or dry plan is left as it is."""
    from include.orchestration.desk import open_desk, open_system
    from include.retention.run import run_statuses
    from include.retention.status import State
    from include.retention.sweep import sweep

    with shielded(f"sweep of rule {rule_id}"):
        request = request_of(get_current_context())
        with open_desk() as desk:
            rule = desk.rule(rule_id)
            status = _status_of(rule_id, run_statuses(desk, request.night.run, at=desk.clock()))
            if status is None or status.state in (State.COUNTED, State.DECLINED):
                return {"rule": rule_id, "state": "not in this run" if status is None else status.state.value}
            if status.state is State.NOT_CONNECTED:
                raise AirflowSkipException(f"{status.system} was not connected when it was to be planned: {_GAP}")
            if status.state is State.REFUSED:
                raise Refused(status.system, f"sweep rule {rule_id}", "The guard refused its plan: see the report.")
            with open_system(desk.system_of(rule)) as system:
                sweep(desk, request.night, rule, system)
            done = _status_of(rule_id, run_statuses(desk, request.night.run, at=desk.clock()))
    return {} if done is None else {"rule": rule_id, "state": done.state.value, "gone": done.gone, "held": done.held}


def _status_of(rule_id: str, statuses: list[RuleStatus]) -> RuleStatus | None:
    return next((status for status in statuses if status.rule == rule_id), None)


@task(task_id="close", trigger_rule="all_done", retries=2)
def close_night() -> dict[str, object]:
    """Sign the checkpoint, write the report, and end the run red unless every rule stands in a final state."""
    from include.ledger.note import CONNECTION, Signer
    from include.orchestration.closing import close
    from include.orchestration.desk import connection, open_desk

    with shielded("closing of the run"):
        request = request_of(get_current_context())
        signer = Signer.from_connection(connection(CONNECTION))
        with open_desk() as desk:
            closing = close(desk, request.night, Settings.read().reports, signer)
    if closing.unfinished:
        raise AirflowFailException(closing.sentence)
    return {"run": request.night.run, "rules": closing.rules, "gone": closing.gone, "report": closing.report}

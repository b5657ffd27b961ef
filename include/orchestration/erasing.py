"""The steps of the DAGs that carry out requests of persons. Heavy imports wait until a task runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.errors import Refused
from include.orchestration.recovery import shielded
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.policy.persons import Requests

if TYPE_CHECKING:
    from include.erasure.desk import Desk
    from include.systems.erasing import ErasingSystem
    from include.systems.mailing import Mailer

APPROVED = Asset(name="approved_requests", uri="privacy://requests/approved")
"""An event on it starts the push: a request was approved, or a residual was found."""

_NOBODY = "nobody looks into it. Each request, the answer and the assurance report name it as a gap."

REQUEST_ID = "^(req|bat)_[a-z2-7]{16}$"
"""Form of what the trigger form of ``subject_request`` takes: one request, or a batch."""


def requests_of_policy() -> Requests | None:
    """The section of the policy file, read when a DAG is parsed; None where a company does without these DAGs."""
    return load(Settings.read().policy_file).requests


@contextmanager
def open_erasure_desk() -> Iterator[Desk]:
    """The means of one task.

    Raises:
        Refused: policy or connections are wrong.
        Unavailable: a database does not answer.
    """
    from include.erasure.desk import Desk
    from include.orchestration.desk import connection, now, open_desk
    from include.subjects.connect import open_vault
    from include.systems.budget import SharedBudgets

    with open_desk() as desk:
        vault = open_vault(connection("privacy_vault"), connection("privacy_vault_key"), now)
        try:
            yield Desk(
                policy=desk.policy,
                ledger=desk.ledger,
                holds=desk.holds,
                pseudonyms=desk.pseudonyms,
                vault=vault,
                budgets=SharedBudgets(vault.engine, now),
                clock=now,
            )
        finally:
            vault.engine.dispose()


@contextmanager
def open_erasing(desk: Desk, key: str) -> Iterator[ErasingSystem]:
    """A system of the policy as one that erases, closed at the end."""
    from include.orchestration.desk import connection
    from include.systems import registry

    system = registry.connect_erasing(connection(key), desk.means(key))
    try:
        yield system
    finally:
        system.close()


def request_id(params: Mapping[str, Any], conf: Mapping[str, Any]) -> str:
    """The request or batch that a run of ``subject_request`` is for.

    Raises:
        Refused: an unknown field, or no id.
    """
    unknown = set(conf) - {"request_id"}
    if unknown:
        raise Refused(
            "subject_request",
            f"read {len(unknown)} unknown field(s) of the trigger form",
            "It takes a request id and nothing else; open a request on the page Privacy > Requests.",
        )
    given = str(params.get("request_id") or "")
    if not re.fullmatch(REQUEST_ID, given):
        raise Refused("subject_request", "read the request id", "It looks like req_ or bat_ and 16 letters or digits.")
    return given


def refs_of(desk: Desk, context: Mapping[str, Any], *, open_only: bool = True) -> list[str]:
    """Ids of the requests that this run is for.

    Raises:
        Refused: none is open (or none is known) under this id.
    """
    given = request_id(context["params"], context["dag_run"].conf or {})
    if given.startswith("bat_"):
        found = desk.vault.requests(batch=given, open_only=open_only)
    else:
        found = desk.vault.requests(refs=[given], open_only=open_only)
    if not found:
        raise Refused("subject_request", "find the request", "No open request has this id: look at Privacy > Requests.")
    return [request.id for request in found]


@task(task_id="find", map_index_template="{{ task.op_kwargs['key'] }}")
def find_in(key: str) -> dict[str, object]:
    """Count what one system holds of the people of this run."""
    from include.erasure.approval import identified
    from include.erasure.finding import find, leave_out
    from include.orchestration.desk import find_connection

    with shielded(f"search in {key}"), open_erasure_desk() as desk:
        refs = identified(desk, refs_of(desk, get_current_context(), open_only=False))
        if find_connection(key) is None:
            leave_out(desk, refs, key)
            return {"system": key, "requests": len(refs), "connected": False}
        with open_erasing(desk, key) as system:
            return {"system": key, "requests": len(refs), "records": sum(find(desk, refs, system).values())}


@task(task_id="hand_over", outlets=[APPROVED])
def hand_over() -> dict[str, object]:
    """Start the push by an event, or close what was declined or not found."""
    from include.erasure.approval import close
    from include.erasure.status import Stage

    with shielded("handing over of the request"), open_erasure_desk() as desk:
        # Those that an earlier try has closed are known no less.
        refs = refs_of(desk, get_current_context(), open_only=False)
        statuses = list(desk.statuses(refs, desk.clock()))
        for stage in (Stage.DECLINED, Stage.NO_MATCH):
            close(desk, [status.ref for status in statuses if status.stage is stage], stage.value)
        approved = sum(status.approved for status in statuses)
    if not approved:
        raise AirflowSkipException("Nothing was approved: nothing is deleted.")
    return {"approved": approved}


@task(task_id="erase", map_index_template="{{ task.op_kwargs['key'] }}")
def erase_in(key: str) -> dict[str, object]:
    """Work off everything that is approved and due in one system, and read back."""
    from include.erasure.push import erase, wait_for_nobody
    from include.orchestration.desk import skip_unless_connected

    with shielded(f"erasure in {key}"), open_erasure_desk() as desk:
        skip_unless_connected(key, partial(wait_for_nobody, desk, key), _NOBODY)
        with open_erasing(desk, key) as system:
            pushed = erase(desk, system)
    return {"system": key, "requests": pushed.requests, "outcomes": dict(pushed.outcomes)}


@task(task_id="answer")
def answer_people() -> dict[str, object]:
    """Tell the people whose turn has come, before their address leaves the mailers."""
    from include.erasure.answer import tell

    with shielded("answer to the person"), open_erasure_desk() as desk:
        return dict(tell(desk, lambda key: _open_mailer(desk, key)))


@contextmanager
def _open_mailer(desk: Desk, key: str) -> Iterator[Mailer]:
    from include.orchestration.desk import connection
    from include.systems import registry

    mailer = registry.connect_mailer(connection(key), desk.means(key))
    try:
        yield mailer
    finally:
        mailer.close()


@task(task_id="close", trigger_rule="all_done", retries=2)
def close_push() -> dict[str, object]:
    """End the run red if a system failed for an approved request; what waits for vendors or people is no failure."""
    from collections import Counter

    from include.erasure.push import unfinished

    with shielded("closing of the push"), open_erasure_desk() as desk:
        statuses = list(desk.statuses(desk.open_requests(), desk.clock()))
        left = unfinished(statuses)
        stages = Counter(status.stage.value for status in statuses if status.approved)
    if left:
        raise AirflowFailException(f"{len(left)} request(s) are not carried out everywhere: see their Evidence.")
    return dict(stages)


@task(task_id="recheck", map_index_template="{{ task.op_kwargs['key'] }}")
def recheck_in(key: str) -> dict[str, object]:
    """Look again at everybody whose turn has come in one system."""
    from include.erasure.sync import look_for_nobody, recheck
    from include.orchestration.desk import skip_unless_connected

    as_of = _as_of(get_current_context())
    with shielded(f"second look into {key}"), open_erasure_desk() as desk:
        skip_unless_connected(key, partial(look_for_nobody, desk, key, as_of=as_of), _NOBODY)
        with open_erasing(desk, key) as system:
            done = recheck(desk, system, as_of=as_of)
    return {"system": key, "looked": done.looked, "residual": done.residual}


@task(task_id="close", trigger_rule="all_done", retries=2)
def close_requests() -> dict[str, object]:
    """Close what is finished and destroy its keys; write what a crash left unwritten. A residual ends the run red."""
    from include.erasure.sync import close_finished
    from include.requests.opening import repair

    with shielded("closing of requests"), open_erasure_desk() as desk:
        repair(desk.vault, desk.ledger)
        closed = close_finished(desk, as_of=_as_of(get_current_context()))
        residual = _residuals(desk)
    if residual:
        raise AirflowFailException(f"Data was found again for {residual} request(s): the push erases it, see Evidence.")
    return dict(closed)


@task(task_id="alarm", trigger_rule="all_done", retries=2, outlets=[APPROVED])
def alarm_residuals() -> dict[str, object]:
    """Have residuals erased again by the push; without any this is skipped."""
    with shielded("count of residuals"), open_erasure_desk() as desk:
        found = _residuals(desk)
    if not found:
        raise AirflowSkipException("No residual was found.")
    return {"requests_with_residuals": found}


def _residuals(desk: Desk) -> int:
    """Requests for which a later look found data again that no push has erased yet."""
    from include.erasure.status import Outcome

    statuses = desk.statuses(desk.open_requests(), desk.clock())
    return sum(any(row.outcome is Outcome.RESIDUAL_FOUND for row in status.rows) for status in statuses)


def _as_of(context: Mapping[str, Any]) -> datetime:
    from include.orchestration.night import plain

    return plain(context.get("data_interval_end") or context["dag_run"].run_after)

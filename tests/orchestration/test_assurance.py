"""The tasks of the nightly checks, on a real ledger, vault and sandbox; only Airflow's supervisor is absent."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.assurance.evidence import KINDS, State
from include.connection import Connection
from include.erasure.desk import Desk
from include.errors import Unavailable
from include.orchestration import assurance, erasing
from include.orchestration import desk as desks
from include.reports import store
from include.subjects import tombstones
from include.systems import registry
from include.systems.assuring import Access, Checked
from tests.assurance.double import Asked
from tests.orchestration.conftest import NIGHT
from tests.subjects.kit import email, intake

RUN = SimpleNamespace(dag_id="assurance", run_id="scheduled__x", run_after=NIGHT, conf={})
CONTEXT: Any = {"dag_run": RUN, "params": {}, "data_interval_end": NIGHT, "task_instance": SimpleNamespace(id="ti")}


@pytest.fixture
def desk(erasure_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(assurance, "get_current_context", lambda: CONTEXT)
    return erasure_desk


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """In the place of Hotjar."""
    made = Asked()
    monkeypatch.setitem(registry.ERASING, "hotjar", "tests.assurance.double")
    found = desks.find_connection
    there = Connection("hotjar", extra={"double": made})
    monkeypatch.setattr(desks, "find_connection", lambda key: there if key == "hotjar" else found(key))
    return made


def check(key: str) -> Any:
    return assurance.check_system.function(key)


def report() -> Any:
    return assurance.report_checks.function()


def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    started: list[Any] = []
    monkeypatch.setattr(
        TriggerDagRunOperator, "execute", lambda self, _: started.append((self.trigger_run_id, self.conf))
    )
    with DAG("assurance", schedule=None):
        task = assurance.StartReturned(task_id="start_returned")
    task.execute(CONTEXT)
    return started


def test_a_real_system_is_checked_and_everything_is_in_the_report(desk: Desk, tmp_path: Any) -> None:
    done = check("redis")
    assert done["system"] == "redis"
    assert sum(done["checks"].values()) >= 3
    with pytest.raises(AirflowFailException, match="had no answer"):
        report()
    [listed] = store.listing(str(tmp_path))
    assert (listed.about, listed.run) == ("assurance", assurance.night_of(CONTEXT).run)
    rows = json.loads(store.read(str(tmp_path), f"{listed.name}.json"))["systems"]
    assert [row["system"] for row in rows] == list(desk.policy.systems)
    assert next(row for row in rows if row["system"] == "redis")["settings"]


def test_a_system_without_a_connection_is_skipped_with_a_sentence_and_is_in_the_ledger(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_INSTAGRAM", raising=False)
    with pytest.raises(AirflowSkipException, match="Instagram is not connected"):
        check("instagram")
    states = {str(one.entry.body["state"]) for one in desk.ledger.entries(run=assurance.night_of(CONTEXT).run)}
    assert states == {State.NOT_CONNECTED.value}


def test_a_violated_claim_ends_the_task_red_with_a_sentence(desk: Desk, double: Asked) -> None:
    double.checked = Checked("", looked=10, violations=4)
    with pytest.raises(AirflowFailException, match=r"Hotjar: [1-9] check\(s\): violated"):
        check("hotjar")


def test_a_key_that_lacks_a_right_ends_it_red_too(desk: Desk, double: Asked) -> None:
    double.grants = Access(missing=("read",))
    with pytest.raises(AirflowFailException, match="does not work"):
        check("hotjar")


def test_a_system_that_is_silent_is_asked_again(desk: Desk, double: Asked) -> None:
    double.grants = Unavailable("hotjar", "ask", "Later.")
    with pytest.raises(Unavailable, match="the rest is repeated"):
        check("hotjar")
    double.grants = Access()
    assert check("hotjar")["system"] == "hotjar"


def test_people_who_came_back_go_on_as_a_batch_of_their_own(
    desk: Desk, double: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AirflowSkipException, match="Nobody came back"):
        start(monkeypatch)
    [one] = desk.vault.open([intake(email("ann@example.com"))])
    tombstones.bury(desk.vault, {one.id: ()}, days=1)
    desk.vault.destroy([one.id])
    double.holds = [email("Ann@example.com"), email("jo@example.com")]
    check("hotjar")
    batch = assurance.night_of(CONTEXT).batch
    assert start(monkeypatch) == [(f"request__{batch}__1", {"request_id": batch})]
    [request] = desk.vault.requests(batch=batch)
    assert erasing.request_id({"request_id": batch}, {"request_id": batch}) == batch
    assert request.opened_by == "dag_assurance"


def test_the_whole_night_is_green_where_nothing_is_wrong_but_gaps(desk: Desk, tmp_path: Any) -> None:
    from include.assurance.checks import assure

    for key in desk.policy.systems:
        assure(desk, assurance.night_of(CONTEXT), key, None)
    assert report()["verdict"] == "needs attention"
    assert len(list(desk.ledger.entries(run=assurance.night_of(CONTEXT).run, kinds=KINDS))) > 58

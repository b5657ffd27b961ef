"""What must be true of every DAG file, read as Airflow's DAG processor reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator
from jinja2 import Environment, StrictUndefined

from include.orchestration.aggregates import specification
from include.orchestration.pools import SLOTS, pools
from include.orchestration.recovery import RecoveryPolicy
from include.orchestration.retention import rules_by_system
from include.orchestration.settings import Settings
from include.policy.loader import load

ROOT = Path(__file__).parents[2]
OTHER_COMPANY = ROOT / "tests" / "policy" / "other_company.yaml"
HEAVY = (
    "polars",
    "opendp",
    "highspy",
    "google.cloud",
    "google.auth",
    "elasticsearch",
    "grpc",
    "redis",
    "psycopg2",
    "alembic",
    "include.sandbox",
)

PLAIN = """
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG
with DAG("plain", schedule=None):
    HITLOperator(task_id="ask", subject="?", options=["yes"])
"""
AS_AIRFLOW_READS = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
DagBag(sys.argv[2])  # what Airflow itself loads for any file
before = set(sys.modules)
bag = DagBag(sys.argv[1])
found = {
    "errors": bag.import_errors,
    "modules": sorted(set(sys.modules) - before),
    "dags": {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()},
}
print("\\n" + json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(str(ROOT / "dags"))


@pytest.fixture(scope="module")
def retention(bag: DagBag) -> DAG:
    return bag.dags["retention"]


def read_apart(**environment: str) -> dict[str, dict[str, object]]:
    """What a process of its own finds in the DAG folder: nothing that other tests imported is there yet."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plain.py").write_text(PLAIN)
        done = subprocess.run(
            [sys.executable, "-c", AS_AIRFLOW_READS, str(ROOT / "dags"), folder],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_file_is_one_dag_of_its_own_name(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {path.stem for path in (ROOT / "dags").glob("*.py")}


def test_every_dag_says_what_it_is_whose_it_is_and_when_it_runs(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert dag.doc_md is not None
        assert len(dag.doc_md) > 300, f"{dag.dag_id}: the docs are the operator's manual"
        assert "privacy" in dag.tags
        assert not dag.catchup


def test_two_nights_never_run_at_once(retention: DAG) -> None:
    assert retention.max_active_runs == 1


def test_every_task_is_owned_and_tried_again_by_the_one_recovery_policy(bag: DagBag) -> None:
    for task in (task for dag in bag.dags.values() for task in dag.tasks):
        assert task.owner == "privacy", task.task_id
        assert task.retries >= 2, f"{task.task_id}: a lost worker must not lose the night"
        assert isinstance(task.retry_policy, RecoveryPolicy), task.task_id


def test_no_task_writes_its_result_to_the_log(bag: DagBag) -> None:
    for task in (task for dag in bag.dags.values() for task in dag.tasks):
        attributes = getattr(task, "partial_kwargs", None) or vars(task)
        assert attributes.get("show_return_value_in_logs", False) is False, task.task_id


def test_every_pool_that_a_task_names_is_created_and_large_enough(bag: DagBag) -> None:
    created = {
        "default_pool": 128,
        **{n: pool["slots"] for n, pool in pools(load(Settings.read().policy_file)).items()},
    }
    for task in (task for dag in bag.dags.values() for task in dag.tasks):
        assert task.pool in created, task.task_id
        assert task.pool_slots <= created[task.pool], task.task_id


def test_each_mapped_task_is_shown_by_the_name_of_its_system_or_table(bag: DagBag) -> None:
    known = {*load(Settings.read().policy_file).systems, *(table.id for table in specification().tables)}
    mapped = [task for dag in bag.dags.values() for task in dag.tasks if isinstance(task, MappedOperator)]
    assert {task.task_id for task in mapped} >= {
        "find",
        "copies",
        "mailers",
        "identity_roots",
        "recheck",
        "expunge",
        "check",
    }
    for task in mapped:
        run = SimpleNamespace(run_id="r", conf={"request_id": f"req_{'a' * 16}"})
        context: Any = {"dag": task.dag, "dag_run": run, "ti": SimpleNamespace(map_index=0), "task": task, "params": {}}
        task.render_template_fields(context)
        template = task.map_index_template or task.partial_kwargs["map_index_template"]
        shown = Environment(undefined=StrictUndefined, autoescape=True).from_string(template).render(context)
        assert shown in known, task.task_id


def test_a_sweep_has_its_system_for_itself_and_follows_its_plan(retention: DAG) -> None:
    for group in rules_by_system():
        sweep = retention.get_task(f"{group}.sweep")
        assert sweep.pool_slots == SLOTS
        assert sweep.upstream_task_ids == {f"{group}.plan"}
        assert retention.get_task(f"{group}.plan").upstream_task_ids == {"open"}


def test_the_closing_runs_after_everything_whatever_happened(retention: DAG) -> None:
    closing = retention.get_task("close")
    assert closing.trigger_rule == "all_done"
    assert closing.upstream_task_ids == {f"{group}.sweep" for group in rules_by_system()}
    assert not closing.downstream_task_ids


def test_parsing_loads_no_client_and_the_dag_can_be_stored() -> None:
    found = read_apart()
    assert found["errors"] == {}
    assert "include.policy.loader" in found["modules"], "the probe must see what parsing loads"
    loaded = [name for name in found["modules"] if name.startswith(tuple(HEAVY))]
    assert loaded == []
    assert set(found["dags"]) == {path.stem for path in (ROOT / "dags").glob("*.py")}


def test_another_companys_policy_gives_its_own_dag_without_a_word_of_this_one() -> None:
    found = read_apart(PRIVACY_POLICY_FILE=str(OTHER_COMPANY))
    text, night = (
        json.dumps(dags).replace(str(ROOT), "").lower() for dags in (found["dags"], found["dags"]["retention"])
    )
    assert found["errors"] == {}
    assert "order_book.plan" in night
    assert "clique" not in text
    assert "a1-unverified" not in text
    assert "firestore" not in night
    assert "subject_request" not in found["dags"], "a policy without the section 'requests' does without these DAGs"


def test_a_broken_policy_file_is_an_import_error_that_says_where(tmp_path: Path) -> None:
    broken = tmp_path / "policy.yaml"
    broken.write_text(OTHER_COMPANY.read_text().replace("period: 10 weeks", "period: soon"))
    found = read_apart(PRIVACY_POLICY_FILE=str(broken))
    assert found["dags"].keys() == {"anonymised_aggregates"}, "it reads the policy when a task runs, and refuses then"
    assert "policy.yaml" in str(found["errors"])
    assert "period" in str(found["errors"])

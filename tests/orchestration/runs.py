"""Runs of the DAGs for requests: their tasks, without Airflow's supervisor."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from include.orchestration import erasing
from include.orchestration.request_operators import ApproveErasure, IdentifyPerson
from tests.erasure import kit
from tests.orchestration.conftest import NIGHT

SYSTEMS = kit.POLICY.requests.systems if kit.POLICY.requests else ()


class Run:
    """A run of ``subject_request``: the context that its tasks get."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, request: str) -> None:
        run = SimpleNamespace(dag_id="subject_request", run_id="manual", run_after=NIGHT, conf={"request_id": request})
        self.context: Any = {
            "dag_run": run,
            "params": {"request_id": request},
            "data_interval_end": NIGHT,
            "task_instance": SimpleNamespace(id="ti"),
        }
        monkeypatch.setattr(erasing, "get_current_context", lambda: self.context)

    def identify(self) -> Any:
        with DAG("subject_request", schedule=None):
            return IdentifyPerson(task_id="identify")

    def plan(self) -> Any:
        with DAG("subject_request", schedule=None):
            return ApproveErasure(task_id="plan")

    def find_everywhere(self) -> None:
        for key in SYSTEMS:
            erasing.find_in.function(key)


def answered(option: str, reason: object = "DPO-12") -> dict[str, Any]:
    """A human's answer as Airflow hands it over."""
    return {
        "chosen_options": [option],
        "params_input": {"reason": reason},
        "responded_by_user": {"id": "jane", "name": "Jane"},
    }


def push() -> None:
    """One run of ``deletion_push``."""
    requests = kit.POLICY.requests
    assert requests is not None
    for stage in requests.stages:
        if stage.name == requests.answer.before:
            erasing.answer_people.function()
        for key in stage.systems:
            erasing.erase_in.function(key)

"""The guard before Airflow's table of results."""

from __future__ import annotations

import json

import pytest
from airflow.sdk.bases.xcom import BaseXCom

from include.errors import Refused
from include.orchestration.xcom import GuardedXCom

WHERE = {"dag_id": "retention", "task_id": "close", "run_id": "r", "key": "return_value", "map_index": -1}


@pytest.mark.parametrize(
    "value",
    [
        "jane@leak.test",
        "mail to Jane <jane.doe+tag@mail.leak.test> failed",
        {"deep": [{"er": ["x", ("jane@leak.test",)]}]},
        {"jane@leak.test": 1},
        "JANE@LEAK.TEST",
        "jürgen@bücher.example",
        ValueError("no such contact jane@leak.test"),
    ],
    ids=repr,
)
def test_an_address_is_refused_wherever_it_is_and_not_repeated(value: object) -> None:
    with pytest.raises(Refused, match=r"task retention\.close: could not hand over its result") as refused:
        GuardedXCom.serialize_value(value, **WHERE)
    assert "leak" not in str(refused.value).lower()
    assert "@" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        {"run": "run_abcdefghijklmnop", "rules": 17, "gone": 4711, "dry_run": False},
        {"rule": "A1", "digest": "0" * 64, "verdict": "approved"},
        ["retention-2026-11-22-run_abc.html"],
        "at 02:00 @ night",
    ],
    ids=repr,
)
def test_ids_counts_and_digests_are_stored_as_airflow_stores_them(value: object) -> None:
    assert GuardedXCom.serialize_value(value, **WHERE) == BaseXCom.serialize_value(value, **WHERE)


def test_what_is_stored_can_be_read_again() -> None:
    class Row:
        value = GuardedXCom.serialize_value({"rule": "A1", "gone": 3}, **WHERE)

    assert GuardedXCom.deserialize_value(Row) == {"rule": "A1", "gone": 3}
    assert json.dumps(Row.value)

"""The trigger form: what it accepts, and the sentence with which it refuses the rest."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError

from include.errors import Refused
from include.orchestration.erasing import REQUEST_ID
from include.orchestration.night import FORM, Request, read_request

ROOT = Path(__file__).parents[2]
TONIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def form() -> ParamsDict:
    return DagBag(str(ROOT / "dags")).dags["retention"].params


def send(form: ParamsDict, conf: dict[str, Any]) -> Request:
    """What becomes of a form: Airflow validates it, the first task reads it."""
    filled = copy.deepcopy(form)
    filled.update(conf)
    return read_request(
        dag_id="retention", airflow_run="manual", scheduled_for=TONIGHT, params=filled.validate(), conf=conf
    )


def test_the_empty_form_is_a_real_night_over_everything(form: ParamsDict) -> None:
    request = send(form, {})
    assert request.night.as_of == TONIGHT
    assert not request.night.dry_run
    assert (request.rules, request.systems) == (frozenset(), frozenset())


def test_a_filled_form_is_read(form: ParamsDict) -> None:
    request = send(form, {"as_of": "2026-11-20", "dry_run": True, "rules": ["M1"], "systems": ["firestore"]})
    assert request.night.as_of == datetime(2026, 11, 20, tzinfo=UTC)
    assert request.night.dry_run
    assert (request.rules, request.systems) == ({"M1"}, {"firestore"})


@pytest.mark.parametrize(
    "conf",
    [
        {"as_of": "yesterday"},
        {"as_of": "2026-02-30"},
        {"as_of": 20261122},
        {"dry_run": "yes"},
        {"rules": ["M1", "no-such-rule"]},
        {"rules": "M1"},
        {"systems": ["instagram"]},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_before_the_run_exists(form: ParamsDict, conf: dict[str, Any]) -> None:
    with pytest.raises((ParamValidationError, Refused)):
        send(form, conf)


def test_an_unknown_field_is_refused_without_repeating_it(form: ParamsDict) -> None:
    with pytest.raises(Refused, match="It knows as_of, dry_run, rules, systems") as refused:
        read_request(
            dag_id="retention",
            airflow_run="manual",
            scheduled_for=TONIGHT,
            params=form.validate(),
            conf={"jane@leak.test": 1},
        )
    assert "jane" not in str(refused.value)


def test_a_date_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(Refused, match="Write it as 2026-11-22"):
        read_request(dag_id="d", airflow_run="r", scheduled_for=TONIGHT, params={"as_of": "soon"}, conf={})


def test_the_form_has_the_fields_the_reader_knows_and_each_explains_itself(form: ParamsDict) -> None:
    assert set(form) == set(FORM)
    for name in form:
        param = form.get_param(name)
        assert param.schema["title"], name
        assert param.description, name


def test_no_field_of_any_form_takes_free_text_where_a_persons_identifier_would_fit() -> None:
    """Dates, switches, closed lists and opaque ids: nothing else can be typed."""
    for dag in DagBag(str(ROOT / "dags")).dags.values():
        for name in dag.params:
            schema = dag.params.get_param(name).schema
            listed = "enum" in schema or "enum" in schema.get("items", {})
            opaque = schema.get("pattern") == REQUEST_ID
            other = schema["type"] == "boolean" or schema.get("format") == "date"
            assert listed or opaque or other, f"{dag.dag_id}: {name}"

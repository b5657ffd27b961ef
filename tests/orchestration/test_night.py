"""From Airflow's run to a night of the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pendulum
import pytest

from include.errors import Refused
from include.orchestration.night import Request, read_request

TONIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)


def read(scheduled_for: datetime = TONIGHT, run: str = "scheduled__2026-11-22", **params: object) -> Request:
    return read_request(dag_id="retention", airflow_run=run, scheduled_for=scheduled_for, params=params, conf=params)


def test_a_scheduled_run_stands_for_the_end_of_its_interval() -> None:
    assert read().night.as_of == TONIGHT


def test_a_date_in_the_form_means_the_beginning_of_that_day_in_utc() -> None:
    assert read(as_of="2024-02-29").night.as_of == datetime(2024, 2, 29, tzinfo=UTC)


def test_airflows_own_dates_become_plain_ones_whose_arithmetic_is_exact() -> None:
    plain = read(pendulum.datetime(2026, 11, 22, 2, 0, 0, 7)).night.as_of
    assert type(plain) is datetime
    assert plain == TONIGHT.replace(microsecond=7)
    assert type(plain - timedelta(days=1)) is datetime


def test_a_date_in_another_zone_is_the_same_instant_in_utc() -> None:
    night = read(datetime(2026, 11, 22, 4, tzinfo=timezone(timedelta(hours=2)))).night
    assert night.as_of == TONIGHT
    assert night.as_of.utcoffset() == timedelta(0)


def test_the_runs_name_is_opaque_repeatable_and_its_own() -> None:
    first = read(run="manual__jane@leak.test").night.run
    assert first == read(run="manual__jane@leak.test").night.run
    assert first != read(run="manual__2").night.run
    assert first.startswith("run_")
    assert "jane" not in first


@pytest.mark.parametrize("value", ["true", 1, None, "yes"])
def test_only_a_true_dry_run_is_one(value: object) -> None:
    """Airflow validates the form; whatever else got here is a real night, which the guard judges."""
    assert read(dry_run=value).night.dry_run is False
    assert read(dry_run=True).night.dry_run is True


def test_the_filters_are_sets_of_names() -> None:
    request = read(rules=["M1", "M1", "C2"], systems=("redis",))
    assert request.rules == {"M1", "C2"}
    assert request.systems == {"redis"}
    assert read(rules=None).rules == frozenset()


@pytest.mark.parametrize("date", ["2026-02-30", "22.11.2026", "tonight", ""])
def test_a_date_that_is_none_says_how_to_write_it(date: str) -> None:
    with pytest.raises(Refused, match="Write it as"):
        read(as_of=date)

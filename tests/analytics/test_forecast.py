"""The forecast: honest at two thousand users, and borne out by what the mechanism then does."""

from __future__ import annotations

import random
import statistics

import polars as pl
import pytest

from include.analytics import mechanism
from include.analytics.forecast import Outlook, forecast
from include.analytics.lint import build
from include.analytics.spec import Specification, load
from include.policy.document import parse
from tests.analytics.test_lint import GOOD

FINE = GOOD.replace("{column: country, keys: [DE, FR], other: rest}", "{column: country, expected_keys: 120}")


def outlooks(users: int, text: str = FINE) -> dict[str, Outlook]:
    return {one.table: one for one in forecast(build(parse(text.replace("users: 100000", f"users: {users}"))))}


def test_a_fine_daily_table_of_two_thousand_users_makes_no_sense_and_says_so() -> None:
    outlook = outlooks(2000)["features"]
    assert not outlook.sensible
    assert outlook.published < 0.02 * outlook.cells
    assert "% of the cells would be shown" in outlook.sentence


def test_the_default_works_at_two_thousand_users() -> None:
    assert [one.table for one in forecast(load()) if not one.sensible] == []


def test_more_users_show_more() -> None:
    shown = [outlooks(users)["features"].published for users in (2_000, 20_000, 200_000, 2_000_000)]
    assert shown == sorted(shown)
    assert shown[0] < 0.1 * shown[-1]


def test_a_daily_version_of_the_monthly_tables_is_called_useless() -> None:
    daily = Specification.model_validate(
        {**load().model_dump(), "tables": tuple({**one.model_dump(), "period": "daily"} for one in load().tables)}
        | {"budget": {name: str(value) for name, value in load().budget.model_dump().items()}}
        | {"tables": tuple(_daily(one.model_dump()) for one in load().tables)}
    )
    useless = {one.table for one in forecast(daily) if not one.sensible}
    assert useless == {one.id for one in load().tables if one.dimensions}


def _daily(table: dict[str, object]) -> dict[str, object]:
    price = {name: str(table[name]) if table[name] is not None else None for name in ("rho", "delta")}
    return {**table, **price, "period": "daily"}


@pytest.mark.parametrize("table_id", ["monthly_countries", "monthly_activity", "weekly_devices"])
def test_what_is_forecast_comes_true(table_id: str) -> None:
    """Events drawn as the specification describes the company, released for good."""
    specification = load()
    table = specification.table(table_id)
    outlook = next(one for one in forecast(specification) if one.table == table_id)
    column = table.dimensions[0].column
    keys = table.dimensions[0].listed or tuple(f"part {number}" for number in range(outlook.cells))
    rng = random.Random(1)  # noqa: S311 - invents a company
    rows = [(f"u{user}", rng.choice(keys)) for user in range(outlook.active)]
    truth = pl.DataFrame(rows, schema=["user", column], orient="row")
    errors, shown = [], []
    for _ in range(15):
        made = mechanism.release(table, truth.lazy()).frame.drop_nulls("users")
        both = made.join(truth.group_by(column).len("true"), on=column)
        errors += (100 * (both["users"] - both["true"].cast(pl.Int64)).abs() / both["true"]).to_list()
        shown.append(len(made))
    assert outlook.error_percent is not None
    assert statistics.median(errors) == pytest.approx(outlook.error_percent, rel=0.35)
    assert statistics.fmean(shown) == pytest.approx(outlook.published, rel=0.05)

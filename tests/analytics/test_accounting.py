"""The arithmetic of the budget against independent computations."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from include.analytics import accounting
from include.analytics.spec import Cadence
from tests.analytics.tables import PUBLIC, UNKNOWN, table


@pytest.mark.parametrize(
    ("rho", "delta", "epsilon"),
    # Bounds of the exact Gaussian mechanism by dp-accounting's privacy loss distributions: the conversion from zCDP is
    # above the exact value (14.09 for 30 releases of 0.1) and not much.
    [(0.015, 1e-6, 0.772), (0.45, 1e-6, 4.92), (3.0, 1e-6, 14.95), (0.5, 1e-6, 5.22)],
)
def test_epsilon_of_known_budgets(rho: float, delta: float, epsilon: float) -> None:
    assert accounting.epsilon(rho, delta) == pytest.approx(epsilon, rel=0.003)


@settings(deadline=None)
@given(st.floats(1e-4, 5), st.sampled_from([1e-9, 1e-6, 1e-4]))
def test_epsilon_covers_the_exact_profile_of_the_gaussian_and_is_not_far_above(rho: float, delta: float) -> None:
    # Balle and Wang 2018: delta of a Gaussian with sensitivity/sigma = sqrt(2 rho), exactly.
    mu = math.sqrt(2 * rho)

    def exact_delta(epsilon: float) -> float:
        return float(
            stats.norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon + stats.norm.logcdf(-mu / 2 - epsilon / mu))
        )

    claimed = accounting.epsilon(rho, delta)
    assert exact_delta(claimed) <= delta * (1 + 1e-9)
    least = optimize.brentq(lambda epsilon: exact_delta(epsilon) - delta, 0, claimed) if exact_delta(0) > delta else 0
    assert claimed <= 1.35 * least + 0.05


@pytest.mark.parametrize(
    ("rho", "groups", "expected"),
    [("0.015", 1, 33), ("0.015", 20, 150), ("0.1", 5, 30), ("0.25", 40, 55), ("0.05", 10, 59)],
)
def test_thresholds_for_delta_of_one_in_ten_million(rho: str, groups: int, expected: int) -> None:
    scale = accounting.sigma(groups, 1, Decimal(rho))
    assert abs(accounting.threshold(scale, Decimal("1e-7"), groups) - expected) <= 1


@settings(deadline=None)
@given(st.floats(0.5, 60), st.integers(1, 200))
def test_the_tail_is_that_of_the_discrete_gaussian(scale: float, least: int) -> None:
    k = np.arange(-3000, 3001, dtype=np.float64)
    weights = np.exp(-((k / scale) ** 2) / 2)
    assert accounting.tail(scale, least) == pytest.approx(
        weights[k >= least].sum() / weights.sum(), rel=1e-9, abs=1e-300
    )


@settings(deadline=None)
@given(st.floats(0.5, 60), st.integers(1, 60), st.sampled_from(["1e-9", "1e-7", "1e-4"]))
def test_a_threshold_keeps_its_delta_and_the_next_lower_does_not(scale: float, groups: int, delta: str) -> None:
    lowest = accounting.threshold(scale, Decimal(delta), groups)
    chance = [1 - (1 - accounting.tail(scale, t - 1)) ** groups for t in (lowest, max(2, lowest - 1))]
    assert chance[0] <= float(delta) * (1 + 1e-6)
    assert lowest == 2 or chance[1] > float(delta)


@given(st.integers(1, 500), st.integers(1, 10**6), st.decimals("0.0001", "2", places=6))
def test_sigma_never_spends_more_than_rho(groups: int, bound: int, rho: Decimal) -> None:
    scale = accounting.sigma(groups, bound, rho)
    assert Decimal(groups) * bound**2 / (2 * Decimal(scale) ** 2) <= rho
    assert groups * bound**2 / (2 * scale**2) == pytest.approx(float(rho), rel=1e-11)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(list(Cadence)))
def test_periods_tile_the_calendar(day: date, cadence: Cadence) -> None:
    start, end = cadence.start(day), cadence.end(day)
    assert start <= day < end
    assert cadence.start(end) == end
    assert cadence.start(end - timedelta(days=1)) == start


@settings(deadline=None)
@given(st.dates(date(2020, 1, 1), date(2035, 12, 1)), st.sampled_from(list(Cadence)))
def test_the_cap_of_a_month_covers_every_month_of_the_calendar(day: date, cadence: Cadence) -> None:
    one = table(UNKNOWN, period=cadence.value, rho="0.01", delta="1e-7")
    month = day.replace(day=1)
    start, spent = cadence.start(month), accounting.NOTHING
    while start < Cadence.MONTHLY.end(month):
        spent += accounting.debits(one, start).get(month, accounting.NOTHING)
        start = cadence.end(start)
    most = accounting.month([one])
    assert spent.rho <= most.rho
    assert spent.delta <= most.delta


def test_the_cap_of_a_month_is_no_larger_than_the_dearest_month() -> None:
    for cadence in Cadence:
        one = table(UNKNOWN, period=cadence.value, rho="0.01", delta="1e-7")
        months: dict[date, accounting.Cost] = {}
        start = cadence.start(date(2020, 1, 1))
        while start < date(2030, 1, 1):
            for month, price in accounting.debits(one, start).items():
                months[month] = months.get(month, accounting.NOTHING) + price
            start = cadence.end(start)
        assert max(spent.rho for spent in months.values()) == accounting.month([one]).rho
        assert max(spent.delta for spent in months.values()) == accounting.month([one]).delta


def test_a_week_within_two_months_is_charged_to_both_at_twice_its_rho() -> None:
    weekly = table(PUBLIC, period="weekly", rho="0.01")
    price = accounting.Cost(Decimal("0.02"), Decimal(0))
    assert accounting.debits(weekly, date(2026, 9, 28)) == {date(2026, 9, 1): price, date(2026, 10, 1): price}
    assert accounting.debits(weekly, date(2026, 9, 21)) == {date(2026, 9, 1): accounting.cost(weekly)}


def test_a_day_costs_twice_where_it_is_a_part_of_the_period() -> None:
    tables = [table(UNKNOWN, period=period.value, rho="0.01", delta="1e-7") for period in Cadence]
    assert accounting.day(tables) == accounting.Cost(Decimal("0.05"), Decimal("3e-7"))


def test_an_internal_table_costs_nothing() -> None:
    assert accounting.cost(table(PUBLIC, rho=None, internal=True)) == accounting.NOTHING

"""Geometry of the charts."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from include.reports.charts import (
    LABEL,
    VALUE,
    WIDTH,
    Bar,
    Column,
    Share,
    budget_chart,
    outcome_chart,
    percent,
    ticks,
    trend_chart,
)

numbers = st.integers(0, 10**9)
bars = st.lists(
    st.builds(Bar, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), numbers, numbers)
)


def rects(chart: Markup) -> list[dict[str, str]]:
    """The bars of a chart, read as XML: what is not well-formed fails here."""
    return [element.attrib for element in ElementTree.fromstring(str(chart)).iter("rect")]  # noqa: S314


@given(st.floats(0.001, 10**12), st.integers(1, 9))
def test_a_scale_starts_at_zero_covers_the_data_and_has_round_even_steps(maximum: float, most: int) -> None:
    scale = ticks(maximum, most)
    steps = {right - left for left, right in itertools.pairwise(scale)}
    assert scale[0] == 0
    assert scale[-1] >= maximum
    assert scale[-2] < maximum
    assert len(scale) <= most + 1
    assert len(steps) == 1
    assert re.fullmatch("[125]0*", str(steps.pop()))


def test_a_scale_without_data_has_a_length() -> None:
    assert ticks(0) == [0, 1]


@given(bars)
def test_bars_stay_in_their_column_and_something_is_never_invisible(given: list[Bar]) -> None:
    chart = outcome_chart(given)
    drawn = rects(chart)
    assert len(drawn) == sum(1 for bar in given for value in (bar.gone, bar.held) if value)
    for rect in drawn:
        assert float(rect["width"]) >= 1.5
        assert float(rect["x"]) >= LABEL
        assert float(rect["x"]) + float(rect["width"]) <= WIDTH - VALUE + 5


def test_bars_are_as_long_as_their_numbers() -> None:
    first, second = (float(rect["width"]) for rect in rects(outcome_chart([Bar("a", 1000), Bar("b", 250)])))
    assert first == pytest.approx(4 * second, rel=0.001)


def test_a_share_above_its_budget_looks_different() -> None:
    chart = budget_chart([Share("a", 19.9, 20), Share("b", 20.1, 20)])
    assert [rect["class"] for rect in rects(chart)] == ["gone", "left"]


def test_the_trend_shows_each_night_and_names_the_newest() -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    chart = trend_chart([Column(day + timedelta(days=number), 10, 5) for number in range(30)])
    assert len(rects(chart)) == 60
    assert "30 Nov</text>" in chart


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 %"), (0.04, "< 0.1 %"), (0.1, "0.1 %"), (9.94, "9.9 %"), (12.6, "13 %"), (100, "100 %")],
)
def test_a_share_is_said_as_people_read_it(value: float, text: str) -> None:
    assert percent(value) == text

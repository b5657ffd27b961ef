"""When the history lets go of a run: the first Monday of the second month after it, and a day."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.systems.zapier import LONGEST
from include.systems.zapier.ends import end_of

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def day(year, month, day):
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run", "end"),
    [
        (day(2024, 1, 1), day(2024, 3, 5)),  # the vendor's own example: on Monday, 4 March, January goes
        (day(2024, 1, 31), day(2024, 3, 5)),
        (day(2024, 2, 1), day(2024, 4, 2)),  # the first of April 2024 is a Monday
        (day(2026, 11, 22), day(2027, 1, 5)),
        (day(2026, 12, 31), day(2027, 2, 2)),
        (day(2027, 7, 1), day(2027, 9, 7)),
    ],
)
def test_the_vendors_rule_on_known_days(run, end):
    assert end_of(run, None) == end


@given(MOMENTS)
def test_it_is_a_day_after_a_first_monday_within_the_vendors_days(run):
    end = end_of(run, None)
    monday = end - timedelta(days=1)
    assert (monday.weekday(), monday.day <= 7) == (0, True)
    assert timedelta(days=28) < end - run <= LONGEST
    assert (monday.year * 12 + monday.month) - (run.year * 12 + run.month) == 2


@given(MOMENTS, st.integers(1, 60))
def test_a_retention_of_the_plan_counts_in_days(run, days):
    assert end_of(run, days) == run + timedelta(days=days + 1)

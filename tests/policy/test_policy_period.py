"""Calendar arithmetic of retention periods, against the forward rule of Regulation 1182/71."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.policy.period import Period, Unit

PERIODS = st.builds(Period, st.integers(1, 200), st.sampled_from(list(Unit)))
CALENDAR = PERIODS.filter(lambda period: period.unit is not Unit.HOUR)
INSTANTS = st.datetimes(datetime(1995, 1, 1), datetime(2150, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
MONTHS_OF = {Unit.MONTH: 1, Unit.YEAR: 12}
DAYS_OF = {Unit.DAY: 1, Unit.WEEK: 7}


def last_day_kept(event: datetime, period: Period) -> datetime:
    """Midnight at the start of the day through which an event is kept, counted forwards, without dateutil."""
    day = event.replace(hour=0, minute=0, second=0, microsecond=0)
    if period.unit in DAYS_OF:
        return day + timedelta(days=period.count * DAYS_OF[period.unit])
    months = day.year * 12 + day.month - 1 + period.count * MONTHS_OF[period.unit]
    year, month = divmod(months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


@given(CALENDAR, INSTANTS, st.integers(-5, 5), st.integers(0, 86_399))
@example(Period(1, Unit.MONTH), datetime(2026, 3, 31, tzinfo=UTC), 0, 86_399)
@example(Period(1, Unit.MONTH), datetime(2026, 3, 29, tzinfo=UTC), 0, 0)
@example(Period(12, Unit.MONTH), datetime(2024, 2, 29, tzinfo=UTC), 0, 1)
@example(Period(1, Unit.YEAR), datetime(2025, 3, 1, tzinfo=UTC), -1, 1)
def test_due_means_that_the_last_day_kept_is_over(period: Period, as_of: datetime, days: int, seconds: int) -> None:
    cutoff = period.cutoff(as_of)
    event = cutoff + timedelta(days=days, seconds=seconds)
    over = last_day_kept(event, period) + timedelta(days=1) <= as_of
    assert (event < cutoff) == over


@given(PERIODS, INSTANTS)
def test_a_cutoff_is_before_as_of_by_the_period_at_least(period: Period, as_of: datetime) -> None:
    cutoff = period.cutoff(as_of)
    assert cutoff < as_of
    assert cutoff.tzinfo is UTC


@given(PERIODS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=800)))
def test_time_never_makes_a_due_record_not_due(period: Period, as_of: datetime, later: timedelta) -> None:
    assert period.cutoff(as_of) <= period.cutoff(as_of + later)


@given(st.sampled_from(list(Unit)), st.integers(1, 200), st.integers(0, 50), INSTANTS)
def test_a_longer_period_never_has_a_later_cutoff(unit: Unit, count: int, more: int, as_of: datetime) -> None:
    assert Period(count + more, unit).cutoff(as_of) <= Period(count, unit).cutoff(as_of)


@given(CALENDAR, INSTANTS, st.integers(0, 86_399), st.integers(0, 86_399))
def test_a_night_has_one_cutoff_whatever_the_hour(period: Period, as_of: datetime, one: int, two: int) -> None:
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    cutoffs = {period.cutoff(midnight + timedelta(seconds=seconds)) for seconds in (one, two)}
    assert len(cutoffs) == 1
    cutoff = cutoffs.pop()
    assert (cutoff.hour, cutoff.minute, cutoff.second, cutoff.microsecond) == (0, 0, 0, 0)


@given(st.integers(1, 16), INSTANTS)
def test_twelve_months_are_a_year(years: int, as_of: datetime) -> None:
    assert Period(12 * years, Unit.MONTH).cutoff(as_of) == Period(years, Unit.YEAR).cutoff(as_of)


@pytest.mark.parametrize(
    ("period", "as_of", "cutoff"),
    [
        ("30 days", "2026-03-31T04:00", "2026-03-01T00:00"),
        ("1 day", "2026-03-01T00:00", "2026-02-28T00:00"),
        ("1 month", "2026-03-28T04:00", "2026-02-28T00:00"),
        ("1 month", "2026-03-29T04:00", "2026-03-01T00:00"),  # 28 February was kept through 28 March
        ("1 month", "2026-03-31T23:59", "2026-03-01T00:00"),
        ("1 month", "2026-04-01T00:00", "2026-03-01T00:00"),
        ("1 month", "2026-04-30T00:00", "2026-03-30T00:00"),
        ("1 month", "2026-05-01T00:00", "2026-04-01T00:00"),  # 30 and 31 March were kept through 30 April
        ("1 month", "2024-03-30T00:00", "2024-03-01T00:00"),
        ("12 months", "2025-02-28T00:00", "2024-02-28T00:00"),
        ("12 months", "2025-03-01T00:00", "2024-03-01T00:00"),  # 29 February 2024 was kept through 28 February 2025
        ("1 year", "2024-02-29T12:00", "2023-03-01T00:00"),
        ("36 months", "2026-11-22T03:00", "2023-11-22T00:00"),
        ("2 weeks", "2026-01-05T01:00", "2025-12-22T00:00"),
        ("24 hours", "2026-01-01T03:30", "2025-12-31T03:30"),
    ],
)
def test_vectors(period: str, as_of: str, cutoff: str) -> None:
    at = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    assert Period.parse(period).cutoff(at) == datetime.fromisoformat(cutoff).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=1)), ZoneInfo("Europe/Paris"), None])
def test_an_instant_that_is_not_utc_is_an_error(zone: timezone | ZoneInfo | None) -> None:
    with pytest.raises(ValueError, match="must be in UTC"):
        Period(1, Unit.DAY).cutoff(datetime(2026, 1, 1, tzinfo=zone))


def test_a_zone_with_summer_time_shifts_nothing() -> None:
    winter = datetime(2026, 1, 15, tzinfo=ZoneInfo("Europe/London"))
    assert Period(6, Unit.MONTH).cutoff(winter) == datetime(2025, 7, 15, tzinfo=UTC)


@given(PERIODS.filter(lambda period: period.count <= 100))
def test_what_is_written_can_be_read(period: Period) -> None:
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    "text",
    ["", "30", "days", "0 days", "-1 day", "030 days", "1.5 years", "30days", "30  days", " 30 days", "30 days ",
     "30 days\n", "30 Days", "٣٠ days", "1 fortnight", "12345 days"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_accepted_form(text: str) -> None:
    with pytest.raises(ValueError, match="a number and a unit, as in '36 months'"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["101 years", "9999 months", "9999 weeks"])
def test_a_period_beyond_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 100 years"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("24 hours", 86_400), ("30 days", 2_592_000), ("36 months", 96_422_400), ("1 year", 31_622_400)],
)
def test_seconds_for_stores_that_count_them(text: str, seconds: int) -> None:
    assert Period.parse(text).seconds == seconds

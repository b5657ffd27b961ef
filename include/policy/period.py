"""Retention periods and the cut-off they give: calendar arithmetic in UTC, end-exclusive.

The day of the trigger event is not counted (Regulation (EEC, Euratom) 1182/71, article 3): what happened at any time on
day D with a period of 30 days is kept through the whole of day D + 30 and is due from the following midnight.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dateutil.relativedelta import relativedelta

_TEXT = re.compile(r"(?P<count>[1-9][0-9]{0,3}) (?P<unit>hour|day|week|month|year)s?")
_LONGEST_YEARS = 100


class Unit(StrEnum):
    """Units of a period. Months and years are calendar ones; hours are exact."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, order=False)
class Period:
    """A length of time as a policy writes it, e.g. ``36 months``."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``"36 months"``, ``"30 days"``, ``"24 hours"``.

        Raises:
            ValueError: with a sentence that names the accepted form.
        """
        match = _TEXT.fullmatch(text)
        if not match:
            raise ValueError("a period is a number and a unit, as in '36 months', '30 days' or '24 hours'")
        period = cls(int(match["count"]), Unit(match["unit"]))
        if period.seconds > cls(_LONGEST_YEARS, Unit.YEAR).seconds:
            raise ValueError(f"a period is at most {_LONGEST_YEARS} years")
        return period

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def cutoff(self, as_of: datetime) -> datetime:
        """The instant before which an event is old enough on the night of ``as_of`` (exclusive, UTC).

        Raises:
            ValueError: ``as_of`` is not in UTC.
        """
        if as_of.utcoffset() != timedelta(0):
            raise ValueError("as_of must be in UTC")
        as_of = as_of.astimezone(UTC)  # a zone with summer time can have offset 0 in winter
        if self.unit is Unit.HOUR:
            return as_of - timedelta(hours=self.count)
        midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
        length = self._calendar()
        start = midnight - length
        # A month too short for the day of as_of clamps backwards: 29, 30 and 31 March all lead to 28 February, whose
        # own month has ended by then. Only a day whose period ends today or later is kept.
        return start + timedelta(days=1) if start + length < midnight else start

    def _calendar(self) -> relativedelta:
        return relativedelta(
            days=self.count if self.unit is Unit.DAY else 0,
            weeks=self.count if self.unit is Unit.WEEK else 0,
            months=self.count if self.unit is Unit.MONTH else 0,
            years=self.count if self.unit is Unit.YEAR else 0,
        )

    @property
    def seconds(self) -> int:
        """Length in seconds for stores' own expiry, never too short: months count 31 days, years 366."""
        per_unit = {Unit.HOUR: 3600, Unit.DAY: 86400, Unit.WEEK: 604800, Unit.MONTH: 2678400, Unit.YEAR: 31622400}
        return self.count * per_unit[self.unit]

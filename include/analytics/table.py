"""A table of a release specification: its cells, its figures, its bounds and its price."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import prod
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints

from include.policy.register import Model, Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


def _decimal(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("a fraction is written in quotes, as in '0.015' or '1e-7'")
    try:
        return Decimal(value).normalize()
    except InvalidOperation:
        raise ValueError("a fraction is written in quotes, as in '0.015' or '1e-7'") from None


Fraction = Annotated[
    Decimal,
    Field(gt=0, le=10),
    BeforeValidator(_decimal),
    PlainSerializer(str, return_type=str),
]
"""An exact decimal number, so that budgets add up to the digit."""


class Cadence(StrEnum):
    """How often a table is released. Days, ISO weeks and calendar months in UTC, end-exclusive."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    def start(self, day: date) -> date:
        """First day of the period that ``day`` lies in."""
        if self is Cadence.WEEKLY:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Cadence.MONTHLY else day

    def end(self, day: date) -> date:
        """First day after the period that ``day`` lies in."""
        start = self.start(day)
        length = {Cadence.DAILY: 1, Cadence.WEEKLY: 7, Cadence.MONTHLY: 32}[self]
        return self.start(start + timedelta(days=length))


class Spread(StrEnum):
    """How users are spread over the keys of a dimension, as far as is publicly known."""

    EVEN = "even"
    ZIPF = "zipf"


class Dimension(Model):
    """A column whose values are the keys of a table."""

    column: Text = Field(description="a column of the source")
    keys: tuple[Text, ...] | None = Field(
        None, min_length=1, description="the public list of keys, each of which is published; leave out if unknown"
    )
    other: Text | None = Field(None, description="the key that takes every other value; without it such events drop")
    expected_keys: Count | None = Field(None, description="how many keys there may be if they are unknown; forecast")
    spread: Annotated[Spread, Field(strict=False)] = Field(Spread.ZIPF, description="'even' or 'zipf'; forecast")

    @property
    def listed(self) -> tuple[str, ...] | None:
        """All keys that can appear, sorted, or None if they are unknown."""
        if self.keys is None:
            return None
        return tuple(sorted({*self.keys, *((self.other,) if self.other else ())}))


class MeasureKind(StrEnum):
    """What is counted in a cell."""

    USERS = "users"
    EVENTS = "events"
    SUM = "sum"


class Measure(Model):
    """A figure of each cell."""

    kind: Annotated[MeasureKind, Field(strict=False)] = Field(description="one of 'users', 'events', 'sum'")
    column: Text | None = Field(None, description="the integer column to add up, for 'sum'")
    cap: Count | None = Field(None, description="most that one person adds to one cell, for 'events' and 'sum'")
    weight: Count = Field(1, description="its part of the table's rho, relative to the other measures")

    @property
    def name(self) -> str:
        """Name of its column in the release."""
        return f"{self.column}_sum" if self.kind is MeasureKind.SUM else self.kind.value

    @property
    def margin(self) -> str:
        """Name of the column with its 95 % margin of error."""
        return f"{self.name}_margin"

    @property
    def bound(self) -> int:
        """Most that one person adds to one cell."""
        return self.cap or 1


class Table(Model):
    """A table that is released once for each period."""

    id: Name = Field(description="name of the table, of its files and of its asset")
    title: Text = Field(description="what it shows, as a headline")
    source: Name = Field(description="name of an entry of 'sources'")
    period: Annotated[Cadence, Field(strict=False)] = Field(description="one of 'daily', 'weekly', 'monthly'")
    dimensions: tuple[Dimension, ...] = Field((), description="a list of columns with their keys; none for a total")
    measures: tuple[Measure, ...] = Field(min_length=1, description="a list that holds one of the kind 'users'")
    max_groups: Count = Field(1, description="most cells that one person counts in, drawn at random")
    typical_groups: Count = Field(1, description="cells that a usual person counts in, publicly known; forecast")
    rho: Fraction | None = Field(None, description="zero-concentrated budget of one release, such as '0.01'")
    delta: Fraction | None = Field(None, description="chance to show a key of one person, for unknown keys: '1e-8'")
    minimum_count: Annotated[int, Field(ge=2)] = Field(20, description="fewest users of a published cell, at least 20")
    internal: bool = Field(False, description="true for exact figures that stay inside the company")

    @property
    def name_columns(self) -> tuple[str, ...]:
        """Columns of the dimensions, in the order of the file."""
        return tuple(dimension.column for dimension in self.dimensions)

    @property
    def unknown_keys(self) -> bool:
        """Whether which cells exist is itself a secret, so that a threshold has to choose them."""
        return any(dimension.keys is None for dimension in self.dimensions)

    @property
    def public_cells(self) -> int:
        """Number of cells if all keys are listed.

        Raises:
            ValueError: a dimension's keys are unknown.
        """
        if self.unknown_keys:
            raise ValueError(f"the keys of '{self.id}' are unknown")
        return prod(len(dimension.listed or ()) for dimension in self.dimensions)

    def rho_of(self, measure: Measure) -> Decimal:
        """The part of the table's rho that a measure spends, rounded down at the 30th digit.

        Raises:
            ValueError: the table is internal and has no budget.
        """
        if self.rho is None:
            raise ValueError(f"'{self.id}' has no budget")
        total = sum(one.weight for one in self.measures)
        return (self.rho * measure.weight / total).quantize(Decimal("1e-20"), rounding="ROUND_DOWN")

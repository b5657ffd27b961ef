"""What would be publishable at the company's size, before anything is spent.

Computed from public figures alone: the number of users, their active share, the keys and the budget, all written in the
specification by a person. No event is read, so a forecast costs nothing and can be repeated at will.

Users of a cell are expected at ``active users x typical groups x share of the cell``; shares are even or fall as one
over the rank (Zipf), those of several dimensions are multiplied. Of more than ``LARGEST`` cells the shares are those of
one dimension with as many keys. The error of a cell is the median of the noise over the expected users.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from statistics import median

from include.analytics import accounting
from include.analytics.spec import Dimension, MeasureKind, Specification, Spread, Table

LARGEST = 20_000
_MEDIAN = 0.6745
"""Median of the size of a normal deviate, in standard deviations."""
_HALF = 50


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of one release of a table.

    Args:
        table: its id.
        active: users of the period.
        cells: cells that exist.
        published: cells expected to be shown.
        sigma: scale of the noise on users; 0 for an internal table.
        threshold: number of users above which an unknown key shows; None if the keys are public.
        error_percent: median relative error of the users of the published cells; None if there are none.
        sensible: at least half of the cells are shown, with an error within the company's limit.
        sentence: the same for people.
    """

    table: str
    active: int
    cells: int
    published: float
    sigma: float
    threshold: int | None
    error_percent: float | None
    sensible: bool
    sentence: str


def forecast(specification: Specification) -> list[Outlook]:
    """The outlook of each table, in the order of the specification."""
    return [_outlook(specification, table) for table in specification.tables]


def _outlook(specification: Specification, table: Table) -> Outlook:
    company = specification.company
    active = company.users * company.active_percent.of(table.period) // 100
    expected = [min(active, active * table.typical_groups * share) for share in _shares(table.dimensions)]
    sigma, threshold = _noise(table)
    needed = max(table.minimum_count, threshold or 0)
    chances = [_chance(users, needed, sigma) for users in expected]
    errors = [
        100 * _MEDIAN * sigma / users
        for users, chance in zip(expected, chances, strict=True)
        if chance >= 0.5 and users > 0
    ]
    error = median(errors) if errors else None
    published = math.fsum(chances)
    shown_percent = 100 * published / len(expected)
    sensible = error is not None and error <= company.worst_error_percent and shown_percent >= _HALF
    return Outlook(
        table=table.id,
        active=active,
        cells=len(expected),
        published=published,
        sigma=sigma,
        threshold=threshold,
        error_percent=error,
        sensible=sensible,
        sentence=_sentence(table, median(expected), needed, shown_percent, error),
    )


def _shares(dimensions: Sequence[Dimension]) -> list[float]:
    each = [(len(one.listed or ()) or one.expected_keys or 1, one.spread) for one in dimensions]
    cells = reduce(lambda whole, one: whole * one[0], each, 1)
    if cells > LARGEST:
        return _spread(min(cells, LARGEST), Spread.ZIPF)
    return [math.prod(shares) for shares in product(*(_spread(keys, spread) for keys, spread in each))]


def _spread(keys: int, spread: Spread) -> list[float]:
    weights = [1.0 if spread is Spread.EVEN else 1 / rank for rank in range(1, keys + 1)]
    return [weight / math.fsum(weights) for weight in weights]


def _noise(table: Table) -> tuple[float, int | None]:
    if table.rho is None:
        return 0.0, None
    users = next((one for one in table.measures if one.kind is MeasureKind.USERS), table.measures[0])
    sigma = accounting.sigma(table.max_groups, 1, table.rho_of(users))
    if not table.unknown_keys or table.delta is None:
        return sigma, None
    return sigma, accounting.threshold(sigma, table.delta, table.max_groups)


def _chance(users: float, needed: int, sigma: float) -> float:
    """Chance that a cell of so many users is shown: who comes is chance too, as in a Poisson process."""
    spread = math.sqrt(sigma**2 + max(users, 1.0))
    return 0.5 * math.erfc((needed - 0.5 - users) / (spread * math.sqrt(2)))


def _sentence(table: Table, users: float, needed: int, shown_percent: float, error: float | None) -> str:
    cells = f"a middling cell has {users:.0f} users in a {_PERIODS[table.period]} and {needed} are needed"
    shown = f"{shown_percent:.0f} % of the cells would be shown"
    return f"{cells}; {shown}" + (f", with a median error of {error:.0f} %" if error is not None else "")


_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}

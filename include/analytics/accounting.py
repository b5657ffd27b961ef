"""The arithmetic of the budget: zero-concentrated differential privacy, pure and without data.

Sources: Bun and Steinke 2016 (zCDP); Canonne, Kamath and Steinke 2020 (the discrete Gaussian and the conversion to
epsilon, proposition 12); Rogers 2023 (keys chosen by a threshold).

A release protects all that one person did within its period: a user-day of a daily table, a user-week, a user-month.
Seen from a month, a week that reaches into the next one is cut: the person's part changes instead of vanishing, which
touches up to twice as many cells and costs twice the rho (the squared distance doubles). Delta does not double: keys
that only the one or only the other version of the person holds are covered by one delta each, on their own side.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from include.analytics.spec import Cadence, Table

_MOST = {Cadence.DAILY: 31, Cadence.WEEKLY: 4 + 2 * 2, Cadence.MONTHLY: 1}
"""Rho of a month in releases: 31 days, or four whole weeks and two cut ones, or the month."""
_MOST_RELEASES = {Cadence.DAILY: 31, Cadence.WEEKLY: 6, Cadence.MONTHLY: 1}
_ROUNDING = 1 + 1e-12


@dataclass(frozen=True, slots=True)
class Cost:
    """What a release costs a protected person: ``delta``-approximate ``rho``-zCDP, exact decimals."""

    rho: Decimal
    delta: Decimal

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.rho + other.rho, self.delta + other.delta)


NOTHING = Cost(Decimal(0), Decimal(0))


def cost(table: Table) -> Cost:
    """What one release of a table costs a person for the whole of its period; nothing for an internal table."""
    return Cost(table.rho or Decimal(0), table.delta or Decimal(0))


def debits(table: Table, start: date) -> Mapping[date, Cost]:
    """What the release of the period that begins at ``start`` takes from each calendar month's account.

    Returns:
        By the first day of the month. A week within two months is charged to both, with twice its rho.
    """
    price = cost(table)
    last = table.period.end(start) - timedelta(days=1)
    months = {start.replace(day=1), last.replace(day=1)}
    rho = price.rho * len(months)
    return dict.fromkeys(sorted(months), Cost(rho, price.delta))


def month(tables: Iterable[Table]) -> Cost:
    """The most that all releases of any calendar month can cost a person together: what a cap has to allow."""
    total = NOTHING
    for table in tables:
        price = cost(table)
        total += Cost(price.rho * _MOST[table.period], price.delta * _MOST_RELEASES[table.period])
    return total


def day(tables: Iterable[Table]) -> Cost:
    """What all releases that one day can enter cost that day of a person: it is a part of its week and of its month."""
    total = NOTHING
    for table in tables:
        price = cost(table)
        total += Cost(price.rho * (1 if table.period is Cadence.DAILY else 2), price.delta)
    return total


def epsilon(rho: Decimal | float, delta: Decimal | float) -> float:
    """The epsilon at ``delta`` that ``rho``-zCDP implies, by the conversion of Canonne, Kamath and Steinke.

    Every order ``alpha`` gives a valid epsilon; the best of a fine grid is within a thousandth of the lowest.

    Raises:
        ValueError: ``rho`` is negative or ``delta`` is not between 0 and 1.
    """
    rho, delta = float(rho), float(delta)
    if rho < 0 or not 0 < delta < 1:
        raise ValueError("rho is at least 0, delta lies between 0 and 1")
    if rho == 0:
        return 0.0
    orders = (1 + math.exp(step / 100) for step in range(-1000, 2000))
    return max(0.0, min(rho * a - math.log(delta * a) / (a - 1) + math.log1p(-1 / a) for a in orders))


def sigma(max_groups: int, bound: int, rho: Decimal) -> float:
    """Scale of the noise for figures of which a person changes ``max_groups``, each by at most ``bound``: in units.

    A little above the exact root, so that the library's map, which rounds up at each step, still finds rho kept.
    """
    return distance(max_groups, bound) / math.sqrt(2 * float(rho)) * _ROUNDING


def distance(max_groups: int, bound: int) -> float:
    """The L2 distance by which one person moves the figures, never too small."""
    return math.nextafter(math.sqrt(max_groups) * bound, math.inf)


def threshold(scale: float, delta: Decimal, max_groups: int) -> int:
    """Smallest threshold at which the keys that one person alone holds show with probability ``delta`` at most.

    A key of one person has the true count 1 and shows if ``1 + noise >= threshold``.
    """

    def kept(lowest: int) -> bool:
        return -math.expm1(max_groups * math.log1p(-tail(scale, lowest - 1))) <= float(delta)

    candidates = range(2, math.ceil(40 * scale) + 3)
    return candidates[bisect_left(candidates, True, key=kept)]


def tail(scale: float, least: int) -> float:
    """Probability that the discrete Gaussian of that scale is ``least`` or more; ``least`` is at least 1."""
    reach = max(least, math.ceil(12 * scale)) + math.ceil(12 * scale) + 1
    above = math.fsum(math.exp(-((k / scale) ** 2) / 2) for k in range(least, reach))
    below = math.fsum(math.exp(-((k / scale) ** 2) / 2) for k in range(1, least))
    return above / (1 + below + above + below + above)


def margin(scale: float) -> int:
    """Half the width of the interval that holds 95 % of the noise, rounded up."""
    return math.ceil(1.959964 * scale)

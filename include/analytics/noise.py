"""Noise and the choice of keys, by OpenDP's mechanisms on integers; nothing here is ever seeded.

Only the library's measurements are used, each with its own proof: not its data-frame layer, whose sensitivity forgets a
redefined column (opendp#2949), nor its odometer, which aborts the process. What each call spends is asked of the
library's privacy map and compared with the budget before a figure is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import opendp.prelude as dp

from include.analytics import accounting
from include.errors import Refused

dp.enable_features("contrib")


class Gaussian:
    """Discrete Gaussian noise on a vector of integers, of which a person moves ``max_groups`` by ``bound`` at most.

    Attributes:
        sigma: scale of the noise, the smallest that the budget allows.

    Raises:
        Refused: the library says that the noise costs more than ``rho``.
    """

    def __init__(self, max_groups: int, bound: int, rho: Decimal) -> None:
        self.sigma = accounting.sigma(max_groups, bound, rho)
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
        self._measurement: Any = dp.m.make_gaussian(*space, scale=self.sigma)
        _within(self._measurement.map(accounting.distance(max_groups, bound)), rho, "rho")

    def add(self, figures: Sequence[int]) -> list[int]:
        """Fresh noise on each figure."""
        return list(self._measurement(list(figures))) if figures else []


class Choice:
    """Noise on numbers of users, and the keys whose noisy number reaches a threshold; the others are never named.

    The library states too small a delta for a threshold (opendp#2922): at scale 1 and threshold 4 it says 0.0013, the
    tail of the continuous Gaussian, where the discrete one gives 0.0046. So delta is kept twice: by the exact tail, and
    by what the library says of the next lower threshold. The second costs at most a step of one.

    Attributes:
        sigma: scale of the noise, the smallest that the budget allows.
        threshold: smallest noisy number that shows a key.

    Raises:
        Refused: the library says that the choice costs more than ``rho`` and ``delta``.
    """

    def __init__(self, max_groups: int, rho: Decimal, delta: Decimal) -> None:
        self.sigma = accounting.sigma(max_groups, 1, rho)
        self.threshold = accounting.threshold(self.sigma, delta, max_groups)
        moved = (max_groups, accounting.distance(max_groups, 1), 1.0)
        while Decimal(self._with(self.threshold - 1).map(moved)[1]) > delta:
            self.threshold += 1
        spent = self._with(self.threshold - 1).map(moved)
        _within(spent[0], rho, "rho")
        _within(spent[1], delta, "delta")
        self._measurement = self._with(self.threshold)

    def choose(self, users: Sequence[int]) -> dict[int, int]:
        """Positions of the chosen keys with their noisy numbers, in order of position."""
        chosen: dict[int, int] = self._measurement(dict(enumerate(users))) if users else {}
        return dict(sorted(chosen.items()))

    def _with(self, threshold: int) -> Any:
        counts = dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64"))
        metric = dp.l02inf_distance(dp.absolute_distance(T="f64"))
        return dp.m.make_gaussian_threshold(counts, metric, scale=self.sigma, threshold=threshold)


def _within(spent: float, budget: Decimal, what: str) -> None:
    if Decimal(spent) > budget:
        raise Refused("analytics", f"stay within a {what} of {budget}", "Nothing was drawn. Report it: it is a defect.")

"""The gauge of the privacy budget: what a month has cost one person so far, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil

from include.analytics.accounting import Cost, epsilon
from include.analytics.releases import Releases
from include.analytics.spec import Specification


@dataclass(frozen=True, slots=True)
class Gauge:
    """One calendar month.

    Args:
        month: its first day.
        spent: debited by all releases.
        cap: most that may be.
        epsilon: that the spent rho implies at the specification's ``epsilon_delta``.
    """

    month: date
    spent: Cost
    cap: Cost
    epsilon: float

    @property
    def percent(self) -> int:
        """Used of the cap, of rho or delta, whichever is more; rounded up."""
        shares = (self.spent.rho / self.cap.rho, self.spent.delta / self.cap.delta)
        return ceil(max(shares) * 100)

    def __str__(self) -> str:
        return (
            f"{self.month:%Y-%m}: {self.percent} % used; rho {self.spent.rho:f} of {self.cap.rho:f}, "
            f"delta {self.spent.delta} of {self.cap.delta}, epsilon {self.epsilon:.2f}"
        )


def gauge(releases: Releases, specification: Specification, month: date) -> Gauge:
    """Read the account of the month that begins on that day.

    Raises:
        Unavailable: the ledger's database did not answer.
    """
    caps = specification.budget
    spent = releases.spent([month])[month]
    return Gauge(month, spent, Cost(caps.rho_month, caps.delta_month), epsilon(spent.rho, caps.epsilon_delta))

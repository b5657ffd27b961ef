"""A privacy audit that sees nothing but what is published: does the claimed budget hold on neighbouring inputs?

Many toy companies are counted in one release. Each has its own people and its own cells, so each is a run of its own.
In the one input every company has a person more than in the other. The first runs choose an event and a direction, the
others bound its two probabilities by Clopper and Pearson, at 99 % together. It is a violation if they contradict

    P(event | one) <= exp(epsilon) * P(event | other) + delta

for any delta, with the epsilon that the claimed rho gives at it (Ding et al. 2018, Gilbert and McMillan 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from scipy import stats

from include.analytics import accounting
from include.analytics.accounting import Cost

Seen: TypeAlias = tuple[float, ...]
"""What one company's cells show in one run; nan for a cell that is absent or suppressed."""
Publish: TypeAlias = Callable[[], Sequence[Seen]]
"""One release: what each company shows, in the same order each time."""
_CONFIDENCE = 0.99
_DELTAS = [10.0**-exponent for exponent in range(1, 7)] + [0.03, 0.2, 0.3]


@dataclass(frozen=True)
class Event:
    """A set of outcomes, given by a score and a bar, in one input or the other."""

    name: str
    score: Callable[[Seen, Seen], float]
    bar: float
    swapped: bool

    def count(self, runs: Sequence[Sequence[Seen]], reference: Sequence[Seen]) -> int:
        return sum(
            self.score(seen, known) >= self.bar for run in runs for seen, known in zip(run, reference, strict=True)
        )


_SCORES: dict[str, Callable[[Seen, Seen], float]] = {
    "more in all cells": lambda seen, _: sum(value for value in seen if not math.isnan(value)),
    "less in all cells": lambda seen, _: -sum(value for value in seen if not math.isnan(value)),
    "a cell is there": lambda seen, _: -sum(math.isnan(value) for value in seen),
    "the same figures again": lambda seen, known: float(repr(seen) == repr(known)),
}


def violation(one: Publish, other: Publish, claimed: Cost, releases: int) -> str | None:
    """The event that breaks the claim, with its bounds, or None if none was found.

    Args:
        one: publishes the input with the person more.
        other: publishes the input without.
        claimed: what the release is said to cost that person.
        releases: of each input; the first third chooses the event.
    """
    reference = one()
    inputs = [[one() for _ in range(releases)], [other() for _ in range(releases)]]
    first = max(1, releases // 3)
    training = [runs[:first] for runs in inputs]
    event = max(_events(training, reference), key=lambda candidate: _excess(candidate, training, reference, claimed))
    tested = [runs[first:] for runs in inputs]
    excess = _excess(event, tested, reference, claimed)
    return f"{event.name} (at {event.bar:g}): probability too large by {excess:.3g}" if excess > 0 else None


def _events(training: Sequence[Sequence[Sequence[Seen]]], reference: Sequence[Seen]) -> Iterator[Event]:
    for name, score in _SCORES.items():
        scores = [
            score(seen, known) for runs in training for run in runs for seen, known in zip(run, reference, strict=True)
        ]
        for bar in sorted({sorted(scores)[len(scores) * share // 24] for share in range(1, 24)}):
            yield Event(name, score, bar, swapped=False)
            yield Event(name, score, bar, swapped=True)


def _excess(
    event: Event, inputs: Sequence[Sequence[Sequence[Seen]]], reference: Sequence[Seen], claimed: Cost
) -> float:
    """By how much the lower bound of the one probability is above all that the other and the claim allow."""
    counts = [event.count(runs, reference) for runs in inputs]
    sizes = [sum(len(run) for run in runs) for runs in inputs]
    likely, unlikely = (1, 0) if event.swapped else (0, 1)
    least = _bound(counts[likely], sizes[likely], lower=True)
    most = _bound(counts[unlikely], sizes[unlikely], lower=False)
    return max(
        least - math.exp(accounting.epsilon(claimed.rho, delta)) * most - delta - float(claimed.delta)
        for delta in _DELTAS
    )


def _bound(count: int, size: int, *, lower: bool) -> float:
    """Clopper and Pearson, one-sided; both sides together hold with the confidence of the audit."""
    risk = (1 - _CONFIDENCE) / 2
    if lower:
        return float(stats.beta.ppf(risk, count, size - count + 1)) if count else 0.0
    return float(stats.beta.ppf(1 - risk, count + 1, size - count)) if count < size else 1.0

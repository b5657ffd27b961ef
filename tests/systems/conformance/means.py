"""The engine's side for the tests of systems: a clock that stands still, limits in memory, persons of a request."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import Means

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class MemoryBudgets:
    """What the vault's database keeps, for one process. ``paced`` counts the calls by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: Counter[tuple[str, int]] = Counter()
        self.paced: Counter[str] = Counter()

    def take(self, name: str, amount: int, limit: int, window: timedelta) -> int:
        granted = min(amount, self.left(name, limit, window))
        self._used[name, self._window(window)] += granted
        return granted

    def left(self, name: str, limit: int, window: timedelta) -> int:
        return max(0, limit - self._used[name, self._window(window)])

    @contextmanager
    def pace(self, name: str, per_second: float) -> Iterator[None]:
        assert per_second > 0
        self.paced[name] += 1
        yield

    def _window(self, window: timedelta) -> int:
        return (self._clock() - EPOCH) // window


def means_at(clock: Clock, **more: Any) -> Means:
    return Means(clock=clock, budgets=MemoryBudgets(clock), **more)


@dataclass(frozen=True)
class Somebody:
    """A person of the company: a request's reference and what the person is known by."""

    number: int
    known: Mapping[IdentifierKind, Sequence[str]] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return "req_" + "".join("abcdefghijklmnop"[int(digit, 16)] for digit in f"{self.number:016x}")

    def values(self, *kinds: IdentifierKind) -> list[str]:
        return [value for kind in kinds for value in self.known.get(kind, ())]

    def subject(self, request: RequestType = RequestType.ERASURE) -> Subject:
        known = tuple(Identifier(kind, value) for kind, values in self.known.items() for value in values)
        return Subject(self.ref, request, known)

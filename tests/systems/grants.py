"""What the tests of providers of grants share: a twin by itself, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.oauth import CLIENT
from include.systems import registry
from tests.recorded import Recorded, recorded
from tests.systems.conformance.means import Clock, MemoryBudgets, means_at


@dataclass
class Provider:
    """A twin on loopback, the clock of both sides, and the faults of the twin."""

    key: str
    twin: Any
    clock: Clock
    faults: Faults
    wire: Recorded
    budgets: MemoryBudgets

    def connection(self, **extra: Any) -> Connection:
        extra = {"calls_per_second": 1000, **extra}
        return Connection(self.key, host=self.wire.url, login=CLIENT[0], password=CLIENT[1], extra=extra)

    @contextmanager
    def system(self, connection: Connection | None = None, **extra: Any) -> Iterator[Any]:
        means = replace(means_at(self.clock), budgets=self.budgets)
        system = registry.connect_erasing(connection or self.connection(**extra), means)
        try:
            yield system
        finally:
            system.close()

    def left(self) -> set[str]:
        """Collections that hold something."""
        return {collection for collection, _ in self.twin.records()}


@contextmanager
def provider(key: str, build: Any) -> Iterator[Provider]:
    clock, faults = Clock(), Faults()
    twin = build(faults, Journal(), clock)
    with recorded(twin.app) as wire:
        yield Provider(key, twin, clock, faults, wire, MemoryBudgets(clock))

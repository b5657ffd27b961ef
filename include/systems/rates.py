"""How fast a service may be called: the vendor's limit, or what the connection says instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from include.connection import Connection
from include.systems.erasing import Budgets

Pace = Callable[[], AbstractContextManager[None]]
"""As ``Http`` takes it: entered around each try of a call."""


def shared(connection: Connection, budgets: Budgets, default: float, name: str = "calls_per_second") -> Pace:
    """A pace that all tasks of the deployment keep together.

    Raises:
        Refused: the extra has no number above 0.
    """
    return partial(budgets.pace, f"{connection.id}/{name}", connection.positive(name, default))


def alone(
    connection: Connection,
    default: float,
    name: str = "calls_per_second",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Pace:
    """A pace of this process, for the nightly run, of which one task at a time is in a system.

    Raises:
        Refused: the extra has no number above 0.
    """
    gap, free_at = 1.0 / connection.positive(name, default), clock()

    @contextmanager
    def turn() -> Iterator[None]:
        nonlocal free_at
        wait = free_at - clock()
        if wait > 0:
            sleep(wait)
        free_at = max(free_at, clock()) + gap
        yield

    return turn

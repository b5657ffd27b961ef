"""How many calls a vendor takes in a second, and an even rate in one process.

The rate of a process is for the retention run, which the deployment's shared limits do not reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from include.connection import Connection
from include.errors import Refused


def calls_per_second(connection: Connection, documented: float) -> float:
    """The extra ``calls_per_second`` of a connection, else what the vendor documents.

    Raises:
        Refused: it is no positive number.
    """
    value = connection.extra.get("calls_per_second", documented)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise Refused(connection.id, "read 'calls_per_second' of its connection", "Give a number above 0.")
    return float(value)


class Steady:
    """Lets calls through at a steady rate; used as the ``pace`` of an ``Http``.

    Args:
        per_second: calls in a second.
        clock: a monotonic clock, seconds.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait until the next call may go out."""
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._gap
        yield

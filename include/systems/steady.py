"""An even rate of calls in one process, where the deployment's shared limits are out of reach: the retention run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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

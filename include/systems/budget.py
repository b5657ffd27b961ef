"""Limits of vendors that all tasks of the deployment share, kept in two tables of the vault's database.

    vendor_budget(name, window_start, spent)   what was taken in each fixed window; never more than the limit
    vendor_pace(name, next_at)                 the next free turn of a call

Both fail closed: where the database does not answer, nothing may be sent. What was taken and not used, because a
process died, stays taken: a limit is kept at the price of a few unused calls, never the other way round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOCK = """
INSERT INTO vendor_budget (name, window_start, spent) VALUES (:name, :start, 0)
ON CONFLICT (name, window_start) DO UPDATE SET spent = vendor_budget.spent
RETURNING spent
"""
_SPEND = "UPDATE vendor_budget SET spent = spent + :granted WHERE name = :name AND window_start = :start"
_SPENT = "SELECT spent FROM vendor_budget WHERE name = :name AND window_start = :start"
_TURN = """
INSERT INTO vendor_pace (name, next_at) VALUES (:name, clock_timestamp() + :step)
ON CONFLICT (name) DO UPDATE SET next_at = greatest(vendor_pace.next_at, clock_timestamp()) + :step
RETURNING extract(epoch FROM next_at - :step - clock_timestamp())
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedBudgets:
    """``Budgets`` over PostgreSQL.

    Args:
        engine: of the vault's database.
        clock: the present, UTC; says which window it is. Turns go by the database's own clock.
        sleep: waits for seconds; injected by tests.
    """

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._sleep = sleep

    def take(self, name: str, amount: int, limit: int, window: timedelta) -> int:
        """Take up to ``amount`` of ``limit`` per fixed ``window`` (aligned to 1970, UTC). Returns what was granted.

        The first statement locks the window's row, so that takers come one after the other.

        Raises:
            Unavailable: the database did not answer; nothing may be sent.
        """
        from sqlalchemy import text

        key = {"name": name, "start": self._start(window)}
        with self._transaction("take from a shared budget") as connection:
            spent = connection.execute(text(_LOCK), key).scalar_one()
            granted = max(0, min(amount, limit - spent))
            if granted:
                connection.execute(text(_SPEND), {**key, "granted": granted})
        return int(granted)

    def left(self, name: str, limit: int, window: timedelta) -> int:
        """What is left of the current window.

        Raises:
            Unavailable: the database did not answer.
        """
        from sqlalchemy import text

        with self._transaction("read a shared budget") as connection:
            spent = connection.execute(text(_SPENT), {"name": name, "start": self._start(window)}).scalar()
        return max(0, limit - (spent or 0))

    @contextmanager
    def pace(self, name: str, per_second: float) -> Iterator[None]:
        """Wait for one's turn so that all tasks together keep ``per_second`` calls, evenly spaced.

        Raises:
            Unavailable: the database did not answer; nothing may be sent.
        """
        from sqlalchemy import text

        with self._transaction("wait for a turn to call") as connection:
            step = timedelta(seconds=1 / per_second)
            wait = float(connection.execute(text(_TURN), {"name": name, "step": step}).scalar_one())
        if wait > 0:
            self._sleep(wait)
        yield

    def _start(self, window: timedelta) -> datetime:
        now = self._clock()
        return now - (now - _EPOCH) % window

    @contextmanager
    def _transaction(self, tried: str) -> Iterator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.begin() as connection:
                yield connection
            return
        except SQLAlchemyError:
            pass
        raise Unavailable("vault", tried, "Run it again; its database did not answer, so that nothing was sent.")

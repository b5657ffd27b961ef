"""How fast a system may be called: the vendor's documented number, unless the connection names another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from include.connection import Connection
from include.errors import Refused
from include.systems.erasing import Means


def paced(connection: Connection, means: Means, per_second: float) -> Callable[[], AbstractContextManager[None]]:
    """What ``Http`` enters around each call, so that all tasks together keep the vendor's limit.

    Args:
        connection: its extra ``calls_per_second`` overrides the number.
        means: brings the shared limits.
        per_second: the limit that the vendor documents.

    Raises:
        Refused: the extra is not a number above 0.
    """
    rate = connection.extra.get("calls_per_second", per_second)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        tried = "read its connection"
        raise Refused(connection.id, tried, "'calls_per_second' in the connection's extra must be above 0.")
    return partial(means.budgets.pace, f"{connection.id}/calls", rate)

"""The ledger from an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from include.connection import Connection
from include.database import url_of
from include.ledger.database import engine_for
from include.ledger.log import Ledger

CONNECTION = "privacy_ledger"
"""Id of the connection with the writer's login."""


def open_ledger(connection: Connection, clock: Callable[[], datetime]) -> Ledger:
    """The ledger behind a connection; the first call to it is made when it is used.

    Raises:
        Refused: the connection lacks something.
    """
    return Ledger(engine_for(url_of(connection)), clock)

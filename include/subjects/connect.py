"""The vault from Airflow connections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from include.connection import Connection
from include.database import url_of
from include.subjects.database import engine_for
from include.subjects.keys import Keyring
from include.subjects.vault import Vault

CONNECTION = "privacy_vault"
"""Id of the connection with the writer's login; that of the master key is ``include.subjects.keys.CONNECTION``."""


def open_vault(database: Connection, keys: Connection, clock: Callable[[], datetime]) -> Vault:
    """The vault behind its two connections; the first call to it is made when it is used.

    Raises:
        Refused: a connection lacks something.
    """
    return Vault(engine_for(url_of(database)), Keyring.from_connection(keys), clock)

"""Builds what a task needs from Airflow's connections, and lets go of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from include.connection import Connection
from include.errors import Refused
from include.ledger.connect import open_ledger
from include.ledger.holds import Holds
from include.ledger.pseudonym import Pseudonymiser
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.retention.desk import Desk
from include.systems import registry
from include.systems.contract import RetentionSystem


def connection(connection_id: str) -> Connection:
    """An Airflow connection as the product's own type.

    Raises:
        Refused: there is none; the message says how to make it.
    """
    found = find_connection(connection_id)
    if found is None:
        raise Refused(
            connection_id,
            "find its connection",
            f"Create the Airflow connection '{connection_id}' (docs/connections.md).",
        )
    return found


def find_connection(connection_id: str) -> Connection | None:
    """The same; None where there is none."""
    try:
        found = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        return None
    return Connection(
        id=connection_id,
        host=found.host,
        port=found.port,
        login=found.login,
        password=found.password,
        schema=found.schema,
        extra=MappingProxyType(dict(found.extra_dejson)),
    )


def skip_unless_connected(key: str, leave_out: Callable[[], None], gap: str) -> None:
    """Go on with a task only where there is a connection. One that is there and wrong is refused when it is used.

    Args:
        key: of the system.
        leave_out: writes down that nobody looks into it; raises where the task can't do without it.
        gap: what that means and where it shows, in a sentence.

    Raises:
        AirflowSkipException: there is none.
    """
    if find_connection(key) is None:
        leave_out()
        raise AirflowSkipException(f"{key} is not connected: {gap}")


def now() -> datetime:
    """The clock that tasks inject."""
    return datetime.now(tz=UTC)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The means of one task.

    Raises:
        Refused: policy or connections are wrong.
        Unavailable: the ledger's database does not answer.
    """
    settings = Settings.read()
    ledger = open_ledger(connection("privacy_ledger"), now)
    try:
        yield Desk(
            policy=load(settings.policy_file),
            ledger=ledger,
            holds=Holds(ledger),
            pseudonyms=Pseudonymiser.from_connection(connection("privacy_pseudonyms")),
            clock=now,
            mode=settings.mode,
        )
    finally:
        ledger.engine.dispose()


@contextmanager
def open_system(key: str) -> Iterator[RetentionSystem]:
    """A store of the policy, closed at the end."""
    system = registry.connect(connection(key))
    try:
        yield system
    finally:
        system.close()

"""One connection tried by itself, without ledger, vault or any other part of an installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.assurance import access
from include.assurance.access import failed
from include.assurance.checks import NO_CONNECTION, NO_MODULE
from include.assurance.evidence import RED, State
from include.connection import Connection
from include.erasure.desk import means_of
from include.errors import PrivacyError, Refused
from include.policy.model import Policy
from include.systems import registry


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of it; ``note`` is a sentence for people."""

    state: State
    note: str

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to mend it."""
        return self.state in RED


class Unlimited:
    """Budgets of a single call, which no other task shares."""

    def take(self, name: str, amount: int, limit: int, window: timedelta) -> int:
        """Everything that was asked for."""
        return min(amount, limit)

    def left(self, name: str, limit: int, window: timedelta) -> int:
        """All of it."""
        return limit

    @contextmanager
    def pace(self, name: str, per_second: float) -> Iterator[None]:
        """No wait."""
        yield


def try_connection(policy: Policy, key: str, connection: Connection | Refused | None, at: datetime) -> Tried:
    """Try the key of one system.

    Args:
        policy: that names the system.
        key: of the system.
        connection: of it; None where there is none, the error where it can't be read.
        at: the present, UTC.
    """
    if connection is None:
        return Tried(State.NOT_CONNECTED, NO_CONNECTION)
    if isinstance(connection, Refused):
        return Tried(State.BROKEN, str(connection))
    if key not in registry.ERASING:
        return Tried(State.CANNOT_ASK, NO_MODULE)
    try:
        system = registry.connect_erasing(connection, means_of(policy, key, Unlimited(), lambda: at))
    except PrivacyError as error:
        return Tried(failed(error), str(error))
    with closing(system):
        seen = access.look(system, at)
    return Tried(seen.state, seen.note)

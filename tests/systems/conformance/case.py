"""What the suite has to know of a system: how to reach it, fill it, look at it from behind and make it fail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from include.connection import Connection
from include.sandbox.faults import Fault, FaultKind, Faults
from include.systems.erasing import Did
from tests.systems.conformance.means import Somebody

State: TypeAlias = Mapping[str, Any]
"""Everything a system holds, record by record, read without the module under test."""


class Case(Protocol):
    """One system. A case is built once for all tests of a session, by ``open``; ``reset`` empties it before each."""

    key: str
    did: Did
    """What an erase does for somebody of whom data is held."""
    again: Did
    """What the next one does, after everything has come true."""

    def open(self) -> AbstractContextManager[None]:
        """Start the service."""

    def reset(self) -> None:
        """Leave it without data and faults."""

    def connection(self) -> Connection:
        """What an operator would write."""

    def means(self) -> Mapping[str, Any]:
        """What the policy says about this system, for ``Means``."""

    def seed(self, person: Somebody) -> None:
        """Put records about somebody: at least one by each kind of identifier that the system knows."""

    def state(self) -> State:
        """Look from behind."""

    def expected(self, before: State, person: Somebody) -> State:
        """What must be there after this person, and nobody else, was erased."""

    def fulfil(self, person: Somebody) -> None:
        """Let time, or a person, do what the receipt promised; for systems that delete at once there is nothing."""

    def fail(self, kind: FaultKind, **more: Any) -> bool:
        """Make the next calls fail; False if the service can't play this."""


@dataclass
class Faulty:
    """What cases of services on loopback have in common."""

    service: str
    faults: Faults = field(default_factory=Faults)

    def fail(self, kind: FaultKind, **more: Any) -> bool:
        if kind is FaultKind.PARTIAL:
            return False
        self.faults.add(Fault(self.service, kind, **more))
        return True

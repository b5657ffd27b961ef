"""What the suite has to know of a system: how to reach it, fill it, look at it from behind and make it fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeAlias

from include.connection import Connection
from include.errors import PrivacyError
from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.systems.erasing import Did
from tests.systems.conformance.means import Somebody

State: TypeAlias = dict[str, Any]
"""Everything that a system holds, record by record, read without the module under test. No time of access in it."""


class Case(ABC):
    """One system. It is built once; ``open`` starts the service, ``reset`` empties it before each test."""

    key: ClassVar[str]
    service: ClassVar[str]
    """Its name in ``Fault``; "" where the service can't play faults."""
    did: ClassVar[Did]
    """What an erase does for somebody of whom data is held."""
    after: ClassVar[Did]
    """What the next erase does, once everything has come true that the first one promised."""
    unplayed: ClassVar[frozenset[FaultKind]] = frozenset({FaultKind.PARTIAL})
    """Faults that mean nothing here: a service without bulk calls has no part of one that fails."""
    throttled: ClassVar[int] = 429
    broken: ClassVar[int] = 500
    over_http: ClassVar[bool] = True
    """Whether it is reached through ``include.systems.http``, whose time-out the suite can shorten."""

    faults: Faults
    journal: Journal

    @abstractmethod
    def open(self) -> AbstractContextManager[Any]:
        """Start the service."""

    @abstractmethod
    def reset(self) -> None:
        """Leave it without data, faults and history."""

    @abstractmethod
    def connection(self) -> Connection:
        """What an operator would write."""

    @abstractmethod
    def seed(self, person: Somebody) -> None:
        """Put records about somebody, some for each kind of identifier that the system knows."""

    @abstractmethod
    def state(self) -> State:
        """Look from behind."""

    @abstractmethod
    def expected(self, before: State, person: Somebody) -> State:
        """What must be there after this person, and nobody else, was erased."""

    @abstractmethod
    def fulfil(self, person: Somebody) -> None:
        """Let time, or somebody's hands, do what the receipt promised. Nothing where it is done at once."""

    def means(self) -> Mapping[str, Any]:
        """What the policy says about this system: further arguments of ``Means``."""
        return {}

    def fail(self, kind: FaultKind, **more: Any) -> None:
        """Plan a fault for all calls that the module makes."""
        self.faults.add(Fault(self.service, kind, **more))

    def unmet(self, error: PrivacyError) -> bool:
        """Whether an error is of this system: it must name it."""
        return error.system != self.key

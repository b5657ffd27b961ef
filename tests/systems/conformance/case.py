"""What the suite has to know of a system: how to fill it, and what its erasure leaves. The rest is the sandbox's."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast

import pytest

from include.connection import Connection
from include.erasure.desk import Desk
from include.policy.loader import load
from include.sandbox.app import Sandbox, connections
from include.sandbox.company import Company as Estate
from include.sandbox.faults import Fault, FaultKind
from include.systems import registry
from include.systems.erasing import Did, Means
from tests.systems.conformance.means import NOW, Clock, MemoryBudgets, Somebody

State: TypeAlias = dict[str, Any]
"""Everything that a system holds, record by record, read without the module under test."""
POLICY = load(Path(__file__).parents[3] / "include" / "policy" / "clique.yaml")


class Case(ABC):
    """One system.

    Args:
        sandbox: the running company.
    """

    key: ClassVar[str]
    service: ClassVar[str]
    """Its name in the sandbox."""
    did: ClassVar[Did] = Did.GONE
    """What an erase does for somebody of whom data is held."""
    after: ClassVar[Did] = Did.ABSENT
    """What the next erase does, once everything has come true that the first one promised."""
    faults: ClassVar[bool] = True
    """Whether the sandbox's service can play faults."""
    bulk: ClassVar[bool] = False
    """Whether a call is about many records, of which a part can fail."""
    throttled: ClassVar[int] = 429
    broken: ClassVar[int] = 500
    expired: ClassVar[int] = 401
    """Status of a call whose credential is no longer accepted."""
    over_http: ClassVar[bool] = True
    """Whether it is reached through ``include.systems.http``, whose time-out the suite can shorten."""
    kept: ClassVar[tuple[str, ...]] = ()
    """Collections of which nothing may go."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._endpoints = sandbox.endpoints
        self.estate: Estate = sandbox.company
        self.owned: dict[str, State] = {}

    @abstractmethod
    def put(self, person: Somebody) -> None:
        """Put records about somebody, some for each kind of identifier that the system knows."""

    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: B027 - most have none
        """Shorten the waits of a client of its own."""

    def ready(self) -> None:  # noqa: B027 - most need nothing
        """Prepare the empty service, where it needs that."""

    def reset(self) -> None:
        """Leave it without data, faults and history, at the instant of the tests."""
        self.estate.faults.clear()
        self.estate.wipe()
        self.estate.journal.clear()
        self.estate.clock.set(NOW)
        self.owned.clear()
        self.ready()

    def seed(self, person: Somebody) -> None:
        """Put records about somebody and remember which they are."""
        before = self.state()
        self.put(person)
        after = self.state()
        self.owned[person.ref] = {record: True for record in after if record not in before}

    def state(self) -> State:
        """Look from behind, at all collections."""
        return {
            f"{collection} {self.text(self.shown(record))}": True
            for collection in self.estate.counts(self.service)
            for record in self.estate.records(self.service, collection)
        }

    def text(self, record: Mapping[str, Any]) -> str:
        """A record in one form."""
        return json.dumps(record, sort_keys=True, default=str)

    def shown(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """A record without what changes by itself."""
        return record

    def expected(self, before: State, person: Somebody) -> State:
        """What must be there after this person, and nobody else, was erased."""
        owned = self.owned.get(person.ref, {})
        return {record: True for record in before if record not in owned or record.startswith(self.kept or ("\0",))}

    def fulfil(self, person: Somebody, clock: Clock) -> None:
        """Let pass the time in which everything comes true that a receipt can promise."""
        clock.now = NOW + registry.erasing_card(self.key).horizon + timedelta(days=2)
        self.estate.clock.set(clock.now)

    def connection(self) -> Connection:
        """What an operator would write."""
        return Connection.from_env(self.key, connections(self._endpoints))

    def means(self, clock: Clock) -> Means:
        """What the engine gives it, with the company's own policy."""
        nothing = cast(Any, None)
        desk = Desk(POLICY, nothing, nothing, nothing, nothing, MemoryBudgets(clock), clock)
        return desk.means(self.key)

    def fail(self, kind: FaultKind, **more: Any) -> None:
        """Plan a fault for the calls that the module makes."""
        self.estate.faults.add(Fault(self.service, kind, **more))

    def calls(self) -> int:
        """How many calls it made since the history was cleared."""
        return sum(call["service"] == self.service for call in self.estate.journal.as_json())

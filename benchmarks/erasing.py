"""What the benchmarks of erasure share: a desk on databases of its own, systems whose calls are counted by phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests

from include.connection import Connection
from include.erasure.desk import Desk
from include.ledger.connect import open_ledger
from include.ledger.holds import Holds
from include.ledger.pseudonym import Pseudonymiser
from include.local import own
from include.local.databases import Databases
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.sandbox.app import connections
from include.subjects.connect import open_vault
from include.subjects.identifiers import Identifier, Subject
from include.systems import registry
from include.systems.budget import SharedBudgets
from include.systems.erasing import ErasingCard, ErasingSystem, Found, Receipt, Seen

T = TypeVar("T")
PHASES = ("find", "erase", "verify")
_JOURNAL = {
    "cloud_storage": ("storage",),
    "firebase_auth": ("identitytoolkit",),
    "google_sign_in": ("identitytoolkit",),
    "linkedin_sign_in": ("identitytoolkit", "linkedin_sign_in"),
}
"""Names of services in the sandbox's journal, where they are not the system's own."""


def now() -> datetime:
    """The clock."""
    return datetime.now(tz=UTC)


@contextmanager
def desk(databases: Databases) -> Iterator[Desk]:
    """The means of a task, as production builds them, on empty databases."""
    environment = own.fresh(databases).connections()

    def connection(key: str) -> Connection:
        return Connection.from_env(key, environment)

    ledger = open_ledger(connection("privacy_ledger"), now)
    vault = open_vault(connection("privacy_vault"), connection("privacy_vault_key"), now)
    try:
        yield Desk(
            policy=load(Settings.read().policy_file),
            ledger=ledger,
            holds=Holds(ledger),
            pseudonyms=Pseudonymiser.from_connection(connection("privacy_pseudonyms")),
            vault=vault,
            budgets=SharedBudgets(vault.engine, now),
            clock=now,
        )
    finally:
        vault.engine.dispose()
        ledger.engine.dispose()


@dataclass(slots=True)
class Spent:
    """What something cost: seconds, of which this process computed, and how often it was done."""

    wall: float = 0.0
    cpu: float = 0.0
    times: int = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add what the block costs."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu
            self.times += 1


class Journal:
    """The sandbox's own list of calls; reading it is no part of what is measured."""

    def __init__(self, admin: str) -> None:
        self._url = f"{admin}/journal"
        self._session = requests.Session()
        self.reading = Spent()

    def take(self, system: str) -> list[str]:
        """The calls to a system since the last look, which are forgotten."""
        with self.reading.measured():
            calls = self._session.get(self._url, timeout=60).json()["calls"]
            self._session.delete(self._url, timeout=60)
        services = _JOURNAL.get(system, (system,))
        return [str(call["operation"]) for call in calls if call["service"] in services]


@dataclass(slots=True)
class Counted:
    """A system whose calls are counted and timed by phase. Behaves as the system does."""

    system: ErasingSystem
    journal: Journal
    calls: dict[str, list[str]] = field(default_factory=lambda: {phase: [] for phase in PHASES})
    spent: dict[str, Spent] = field(default_factory=lambda: {phase: Spent() for phase in PHASES})

    whole: Spent = field(default_factory=Spent)

    @contextmanager
    def total(self) -> Iterator[None]:
        """Add what a task of the engine costs; reading the journal is left out."""
        reading = self.journal.reading.wall, self.journal.reading.cpu
        with self.whole.measured():
            yield
        self.whole.wall -= self.journal.reading.wall - reading[0]
        self.whole.cpu -= self.journal.reading.cpu - reading[1]

    @property
    def card(self) -> ErasingCard:
        """The system's."""
        return self.system.card

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """As the system."""
        return self._do("find", lambda: self.system.find(subjects))

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """As the system."""
        return self._do("erase", lambda: self.system.erase(found))

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """As the system."""
        return self._do("verify", lambda: self.system.verify(subjects, receipts))

    def profiles(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        """As the system, where it is an identity root."""
        root: Any = self.system
        found: list[tuple[Identifier, ...]] = root.profiles(identifiers)
        return found

    def close(self) -> None:
        """As the system."""
        self.system.close()

    def _do(self, phase: str, work: Callable[[], T]) -> T:
        with self.spent[phase].measured():
            done = work()
        self.calls[phase] += self.journal.take(self.card.key)
        return done


@contextmanager
def connected(
    at: Desk, endpoints: Mapping[str, str], keys: Sequence[str], extra: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[dict[str, Counted]]:
    """Systems connected to a sandbox, each with what is to be changed in its connection's ``extra``."""
    environment = connections(endpoints)
    journal = Journal(endpoints["admin"])
    systems: dict[str, Counted] = {}
    try:
        for key in keys:
            plugged = Connection.from_env(key, environment)
            connection = replace(plugged, extra={**plugged.extra, **(extra or {}).get(key, {})})
            systems[key] = Counted(registry.connect_erasing(connection, at.means(key)), journal)
        yield systems
    finally:
        for system in systems.values():
            system.close()

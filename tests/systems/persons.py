"""What the tests of the erasure of persons share: places of the policy, persons, a look at the stores from behind."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.connection import Connection
from include.policy.loader import load
from include.policy.persons import IdentifierKind, Person, RequestType
from include.sandbox.app import Sandbox, connections
from include.sandbox.company import Company
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.records import Person as User
from include.subjects.identifiers import Identifier, Subject
from include.systems import registry
from include.systems.erasing import Did, Means, Place

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POLICY = load(Path(__file__).parents[2] / "include" / "policy" / "clique.yaml")
ERASURE, ACCOUNT_DELETION = RequestType.ERASURE, RequestType.ACCOUNT_DELETION
HOSTILE = (
    "",
    "*",
    "%",
    "/",
    "..",
    ".",
    "../users",
    "a/b",
    "_",
    "?",
    "[a-z]*",
    "\\",
    "__all__",
    "\ud800",
    "\0",
    "x" * 5000,
)


class Unlimited:
    """Budgets without limits, which note whose turn it was."""

    def __init__(self) -> None:
        self.paced: Counter[tuple[str, float]] = Counter()

    def take(self, name, amount, limit, window):
        return amount

    def left(self, name, limit, window):
        return limit

    def pace(self, name, per_second):
        self.paced[name, per_second] += 1
        return nullcontext()


def places(system: str) -> tuple[Place, ...]:
    """The places of the policy of Clique in one system."""
    protected = tuple(dict(one.location) for one in POLICY.protected if one.system == system)
    return tuple(
        Place(key, dict(holding.location), person, protected)
        for key, holding in POLICY.holdings.items()
        if holding.system == system
        for person in holding.persons
    )


def place(holding: str, location: Mapping[str, str], **person: Any) -> Place:
    """A place of a test's own."""
    return Place(holding, location, Person(**{"identifier": "user_id", "match": "id", **person}))


def means(system: str, **changes: Any) -> Means:
    """What the module of a system gets under the policy of Clique."""
    identity = {s.holding.split(".")[0]: s.identifiers for s in POLICY.requests.identity}
    given = Means(lambda: NOW, Unlimited(), places(system), identity=dict(identity.get(system, {})))
    return replace(given, **changes)


def subject(ref: str = "req_a", request: RequestType = ERASURE, **known: str | Iterable[str]) -> Subject:
    """A person, known by what is given as ``user_id="u1", email=["a@x", "b@x"]``."""
    pairs = ((kind, [values] if isinstance(values, str) else values) for kind, values in known.items())
    return Subject(ref, request, tuple(Identifier(IdentifierKind(kind), one) for kind, some in pairs for one in some))


def user(person: User, request: RequestType = ERASURE) -> Subject:
    """A user of the invented company."""
    return subject(f"req_{person.uid}", request, user_id=person.uid, email=person.email)


def known(*pairs: tuple[str, str]) -> list[Identifier]:
    return [Identifier(IdentifierKind(kind), value) for kind, value in pairs]


class Room:
    """A system of the sandbox with its module, on fresh data."""

    def __init__(self, sandbox: Sandbox, system: str, service: str) -> None:
        self.company: Company = sandbox.company
        self.system = system
        self.service = service
        self._connection = Connection.from_env(system, connections(sandbox.endpoints))
        self._open: list[Any] = []
        self.company.faults.clear()
        self.company.journal.clear()
        self.company.wipe()

    def connect(self, **changes: Any) -> Any:
        connected = registry.connect_erasing(self._connection, means(self.system, **changes))
        self._open.append(connected)
        return connected

    def estate(self, people: int = 40, **more: Any) -> Estate:
        estate = Estate(NOW, people=people, workspaces=6, **more)
        self.company.seed(estate)
        return estate

    def fail(self, kind: FaultKind, operation: str = "", **more: Any) -> None:
        self.company.faults.add(Fault(self.service, kind, operation, **more))

    def calls(self, operation: str = "") -> int:
        """How many calls the service answered whose operation contains the text."""
        found = self.company.journal.as_json()
        return sum(one["service"] == self.service and operation in str(one["operation"]) for one in found)

    def records(self) -> dict[str, dict[str, Any]]:
        """Everything the service holds, by collection and identity, read from behind."""
        return {
            f"{collection} {_identity(record)}": record
            for collection in self.company.counts(self.service)
            for record in self.company.records(self.service, collection)
        }

    @contextmanager
    def unchanged(self, but: Iterable[str] = ()):
        """Nothing changes meanwhile but the records of these keys."""
        before, allowed = self.records(), set(but)
        assert allowed <= before.keys()
        yield
        after = self.records()
        assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == allowed

    def close(self) -> None:
        self.company.faults.clear()
        for connected in self._open:
            connected.close()


def _identity(record: Mapping[str, Any]) -> str:
    names = ("__name__", "_id", "local_id", "key")
    found = next((str(record[name]) for name in names if name in record), None)
    return found or f"{record['name']}#{record['generation']}"


def erase(system: Any, *subjects: Subject) -> list[Did]:
    """The whole way for a batch; nothing may remain."""
    found = system.find(subjects)
    assert [one.ref for one in found] == [one.ref for one in subjects]
    receipts = system.erase(found)
    assert [one.ref for one in receipts] == [one.ref for one in subjects]
    seen = system.verify(subjects, receipts)
    assert [(one.ref, one.remaining) for one in seen] == [(one.ref, 0) for one in subjects]
    assert all(receipt.gone == one.total for receipt, one in zip(receipts, found, strict=True))
    return [receipt.did for receipt in receipts]

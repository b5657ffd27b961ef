"""Stores for the tests of the Firestore module: the sandbox, and a real server where one is given.

Set ``AIRFLOW_CONN_FIRESTORE_LIVE`` to Airflow's JSON form of a connection (an emulator, or a database that may be
emptied) to run the ``live`` half; tests that plan faults need the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from google.cloud.firestore_v1 import types

from include.connection import Connection
from include.policy.actions import Action, Anonymisation, Generalise
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.firestore.values import from_python, to_python
from include.systems.contract import OnHold, Selection, Swept
from include.systems.firestore import connect
from include.systems.firestore.system import FirestoreSystem
from tests.sandbox.firestore_kit import PROJECT, Running

NOW = datetime(2024, 6, 1, tzinfo=UTC)
LIVE = "AIRFLOW_CONN_FIRESTORE_LIVE"
RULE = Selection(
    rule="R1",
    location={"group": "contacts"},
    subject="field:uid",
    trigger_field="at",
    cutoff=NOW,
    period_seconds=86400,
)
EVENTS = replace(
    RULE,
    action=Action.ANONYMISE,
    anonymisation=Anonymisation(
        remove=("uid", "mail"),
        generalise=(
            Generalise("at", "month"),
            Generalise("age", "band", 10),
            Generalise("zip", "prefix", 2),
            Generalise("born", "year"),
        ),
    ),
)


def old(days: float = 1) -> datetime:
    return NOW - timedelta(days=days)


@dataclass
class Store:
    """What a test sees of the server: put documents, look at all of them, and the module under test."""

    system: FirestoreSystem
    put: Callable[[dict[str, dict]], None]
    look: Callable[[], dict[str, dict]]
    server: Running | None = None

    def sweep(self, selection: Selection, on_hold: OnHold | None = None) -> Swept:
        swept = [self.system.expire(selection, batch) for batch in self.system.batches(selection, on_hold)]
        return Swept(
            gone=sum(s.gone for s in swept), absent=sum(s.absent for s in swept), changed=sum(s.changed for s in swept)
        )

    def fail(self, kind: FaultKind, operation: str, **more) -> None:
        assert self.server is not None
        self.server.faults.add(Fault("firestore", kind, operation, **more))


def on_sandbox(server: Running, admin_url: str) -> Iterator[Store]:
    """The module on an empty sandbox without faults."""
    server.sandbox.reset()
    server.faults.clear()
    server.journal.clear()
    extra = {"project": PROJECT, "emulator": True, "rest_endpoint": admin_url}
    system = connect(Connection("firestore", host="127.0.0.1", port=server.port, extra=extra))
    yield Store(system, lambda new: server.sandbox.seed(new.items()), lambda: dict(server.sandbox.documents()), server)
    system.close()


def on_server(connection: Connection) -> Iterator[Store]:
    system = connect(connection)
    gateway = system._gateway

    def look() -> dict[str, dict]:
        query = types.StructuredQuery.pb()()
        query.from_.add(all_descendants=True)
        found = gateway.query(gateway.root, query, "look")
        return {
            document.name.removeprefix(f"{gateway.root}/"): {n: to_python(v) for n, v in document.fields.items()}
            for document in found
        }

    def put(documents: dict[str, dict]) -> None:
        writes = [
            types.Write.pb()(
                update={"name": gateway.name(path), "fields": {n: from_python(v) for n, v in fields.items()}}
            )
            for path, fields in documents.items()
        ]
        for at in range(0, len(writes), 4):
            assert gateway.commit(writes[at : at + 4], "put")

    def wipe() -> None:
        names = [types.Write.pb()(delete=gateway.name(path)) for path in look()]
        for at in range(0, len(names), 500):
            assert gateway.commit(names[at : at + 500], "wipe")

    wipe()
    yield Store(system, put, look)
    wipe()
    system.close()
